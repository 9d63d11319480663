"""Python half of `k6/ws`: connections, their timers and their metrics.

The hot path is `_exchange_hot`: one short message out, the VU parked until something comes, what
came back as JSON. Measured on an echo of 64 bytes with 50 VUs: see bench/.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import gevent
import orjson

from jsrunner.engine.interpreter import HostError, mend
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules.base import HostModule, operation
from jsrunner.transport import handshake, url
from jsrunner.transport.deflate import OFFER, negotiate
from jsrunner.transport.errors import DialError
from jsrunner.transport.websocket import Connection

if TYPE_CHECKING:
    from jsrunner.worker.recorder import TagSet
    from jsrunner.worker.vu import VU

#: Seconds for name look-up, TCP, TLS and the handshake together (k6: the same, not an option).
HANDSHAKE_TIMEOUT = 60.0

#: So many short texts that came together cross as one string.
_BURST = 4

_dumps = orjson.dumps


class Session:
    """A connection with what is measured of it."""

    __slots__ = ("connection", "counted", "pings", "received", "sent", "started", "tags", "timers")

    def __init__(self, connection: Connection, tags: TagSet, started: float) -> None:
        self.connection = connection
        self.tags = tags
        self.started = started
        self.sent = self.received = 0
        self.counted = [0, 0]  # how many of these are in the metrics already
        self.pings: dict[bytes, float] = {}
        self.timers: dict[int, Any] = {}


class Ws(HostModule):
    specifier = "k6/ws"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        self._sessions: dict[int, Session] = {}
        self._last = 0
        self._current: list[Session] = []  # innermost last
        self._session: Session = None  # type: ignore[assignment]  # the innermost
        vu.interpreter.hot = self._exchange_hot
        self._each_sample = bool(vu.process.recorder.outputs)
        self._strict = os.environ.get("JSRUNNER_STRICT_WEBSOCKET") == "true"

    # -- connecting --------------------------------------------------------------------------------

    @operation
    def connect(
        self,
        address: str,
        headers: dict[str, str],
        tags: dict[str, str],
        jar: int | None,
        compression: bool,
    ) -> dict[str, Any]:
        """Dial and shake hands: {connection: handle or 0, response: what connect will return}."""
        vu = self.vu
        process = vu.process
        started = time.time()
        clock = time.perf_counter()
        answer: handshake.Answer | None = None
        connection: Connection | None = None
        failure = ""
        try:
            with gevent.Timeout(HANDSHAKE_TIMEOUT, DialError("i/o timeout")):
                answer, connection = self._dial(address, headers, jar, compression)
        except DialError as error:
            failure = str(error)
        except OSError as error:
            failure = f"read: {os.strerror(error.errno) if error.errno else error}".lower()
        duration = time.perf_counter() - clock
        if answer is not None and not answer.upgraded:
            failure = "websocket: bad handshake"

        tag_set = self._tags(tags, address, answer, connection)
        recorder, metadata = process.recorder, vu.metadata
        recorder.series(BUILTIN["ws_sessions"], tag_set).add(1, started, metadata)
        recorder.series(BUILTIN["ws_connecting"], tag_set).add(duration * 1000, started, metadata)
        if connection is None:
            process.failed_handshakes += 1
            recorder.series(BUILTIN["ws_session_duration"], tag_set).add(
                (time.time() - started) * 1000, started, metadata
            )
            if process.options.throw:
                raise HostError(failure)
            return {"connection": 0, "response": _response(answer, failure)}
        assert answer is not None
        process.sessions_open += 1
        self._last += 1
        session = self._sessions[self._last] = Session(connection, tag_set, started)
        self._current.append(session)
        self._session = session
        return {"connection": self._last, "response": _response(answer, "", address)}

    def _dial(
        self, address: str, headers: dict[str, str], jar: int | None, compression: bool
    ) -> tuple[handshake.Answer, Connection | None]:
        vu = self.vu
        process = vu.process
        target = url.parse(address)
        cookies = vu.cookie_jar(jar)  # an empty one costs nothing
        lines = {"User-Agent": process.user_agent, **headers}
        request, key = handshake.request(
            target,
            lines,
            cookies=cookies.header(target, time.time()) if cookies else "",
            extensions=OFFER if compression else "",
        )
        assert process.dialer is not None
        sock = process.dialer.dial(
            target.host, target.port, tls=target.secure, alpn=("http/1.1",), local_index=vu.id
        )
        try:
            sock.sendall(request)
            answer = handshake.read_answer(sock, key)
            if set_cookies := answer.headers.get("Set-Cookie"):
                cookies.store(target, set_cookies, time.time())
            if not answer.upgraded:
                vu.bytes_sent += len(request)
                vu.bytes_received += answer.size
                sock.close()
                return answer, None
            deflate = None
            if extensions := answer.joined.get("Sec-Websocket-Extensions", ""):
                deflate = negotiate(extensions) if compression else None
            connection = Connection(sock, rest=answer.rest, deflate=deflate, strict=self._strict)
            connection.bytes_sent, connection.bytes_received = len(request), answer.size
            return answer, connection
        except BaseException:
            sock.close()
            raise

    def _tags(
        self,
        tags: dict[str, str],
        address: str,
        answer: handshake.Answer | None,
        connection: Connection | None,
    ) -> TagSet:
        system = self.vu.process.system_tags
        merged = {**self.vu.tags.tags, **tags}
        if "url" in system:
            merged["url"] = address
        if answer is not None:
            if "status" in system:
                merged["status"] = str(answer.status)
            if "subproto" in system:
                merged["subproto"] = answer.joined.get("Sec-Websocket-Protocol", "")
        if "ip" in system and connection is not None:
            merged["ip"] = connection.peer[0]
        return self.vu.process.recorder.tag_set(merged)

    # -- the loop ----------------------------------------------------------------------------------

    def _exchange_hot(self, name: bytes) -> bytes:
        """Send one text message (\x01 and its text) or none (\x02), then wait for events, as JSON."""
        session = self._session
        connection = session.connection
        if name[0] == 1:
            session.sent += 1
            payload = name[1:]
            if b"\xed" in payload:  # perhaps half of a surrogate pair, which UTF-8 cannot say
                payload = mend(payload)
            failure = connection.write_text(payload)
            if failure:
                connection.events.insert(0, ("error", failure, {}))
        if self._each_sample:
            self._count(session)
        away = bool(connection.events)
        events = connection.wait()
        if len(events) == 1 and type(events[0]) is bytes:
            session.received += 1
            return _dumps(_text(events[0]))
        return self._deliver(session, _timers_first(events) if away else events)

    @operation
    def exchange(self, texts: list[str]) -> Any:
        """Send text messages, then wait for events."""
        session = self._session
        self._send_texts(session, texts)
        if self._each_sample:
            self._count(session)
        away = bool(session.connection.events)
        events = session.connection.wait()
        return orjson.Fragment(self._deliver(session, _timers_first(events) if away else events))

    @operation
    def poll(self, handle: int) -> Any:
        """Events that have come meanwhile, without waiting."""
        session = self._sessions[handle]
        if not session.connection.events:
            return []
        return orjson.Fragment(self._deliver(session, session.connection.wait()))

    def _deliver(self, session: Session, events: list[Any]) -> bytes:
        """Events as ws.js takes them; what a ping needs is answered on the way."""
        interpreter = self.vu.interpreter
        if len(events) >= _BURST and interpreter.native:
            # One string and the lengths of its parts: QuickJS reads JSON character by character.
            try:
                joined = b"".join(events)
            except TypeError:  # not only short texts
                pass
            else:
                if joined.isascii():
                    session.received += len(events)
                    return _dumps([interpreter.put_text(joined), *map(len, events)])
        received = 0
        for position, event in enumerate(events):
            if type(event) is bytes:
                received += 1
                events[position] = _text(event)
                continue
            kind = event[0]
            if kind == "text":
                received += 1
                events[position] = (kind, interpreter.put_text(event[1]))
            elif kind == "binary":
                received += 1
                events[position] = (kind, interpreter.put_buffer(event[1]))
            elif kind == "ping":
                events[position] = (kind, session.connection.write_pong(event[1]))
            elif kind == "pong":
                self._pong(session, event[1])
                events[position] = (kind, None)
        session.received += received
        return _dumps(events)

    def _pong(self, session: Session, payload: bytes) -> None:
        sent = session.pings.get(payload)
        if sent is not None:
            now = time.time()
            series = self.vu.process.recorder.series(BUILTIN["ws_ping"], session.tags)
            series.add((now - sent) * 1000, now, self.vu.metadata)

    def _send_texts(self, session: Session, texts: list[str]) -> None:
        for text in texts:
            session.sent += 1
            failure = session.connection.write_text(text.encode())
            if failure:
                session.connection.events.append(("error", failure, {}))

    @operation
    def send_all(self, handle: int, texts: list[str]) -> None:
        self._send_texts(self._sessions[handle], texts)

    @operation
    def send(self, handle: int, kind: str, packed: int | str) -> str | None:
        """Send one message now; Go's error text or None."""
        session = self._sessions[handle]
        session.sent += 1
        interpreter = self.vu.interpreter
        if kind == "text":
            payload = interpreter.text(packed)
            return session.connection.write_text(mend(payload) if b"\xed" in payload else payload)
        return interpreter.use_buffer(packed, session.connection.write_data)

    @operation
    def count_sent(self, handle: int) -> None:
        """A message that was not sent because the connection is closed counts as sent in k6."""
        session = self._sessions.get(handle)
        if session is not None:
            session.sent += 1

    @operation
    def ping(self, handle: int) -> str | None:
        session = self._sessions[handle]
        payload = str(len(session.pings)).encode()
        failure = session.connection.write_ping(payload)
        if failure is None:
            session.pings[payload] = time.time()
        return failure

    @operation
    def start_timer(self, handle: int, number: int, milliseconds: float, repeats: bool) -> None:
        session = self._sessions[handle]
        seconds = milliseconds / 1000
        timer = gevent.get_hub().loop.timer(seconds, seconds if repeats else 0)
        session.timers[number] = timer
        timer.start(self._tick, session.connection, ("timer", number), update=True)

    @staticmethod
    def _tick(connection: Connection, event: tuple[str, int]) -> None:
        if event not in connection.events:  # an interval's missed ticks become one
            connection.post(event)

    # -- the end -----------------------------------------------------------------------------------

    @operation
    def close(self, handle: int, code: int, undelivered: int) -> str | None:
        """Send the close frame and end the connection; the answer is not awaited."""
        session = self._sessions[handle]
        session.received -= undelivered
        failure = session.connection.write_close(code)
        self._shut(session)
        return failure

    def _shut(self, session: Session) -> None:
        connection = session.connection
        if connection.connected:
            for timer in session.timers.values():
                timer.stop()
                timer.close()
            session.timers.clear()
            sent, received = connection.wire_bytes()
            self.vu.bytes_sent += sent
            self.vu.bytes_received += received
            connection.shut()
            self.vu.process.sessions_open -= 1

    @operation
    def finish(self, handle: int) -> None:
        """connect returns or throws."""
        session = self._sessions.pop(handle)
        self._shut(session)
        self._current.remove(session)
        if self._current:
            self._session = self._current[-1]
        self._count(session)
        series = self.vu.process.recorder.series(BUILTIN["ws_session_duration"], session.tags)
        duration = (time.time() - session.started) * 1000
        series.add(duration, session.started, self.vu.metadata)

    def _count(self, session: Session) -> None:
        """Put what was sent and received since the last time into the metrics."""
        now, recorder, metadata = time.time(), self.vu.process.recorder, self.vu.metadata
        counted = session.counted
        for position, (name, count) in enumerate(
            (("ws_msgs_sent", session.sent), ("ws_msgs_received", session.received))
        ):
            if count != counted[position]:
                series = recorder.series(BUILTIN[name], session.tags)
                series.add_many(count - counted[position], now, metadata)
                counted[position] = count

    def report(self) -> None:
        """Bring the metrics of open connections up to date (once a second)."""
        for session in self._sessions.values():
            self._count(session)

    def interrupted(self) -> None:
        """The VU was stopped: tell the peers (1001, as k6), measure no more than bytes."""
        for session in self._sessions.values():
            self._count(session)
            if session.connection.connected:
                session.connection.write_close(1001)
                self._shut(session)
        self._sessions.clear()
        self._current.clear()


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("utf-8", "go")


def _timers_first(events: list[Any]) -> list[Any]:
    """What gathered while the VU was busy: timers are not bound to the order of the stream."""
    return sorted(events, key=lambda one: one[:1] != ("timer",))


def _response(answer: handshake.Answer | None, error: str, address: str = "") -> dict[str, Any]:
    """What ws.connect returns (k6: five fields; `error` is empty whenever the server has answered)."""
    if answer is None:
        return {"url": "", "status": 0, "headers": {}, "body": "", "error": error}
    body = "" if answer.upgraded else answer.body.decode("utf-8", "go")
    return {
        "url": address,
        "status": answer.status,
        "headers": answer.joined,
        "body": body,
        "error": "",
    }
