"""What k6/ws and k6/websockets have in common: how a WebSocket comes about, and its first samples."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gevent

from jsrunner.metrics.registry import BUILTIN
from jsrunner.transport import failures, handshake, url
from jsrunner.transport.deflate import OFFER, negotiate
from jsrunner.transport.errors import DialError
from jsrunner.transport.websocket import Connection
from jsrunner.transport.wire import ends_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.transport.cookies import CookieJar
    from jsrunner.worker.process import Process
    from jsrunner.worker.recorder import TagSet
    from jsrunner.worker.vu import VU

#: Seconds for name look-up, TCP, TLS and the handshake together (k6: the same, not an option).
HANDSHAKE_TIMEOUT = 60.0


@dataclass(slots=True)
class Outcome:
    """What came of an attempt to connect: a connection, or Go's text of the failure."""

    #: Seconds since the epoch, and how long it took.
    started: float
    duration: float = 0.0
    answer: handshake.Answer | None = None
    connection: Connection | None = None
    failure: str = ""


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
    outcome = Outcome(time.time())
    clock = time.perf_counter()
    try:
        with gevent.Timeout(HANDSHAKE_TIMEOUT, DialError("i/o timeout")):
            _dial(vu, outcome, address, headers, cookies, compression, protocols)
    except DialError as error:
        outcome.failure = str(error)
    outcome.duration = time.perf_counter() - clock
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
        answer = handshake.read_answer(sock, key)
        if set_cookies := answer.headers.get("Set-Cookie"):
            cookies.store(target, set_cookies, time.time())
        outcome.answer = answer
        if not answer.upgraded:
            vu.bytes_sent += len(request)
            vu.bytes_received += answer.size
            sock.close()
            return
        deflate = negotiate(answer.headers.get("Sec-Websocket-Extensions", ()))
        connection = Connection(
            sock, rest=answer.rest, deflate=deflate, strict=process.strict_websocket
        )
        connection.bytes_sent, connection.bytes_received = len(request), answer.size
        outcome.connection = connection
    except OSError as error:
        sock.close()
        raise failures.dial_error(error, ends) from None
    except BaseException:
        sock.close()
        raise


def add_system_tags(tags: dict[str, str], process: Process, address: str, outcome: Outcome) -> None:
    """Add `url`, `status`, `subproto` and `ip` to a session's tags, as far as they are wanted."""
    system, answer = process.system_tags, outcome.answer
    if "url" in system:
        tags["url"] = address
    if answer is not None:
        if "status" in system:
            tags["status"] = str(answer.status)
        if "subproto" in system:
            tags["subproto"] = answer.joined.get("Sec-Websocket-Protocol", "")
    if "ip" in system and outcome.connection is not None:
        tags["ip"] = outcome.connection.peer[0]


def record_attempt(
    process: Process, tags: TagSet, outcome: Outcome, metadata: dict[str, str] | None
) -> None:
    """ws_sessions and ws_connecting, which failed attempts have too."""
    recorder, started = process.recorder, outcome.started
    recorder.series(BUILTIN["ws_sessions"], tags).add(1, started, metadata)
    recorder.series(BUILTIN["ws_connecting"], tags).add(outcome.duration * 1000, started, metadata)
    if outcome.connection is None:
        process.failed_handshakes += 1
        if not process.handshake_failure:
            status = f" (status {outcome.answer.status})" if outcome.answer else ""
            process.handshake_failure = outcome.failure + status
    else:
        process.sessions_open += 1


def text_of(payload: bytes) -> str:
    """A text message; each byte of it that is no UTF-8 becomes U+FFFD, as in Go."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("utf-8", "go")
