"""Python half of `k6/ws`: connections, their timers and their metrics.

The hot path is `_exchange_hot`: one short message out, the VU parked until something comes, what
came back as JSON. Measured on an echo of 64 bytes with 50 VUs: see bench/.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import gevent
import orjson

from jsrunner.engine.interpreter import HostError, mend
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6 import ws_session

if TYPE_CHECKING:
    from jsrunner.transport import handshake
    from jsrunner.transport.websocket import Connection
    from jsrunner.worker.recorder import TagSet
    from jsrunner.worker.vu import VU

#: So many short texts that came together cross as one string.
_BURST = 4

_dumps = orjson.dumps


class Session:
    """A connection with what is measured of it."""

    __slots__ = (
        "connection", "counted", "metadata", "pings", "received", "sent", "started", "tags", "timers"
    )  # fmt: skip

    def __init__(
        self, connection: Connection, tags: TagSet, metadata: dict[str, str] | None, started: float
    ) -> None:
        self.connection = connection
        #: Those of its samples: the VU's when it began.
        self.tags = tags
        self.metadata = metadata
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
        vu.interpreter.hot[1] = vu.interpreter.hot[2] = self._exchange_hot
        self._each_sample = bool(vu.process.recorder.outputs)

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
        merged, metadata = {**vu.tags.tags, **tags}, vu.metadata
        outcome = ws_session.connect(
            vu, address, headers, cookies=vu.cookie_jar(jar), compression=compression
        )
        ws_session.add_system_tags(merged, vu.process, address, outcome)
        tag_set = vu.process.recorder.tag_set(merged)
        ws_session.record_attempt(vu.process, tag_set, outcome, metadata)
        answer, failure = outcome.answer, outcome.failure
        if outcome.connection is None:
            series = vu.process.recorder.series(BUILTIN["ws_session_duration"], tag_set)
            series.add((time.time() - outcome.started) * 1000, outcome.started, metadata)
            if vu.process.options.throw:
                raise HostError(failure)
            return {"connection": 0, "response": _response(answer, failure)}
        self._last += 1
        session = Session(outcome.connection, tag_set, metadata, outcome.started)
        self._sessions[self._last] = self._session = session
        self._current.append(session)
        return {"connection": self._last, "response": _response(answer, "", address)}

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
        return self._await_events(session)

    @operation
    def exchange(self, texts: list[str]) -> Any:
        """Send text messages, then wait for events."""
        session = self._session
        self._send_texts(session, texts)
        return orjson.Fragment(self._await_events(session))

    def _await_events(self, session: Session) -> bytes:
        """Wait for events, as JSON: a list, or one short text."""
        if self._each_sample:
            self._count(session)
        connection = session.connection
        away = bool(connection.events)
        events = connection.wait()
        if len(events) == 1 and type(events[0]) is bytes:
            session.received += 1
            return _dumps(ws_session.text_of(events[0]))
        return self._deliver(session, _timers_first(events) if away else events)

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
                events[position] = ws_session.text_of(event)
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
            series.add((now - sent) * 1000, now, session.metadata)

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
        self._record_duration(session)

    def _record_duration(self, session: Session) -> None:
        series = self.vu.process.recorder.series(BUILTIN["ws_session_duration"], session.tags)
        duration = (time.time() - session.started) * 1000
        series.add(duration, session.started, session.metadata)

    def _count(self, session: Session) -> None:
        """Put what was sent and received since the last time into the metrics."""
        now, recorder, metadata = time.time(), self.vu.process.recorder, session.metadata
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
        """The VU was stopped: tell the peers (1001, as k6).

        Only the VU that aborts the test measures how long its sessions were, as in k6.
        """
        for session in self._sessions.values():
            self._count(session)
            if self.vu.aborted is not None:
                self._record_duration(session)
            if session.connection.connected:
                session.connection.write_close(1001)
                self._shut(session)
        self._sessions.clear()
        self._current.clear()


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
