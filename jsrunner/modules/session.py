"""Python half of WebSocket sessions: dialing, the handshake, TLS, the first samples.

The core has the session from its making on (core/session.h); this half gives it a connected socket
(`core_session_open`), or the reason why there is none (`core_session_fail`). After that only
permessage-deflate and TLS come back here.
"""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gevent
import orjson

from jsrunner.core.binding import Opening
from jsrunner.engine.engine import DEFLATE, INFLATE
from jsrunner.engine.errors import HostError
from jsrunner.engine.interpreter import encode_value
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules.base import HostModule, operation
from jsrunner.text import decode_bytewise
from jsrunner.transport import failures, handshake, url
from jsrunner.transport.deflate import OFFER, Deflate, negotiate
from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation
from jsrunner.transport.secure import SecureStream
from jsrunner.transport.wire import ends_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.transport.cookies import CookieJar
    from jsrunner.worker.vu import VU

#: Seconds for name look-up, TCP, TLS and the handshake together (k6: the same, not an option).
HANDSHAKE_TIMEOUT: Final = 60.0
_NO_HANDSHAKE: Final = "closed before the connection was established"


@dataclass(slots=True)
class Outcome:
    """What came of an attempt to connect: a socket, or Go's text of the failure."""

    #: Seconds since the epoch and of the monotonic clock, and how long it took.
    started: float
    clock: float
    duration: float = 0.0
    answer: handshake.Answer | None = None
    sock: Any = None
    deflate: Deflate | None = None
    failure: str = ""
    sent: int = 0


class Session(HostModule):
    specifier = "jsrunner:session"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        #: Greenlets that dial, by the session's key.
        self._dialing: dict[int, gevent.Greenlet] = {}
        vu.interpreter.operations[INFLATE] = self._inflate
        vu.interpreter.operations[DEFLATE] = self._deflate

    # -- operations --------------------------------------------------------------------------------

    @operation
    def parse(self, address: str) -> str:
        """Return the URL of a `new WebSocket` as Go writes it."""
        shown = orjson.dumps(address).decode()
        try:
            parts = url.parse(address)
        except url.URLError as error:
            raise HostError(
                f"WebSocket requires valid url, but got {shown} which resulted in {error}"
            ) from None
        if parts.scheme not in ("ws", "wss"):
            raise HostError(f'WebSocket requires url with scheme ws or wss, but got "{parts.scheme}"')
        if parts.fragment:
            raise HostError(f'WebSocket requires no url fragment, but got "{parts.fragment}"')
        return str(parts)

    @operation
    def dial(
        self,
        key: int,
        address: str,
        headers: dict[str, str],
        tags: dict[str, str],
        jar: int | None,
        compression: bool,
        protocols: str,
        is_blocking: bool,
    ) -> None:
        """Begin to connect a session; it hears of the outcome by its event OPEN or FAILED."""
        attempt = _Attempt(self.vu, key, address, tags, is_blocking)
        cookies = self.vu.cookie_jar(jar)
        self._dialing[key] = gevent.spawn(
            self._connect, attempt, headers, cookies, compression, protocols
        )

    @operation
    def cancel(self, key: int) -> None:
        """End an attempt to connect."""
        greenlet = self._dialing.get(key)
        if greenlet is not None:
            greenlet.kill(DialError(_NO_HANDSHAKE), block=False)

    @operation
    def warn(self, text: str) -> None:
        self.vu.log("warning", text)

    @operation
    def encode(self, text: str) -> bytes:
        """Return a text's UTF-8."""
        return text.encode()

    @operation
    def decode(self, data: bytes) -> str:
        return decode_bytewise(data)

    # -- connecting --------------------------------------------------------------------------------

    def _connect(
        self,
        attempt: _Attempt,
        headers: Mapping[str, str],
        cookies: CookieJar,
        compression: bool,
        protocols: str,
    ) -> None:
        vu, engine = self.vu, self.vu.process.engine
        index = vu.interpreter.index
        try:
            outcome = connect(
                vu,
                attempt.address,
                headers,
                cookies=cookies,
                compression=compression,
                protocols=protocols,
            )
            received = outcome.answer.size if outcome.answer else 0
            engine.library.core_vu_add_bytes(index, outcome.sent, received)
            if outcome.deflate is not None:
                vu.process.deflates[attempt.key] = outcome.deflate
            attempt.report(outcome)
        except gevent.GreenletExit:
            return
        except Exception as error:  # a fault of ours: the script must not wait for ever
            vu.process.log_fault(error)
            attempt.fail(Outcome(time.time(), time.monotonic(), failure=f"jsrunner: {error}"))
        finally:
            self._dialing.pop(attempt.key, None)
        engine.serve()

    # -- permessage-deflate ------------------------------------------------------------------------

    def _inflate(self, slot: int, generation: int, payload: bytes) -> bytes | None:
        process = self.vu.process
        assert process.plan is not None
        limit = process.plan.max_message_size
        return inflate(process.deflates[generation << 32 | slot], payload, limit)

    def _deflate(self, slot: int, generation: int, payload: bytes) -> bytes:
        return self.vu.process.deflates[generation << 32 | slot].compress(payload)

    # -- the end -----------------------------------------------------------------------------------

    def give_up(self) -> None:
        for greenlet in list(self._dialing.values()):
            greenlet.kill(block=False)
        self._dialing.clear()


class _Attempt:
    """One session's attempt to connect, with the tags of its samples: those of the VU when it began."""

    def __init__(self, vu: VU, key: int, address: str, tags: dict[str, str], is_blocking: bool) -> None:
        self._vu = vu
        self.key = key
        self.address = address
        self._tags = {**vu.tag_values, **tags}
        self._metadata = vu.metadata
        self._is_blocking = is_blocking

    def report(self, outcome: Outcome) -> None:
        """Record the first samples and tell the session."""
        process = self._vu.process
        self._add_system_tags(outcome)
        recorder = process.recorder
        tags, metadata, started = recorder.tag_set(self._tags), self._metadata, outcome.started
        recorder.series(BUILTIN["ws_sessions"], tags).add(1, started, metadata)
        recorder.series(BUILTIN["ws_connecting"], tags).add(outcome.duration * 1000, started, metadata)
        if outcome.sock is None:
            process.failed_handshakes += 1
            if not process.handshake_failure:
                status = f" (status {outcome.answer.status})" if outcome.answer else ""
                process.handshake_failure = outcome.failure + status
            if self._is_blocking:
                series = recorder.series(BUILTIN["ws_session_duration"], tags)
                series.add((time.time() - started) * 1000, started, metadata)
            self.fail(outcome)
        else:
            self._open(outcome, [
                recorder.series(BUILTIN[name], tags).number
                for name in ("ws_msgs_sent", "ws_msgs_received", "ws_ping", "ws_session_duration")
            ])  # fmt: skip

    def _add_system_tags(self, outcome: Outcome) -> None:
        """Add what the handshake has shown, as far as it is wanted."""
        process, answer = self._vu.process, outcome.answer
        system, tags = process.system_tags, self._tags
        name = self.address
        if not self._is_blocking:
            # The tag `url` is the address, or the tag `name` that the script has set.
            name = tags.get("name", name)
            if "name" in system:
                tags["name"] = name
        if "url" in system:
            tags["url"] = name
        if answer is not None:
            if "status" in system:
                tags["status"] = str(answer.status)
            if "subproto" in system:
                tags["subproto"] = answer.joined.get("Sec-Websocket-Protocol", "")
        if "ip" in system and outcome.sock is not None:
            tags["ip"] = outcome.sock.getpeername()[0]

    def _open(self, outcome: Outcome, series: list[int]) -> None:
        engine, answer, sock = self._vu.process.engine, outcome.answer, outcome.sock
        assert answer is not None
        payload = encode_value(
            {
                "response": self._response(answer, "", self.address),
                "protocol": answer.joined.get("Sec-Websocket-Protocol", ""),
                "extensions": answer.headers.get("Sec-Websocket-Extensions", []),
            }
        )
        prefix = f"write tcp {ends_of(sock)}: write: ".encode()
        slot, generation = self.key & 0xFFFFFFFF, self.key >> 32
        is_secure = hasattr(sock, "_sslobj")
        opening = Opening(
            sock.fileno(), is_secure, outcome.deflate is not None, *series, 0, outcome.clock
        )
        if is_secure:
            index = self._vu.interpreter.index
            self._vu.process.secure[self.key] = SecureStream(
                sock, engine.library, slot, generation, index, outcome.sent, answer.size
            )
        else:
            opening.descriptor = sock.detach()
        is_open = engine.library.core_session_open(
            slot,
            generation,
            ctypes.byref(opening),
            payload,
            len(payload),
            answer.rest,
            len(answer.rest),
            prefix,
        )
        if not is_open:  # it was given up meanwhile
            if is_secure:
                del self._vu.process.secure[self.key]
                sock.close()
            else:
                os.close(opening.descriptor)
        elif is_secure:
            self._vu.process.secure[self.key].read()

    def fail(self, outcome: Outcome) -> None:
        """Tell the session that it cannot be opened."""
        vu, answer = self._vu, outcome.answer
        if self._is_blocking:
            payload = {
                "failure": outcome.failure,
                "isThrown": bool(vu.process.options.throw),
                "response": self._response(answer, outcome.failure),
            }
        else:
            response = None
            if answer is not None:
                body = decode_bytewise(answer.body)
                response = {"status": answer.status, "headers": answer.joined, "body": body}
            payload = {"failure": outcome.failure, "response": response}
        data = encode_value(payload)
        vu.process.engine.library.core_session_fail(
            self.key & 0xFFFFFFFF, self.key >> 32, data, len(data)
        )

    def _response(
        self, answer: handshake.Answer | None, error: str, address: str = ""
    ) -> dict[str, Any]:
        """Return what ws.connect returns; its `error` is empty if the server has answered."""
        if answer is None:
            return {"url": "", "status": 0, "headers": {}, "body": "", "error": error}
        body = "" if answer.upgraded else decode_bytewise(answer.body)
        return {
            "url": address,
            "status": answer.status,
            "headers": answer.joined,
            "body": body,
            "error": "",
        }


def inflate(deflate: Deflate, payload: bytes, limit: int) -> bytes | None:
    """Return a compressed message for the core; None if it has more than `limit` bytes.

    Raises:
        HostError: it is no deflate.
    """
    try:
        return deflate.decompress(payload, limit)
    except MessageTooBig:
        return None
    except ProtocolViolation as error:
        raise HostError(str(error)) from None


def connect(
    vu: VU,
    address: str,
    headers: Mapping[str, str],
    *,
    cookies: CookieJar,
    compression: bool,
    protocols: str = "",
) -> Outcome:
    """Dial and shake hands, parking the calling greenlet."""
    outcome = Outcome(time.time(), time.monotonic())
    try:
        with gevent.Timeout(HANDSHAKE_TIMEOUT, DialError("i/o timeout")):
            _dial(vu, outcome, address, headers, cookies, compression, protocols)
    except DialError as error:
        outcome.failure = str(error)
    outcome.duration = time.monotonic() - outcome.clock
    if outcome.answer is not None and not outcome.answer.upgraded:
        outcome.failure = "websocket: bad handshake"
    return outcome


def _dial(
    vu: VU,
    outcome: Outcome,
    address: str,
    headers: Mapping[str, str],
    cookies: CookieJar,
    compression: bool,
    protocols: str,
) -> None:
    process = vu.process
    target = url.parse_websocket(address)
    request, key = handshake.request(
        target,
        {"User-Agent": process.user_agent, **headers},
        cookies=cookies.header(target, time.time()) if cookies else "",  # an empty one costs nothing
        extensions=OFFER if compression else "",
        protocols=protocols,
    )
    assert process.dialer is not None
    sock = process.dialer.dial(
        target.host, target.port, tls=target.secure, alpn=("http/1.1",), vu=vu.id
    )
    ends = ends_of(sock)
    try:
        sock.sendall(request)
        outcome.sent = len(request)
        answer = handshake.read_answer(sock, key)
        if set_cookies := answer.headers.get("Set-Cookie"):
            cookies.store(target, set_cookies, time.time())
        outcome.answer = answer
        if not answer.upgraded:
            sock.close()
            return
        outcome.deflate = negotiate(answer.headers.get("Sec-Websocket-Extensions", ()))
        outcome.sock = sock
    except OSError as error:
        sock.close()
        raise failures.dial_error(error, ends) from None
    except BaseException:
        sock.close()
        raise
