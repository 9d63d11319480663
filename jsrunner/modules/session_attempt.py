"""The attempt to connect a session: from its address to an open session, or to the text of a failure.

If the host needs no look-up and no proxy, the core connects and sends the request (core/dial.c), and
calls `proceed` with the response; no greenlet waits in Python. Otherwise a greenlet dials. The core
repeats an equal attempt without Python (core/recipe.h).
"""

from __future__ import annotations

import ctypes
import os
import socket as plain
import time
from typing import TYPE_CHECKING, Final

import gevent
from gevent import socket

from jsrunner.core.binding import HANDSHAKE_TIMEOUT
from jsrunner.engine.interpreter import encode_value
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules.connecting import (
    Opening,
    Question,
    SessionAttempts,
    opening_of,
    protocol_of,
    response_of,
)
from jsrunner.modules.session_samples import series_of
from jsrunner.text import decode_bytewise
from jsrunner.transport import failures, handshake
from jsrunner.transport.deflate import negotiate, negotiate_strictly
from jsrunner.transport.errors import DialError, DialTimeout
from jsrunner.transport.head import MAX_HEAD_BYTES, end_of_head
from jsrunner.transport.url import parse_websocket
from jsrunner.transport.wire import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.core.binding import DialFacts, TLSTarget
    from jsrunner.modules.context import ModuleContext
    from jsrunner.transport.connection import Connection
    from jsrunner.transport.cookies import CookieJar
    from jsrunner.transport.dial import Direct
    from jsrunner.transport.tls_socket import Untrusted
    from jsrunner.transport.url import URL

#: The core's events: enum dial_event of core/dial.c.
_RECEIVED, _ENDED, _NOT_CONNECTED, _BROKEN, _LATE, _CONNECT_LATE, _NOT_SECURE = range(7)
#: Protocols that wss offers in the TLS handshake.
_ALPN: Final = ("http/1.1",)
_TIMED_OUT: Final = "i/o timeout"


class Attempt:
    """An attempt of one VU to connect a session.

    Until its end it is in `connecting.attempts` and in `own`, the VU's attempts.

    Its samples have the tags and metadata that the VU had at its begin.
    """

    __slots__ = (
        "_address", "_clock", "_connecting", "_cookies", "_generation", "_greenlet", "_intermediates",
        "_ip", "_is_offered", "_key", "_library", "_metadata", "_nonce", "_own", "_peer", "_process",
        "_question", "_reader", "_request", "_slot", "_tls", "_vu", "is_recorded",
    )  # fmt: skip

    def __init__(
        self,
        vu: ModuleContext,
        connecting: SessionAttempts,
        own: dict[int, Attempt],
        key: int,
        question: Question,
    ) -> None:
        self._vu = vu
        self._process = vu.process
        self._library = vu.process.engine.library
        self._connecting = connecting
        self._own = own
        self._key = key
        self._slot, self._generation = key & 0xFFFFFFFF, key >> 32
        self._question = question
        self._address = question.address
        self._metadata = vu.context.metadata
        self._clock = time.monotonic()
        #: The jar; None for the VU's own jar before it exists.
        self._cookies: CookieJar | None = None
        #: The Sec-WebSocket-Key, and the request with it.
        self._nonce = ""
        self._request = b""
        #: True if permessage-deflate is offered.
        self._is_offered = False
        #: False if the samples of the attempt are not recorded.
        self.is_recorded = True
        self._reader: handshake.AnswerReader | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None
        #: The peer: its IP address, and its address and port as Go shows them.
        self._ip = self._peer = ""
        #: The server to speak TLS with, None without TLS, and the count of intermediates known to it.
        self._tls: TLSTarget | None = None
        self._intermediates = 0
        own[key] = connecting.attempts[key] = self

    # -- beginning ---------------------------------------------------------------------------------

    def begin(
        self,
        headers: Mapping[str, str],
        cookies: CookieJar | None,
        extensions: str,
        protocols: str | None,
    ) -> None:
        """Begin to connect; the session's event OPEN or FAILED has the outcome."""
        process = self._process
        self._cookies = cookies
        self._is_offered = bool(extensions)
        try:
            target = parse_websocket(self._address)
            cookie = cookies.header(target, time.time()) if cookies else ""
            fields = (("User-Agent", process.user_agent), *headers.items())
            before, behind = handshake.request_parts(
                self._address, fields, cookie, extensions, protocols
            )
            self._nonce = handshake.new_key()
            self._request = before + self._nonce.encode() + behind
            direct = process.dialer.direct(target.host, target.port, self._vu.id, secure=target.secure)
            if direct is None:
                self._greenlet = gevent.spawn(self._dial, target)
                return
            self._prepare_tls(target)
            if not cookies and not extensions:
                self._keep_recipe(direct, before, behind)
            self._dial_directly(direct)
        except Exception as error:
            if self._question.is_blocking:
                self._fail_with(error)
            else:  # after the script's current code, which may still close the socket
                self._greenlet = gevent.spawn(self._fail_later, error)

    def _fail_later(self, error: Exception) -> None:
        self._fail_with(error)
        self._process.engine.serve()

    def _prepare_tls(self, target: URL) -> None:
        """Prepare the core's TLS with a wss server. Raises DialError."""
        if target.secure:
            self._tls, self._intermediates = self._process.dialer.tls_target(target.host, _ALPN)

    def _keep_recipe(self, direct: Direct, before: bytes, behind: bytes) -> None:
        """Give the core a recipe for equal questions."""
        number = self._question.recipe
        if number < 0 or direct.until is None:
            return
        self._connecting.keep_recipe(self._question, direct)
        until = 0.0 if direct.until == float("inf") else direct.until
        self._library.core_recipe_keep(
            number,
            direct.ip.encode(),
            direct.port,
            before,
            len(before),
            behind,
            len(behind),
            until,
            self._tls,
        )

    def _dial_directly(self, direct: Direct) -> None:
        self._ip, self._peer = direct.ip, shown((direct.ip, direct.port))
        number = self._library.core_dial(
            self._slot,
            self._generation,
            direct.ip.encode(),
            direct.port,
            direct.local and direct.local.encode(),
            self._request,
            len(self._request),
            self._clock,
            self._tls,
        )
        if number:
            raise self._connect_error(number)

    def resume(self, direct: Direct | None, facts: DialFacts) -> None:
        """Take over a dialing that the core has begun by a recipe."""
        if direct is not None:
            self._ip, self._peer = direct.ip, shown((direct.ip, direct.port))
        self._clock = facts.started
        self._nonce = facts.key.decode()

    def _connect_error(self, number: int) -> DialError:
        return self._process.dialer.connect_error(OSError(number, os.strerror(number)), self._peer)

    # -- in a greenlet -----------------------------------------------------------------------------

    def _dial(self, target: URL, refusal: Untrusted | None = None) -> None:
        """Dial in a greenlet, for destinations that need a wait: a look-up, a proxy, issuers.

        Args:
            target: The destination.
            refusal: The refusal of the server's certificate by an attempt before.
        """
        sock = None
        dialer = self._process.dialer
        try:
            with gevent.Timeout(HANDSHAKE_TIMEOUT, DialError(_TIMED_OUT)):
                if refusal is not None:
                    dialer.settle(refusal, target.host, target.port, self._vu.id, self._intermediates)
                sock = dialer.dial(target.host, target.port, self._vu.id, secure=target.secure)
            peer = sock.getpeername()
            self._ip, self._peer = peer[0], shown(peer)
            self._prepare_tls(target)
            number = self._library.core_dial_adopt(
                self._slot,
                self._generation,
                sock.fileno(),
                self._request,
                len(self._request),
                self._clock,
                self._tls,
            )
            if number:
                raise DialError(os.strerror(number).lower())
            sock.detach()
        except gevent.GreenletExit:
            if sock is not None:
                sock.close()
        except Exception as error:
            if sock is not None:
                sock.close()
            self._fail_with(error)
        finally:
            self._greenlet = None
            self._process.engine.serve()

    def _read(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Return the answer's head and the bytes behind it; None if the head is incomplete."""
        if self._reader is None:
            end = end_of_head(data)
            if 0 <= end <= MAX_HEAD_BYTES:  # mostly the head arrives in one piece
                return data[:end], data[end:]
            self._reader = handshake.AnswerReader()
        return self._reader.feed(data)

    def _broken_off(self, reason: str = "unexpected EOF") -> DialError:
        """Return the error of an answer that has broken off."""
        return DialError(reason) if self._reader is None else self._reader.break_off(reason)

    # -- the core's events --------------------------------------------------------------------------

    def proceed(self, detail: int, data: bytes) -> None:
        """Process an event of the core.

        Args:
            detail: The event in the lowest byte, an errno above it.
            data: Received bytes of the answer.
        """
        event, number = detail & 0xFF, detail >> 8
        try:
            if event == _RECEIVED:
                answer = self._read(data)
                if answer is not None:
                    self._judge(*answer)
                else:
                    self._library.core_dial_more(self._slot, self._generation)
            elif event == _ENDED:
                raise self._broken_off()
            elif event == _BROKEN:
                raise self._broken_off(self._read_error(number))
            elif event == _NOT_CONNECTED:
                raise self._connect_error(number)
            elif event == _NOT_SECURE:
                self._explain(data)
            elif event == _CONNECT_LATE:
                raise DialTimeout(f"dial tcp {self._peer}: {_TIMED_OUT}")
            else:
                raise DialError(_TIMED_OUT)
        except Exception as error:
            self._fail_with(error)

    def _explain(self, data: bytes) -> None:
        """Raise the error of a failed TLS connection, or dial again if that may help."""
        from jsrunner.transport.tls_socket import Untrusted, failure_of

        error = failure_of(data)
        if isinstance(error, Untrusted) and self._address:
            os.close(self._library.core_dial_take(self._slot, self._generation, None))
            self._greenlet = gevent.spawn(self._dial, parse_websocket(self._address), error)
            return
        text = self._read_error(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise self._broken_off(text)

    def _read_error(self, number: int) -> str:
        """Return Go's text of a failed read."""
        descriptor = self._library.core_dial_take(self._slot, self._generation, None)
        with plain.socket(fileno=descriptor) as sock:
            ends = f"{shown(sock.getsockname())}->{self._peer}"
        return str(failures.dial_error(OSError(number, os.strerror(number)), ends))

    # -- the answer --------------------------------------------------------------------------------

    def _judge(self, block: bytes, rest: bytes) -> None:
        """Open the session if the answer's head fulfils RFC 6455, else refuse it.

        Args:
            block: The head.
            rest: The bytes behind it.
        """
        if self._tls is not None:
            self._process.dialer.check_name(parse_websocket(self._address).host)
        before, accept, behind = block.partition(handshake.accept_of(self._nonce))
        opening = self._connecting.opening(self._address, before, behind) if accept else None
        if opening is None:
            answer = handshake.judge(block, self._nonce)
            if not answer.upgraded:
                self._refuse(answer, rest)
                return
            opening = opening_of(self._address, answer, accept)
            self._connecting.keep_opening(self._address, before, behind, opening)
        if opening.cookies:
            self._store(opening.cookies)
        if opening.extensions:
            try:
                deflate = (
                    negotiate_strictly(opening.extensions, is_offered=self._is_offered)
                    if self._process.is_strict
                    else negotiate(opening.extensions)
                )
            except DialError as error:
                self.fail(str(error), handshake.judge(block, self._nonce))
                return
            if deflate is not None:
                self._process.deflates[self._key] = deflate
        if not opening.cookies and not opening.extensions:
            self._keep_answer(opening, before, behind)
        self._open(opening, opening.before + accept + opening.behind, rest)

    def _keep_answer(self, opening: Opening, before: bytes, behind: bytes) -> None:
        """Give the core the answer, so that it opens sessions with an equal answer by itself."""
        if self._question.recipe not in self._connecting.recipes:
            return
        _, series = series_of(
            self._process, self._connecting, self._question, self._ip, opening.status, opening.protocol
        )
        parts = (before, behind, opening.before, opening.behind)
        sizes = [value for part in parts for value in (part, len(part))]
        self._library.core_recipe_answer(self._question.recipe, *sizes, series)

    def _store(self, cookies: list[str]) -> None:
        jar = self._vu.jars.get() if self._cookies is None else self._cookies
        jar.store(parse_websocket(self._address), cookies, time.time())

    def _open(self, opening: Opening, payload: bytes, rest: bytes) -> None:
        _, series = series_of(
            self._process, self._connecting, self._question, self._ip, opening.status, opening.protocol
        )
        self._leave()
        self._library.core_session_open(
            self._slot,
            self._generation,
            self._key in self._process.deflates,
            series,
            self._clock,
            payload,
            len(payload),
            rest,
            len(rest),
        )

    def _refuse(self, answer: handshake.Answer, rest: bytes) -> None:
        """Read the body of a refusal in a greenlet, then fail."""
        if cookies := answer.values("Set-Cookie"):
            self._store(cookies)
        address = ctypes.c_void_p()
        descriptor = self._library.core_dial_take(self._slot, self._generation, ctypes.byref(address))
        below = socket.socket(fileno=descriptor)
        sock: Connection = below
        if address.value is not None:
            from jsrunner.transport.tls_socket import TLSSocket

            sock = TLSSocket.of_core(below, address.value)
        self._greenlet = gevent.spawn(self._read_refusal, answer, rest, sock)

    def _read_refusal(self, answer: handshake.Answer, rest: bytes, sock: Connection) -> None:
        left = self._clock + HANDSHAKE_TIMEOUT - time.monotonic()
        timeout = gevent.Timeout(max(left, 0.001))
        try:
            with timeout:
                answer.body = handshake.read_body(sock, answer.head, rest)
        except gevent.Timeout as error:
            if error is not timeout:
                raise
        except gevent.GreenletExit:
            return
        finally:
            sock.close()
            self._greenlet = None
        self.fail("websocket: bad handshake", answer)
        self._process.engine.serve()

    # -- the outcome -------------------------------------------------------------------------------

    def _fail_with(self, error: Exception) -> None:
        if isinstance(error, DialError):
            self.fail(str(error))
        else:  # a fault of jsrunner: the script must get an event all the same
            self._process.log_fault(error)
            self.fail(f"jsrunner: {error}")

    def fail(
        self,
        failure: str,
        answer: handshake.Answer | None = None,
    ) -> None:
        """End the attempt with the event FAILED.

        Args:
            failure: The text of the error, as in k6.
            answer: The server's response, None without one.
        """
        if self._key not in self._own:
            return
        self.drop()
        process = self._process
        process.failed_handshakes += 1
        if not process.handshake_failure:
            status = f" (status {answer.status})" if answer else ""
            process.handshake_failure = failure + status
        self._ip = ""
        if answer is None:
            tags, _ = series_of(self._process, self._connecting, self._question, self._ip)
        else:
            tags, _ = series_of(
                self._process,
                self._connecting,
                self._question,
                self._ip,
                str(answer.status),
                protocol_of(answer) if self._question.is_blocking else "",
            )
        duration = (time.monotonic() - self._clock) * 1000
        values = {"ws_sessions": 1.0, "ws_connecting": duration}
        if self._question.is_blocking:
            values["ws_session_duration"] = duration
        started = time.time() - duration / 1000
        for name, value in values.items() if self.is_recorded else ():
            process.recorder.series(BUILTIN[name], tags).add(value, started, self._metadata)
        data = encode_value(self._failure_event(failure, answer))
        self._library.core_session_fail(self._slot, self._generation, data, len(data))

    def _failure_event(self, failure: str, answer: handshake.Answer | None) -> dict[str, object]:
        """Return the payload of the event FAILED."""
        if self._question.is_blocking:
            is_thrown = bool(self._process.options.throw)
            response = response_of(answer, failure)
            return {"failure": failure, "isThrown": is_thrown, "response": response}
        if answer is None:
            return {"failure": failure, "response": None, "extensions": []}
        body = decode_bytewise(answer.body)
        refusal = {"status": answer.status, "headers": answer.joined, "body": body}
        extensions = answer.values("Sec-Websocket-Extensions")
        return {"failure": failure, "response": refusal, "extensions": extensions}

    def drop(self) -> None:
        """End the attempt without an event and without samples."""
        self._leave()
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=False)

    def _leave(self) -> None:
        self._own.pop(self._key, None)
        self._connecting.attempts.pop(self._key, None)
