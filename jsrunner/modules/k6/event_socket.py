"""A WebSocket of `k6/websockets`: it lives beside the script, which hears of it by events.

It is dialled by a greenlet of its own. From then on a watcher of the hub reads it: pings, pongs and
close frames are answered at once, whatever the VU does, messages wait in the VU's event loop. What
the peer does not take waits here, and the VU goes on.

Where k6 waits for ever this does not: a server that does not answer a close frame is given
CLOSE_TIMEOUT, then the connection is closed and the script sees the code 1006; so it goes with a
socket that was closed before its handshake has ended.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import gevent

from jsrunner.engine.interpreter import mend
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules.k6 import ws_session
from jsrunner.transport.errors import DialError
from jsrunner.transport.websocket import HIGH_WATER_EVENTS, Connection, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.transport.cookies import CookieJar
    from jsrunner.worker.recorder import TagSet
    from jsrunner.worker.vu import VU

#: Seconds that a server has to answer the script's close(), or to end a handshake after it.
CLOSE_TIMEOUT: Final = 10.0

_NO_ANSWER: Final = "the server did not answer the close frame in time"
_NO_HANDSHAKE: Final = "closed before the connection was established"


class EventSocket:
    """What a script's WebSocket is on this side. It posts to the VU's event loop:

    - a str: a text message; ("text" or "binary", handle): one that crosses beside the JSON
    - ("open", protocol, extensions), ("ping",), ("pong",)
    - ("close", error, code, reason, response) as its last; the first two and the last may be None
    """

    def __init__(
        self, vu: VU, address: str, tags: dict[str, str], forget: Callable[[EventSocket], None]
    ) -> None:
        self.handle = vu.loop.new_handle()
        self._vu = vu
        self._address = address
        self._forget = forget
        # The tags of its samples are those of the moment when it was made.
        self._tag_values = {**vu.tags.tags, **tags}
        self._tags: TagSet = vu.tags
        self._metadata = vu.metadata
        self._started = 0.0
        self._connection: Connection | None = None
        self._dialling: Any = None
        #: close(code, reason) of the script before there was a connection.
        self._wanted: tuple[int, str] | None = None
        #: A close frame was sent, and nothing may follow it.
        self._closing = False
        self._close_timer: Any = None
        #: Known by a write that has failed; for reading it looks like an end.
        self._was_reset = False
        self._ended = False
        #: What the peer does not take yet: frames or the rest of them, how many messages, their bytes.
        self._unsent: deque[tuple[bytes | memoryview, int, int]] = deque()
        self._writing: Any = None
        #: How many events wait in the VU's loop.
        self._undelivered = 0
        #: Reading is paused because there are too many of them.
        self._held = False
        self._pings: dict[bytes, float] = {}
        self._each_sample = bool(vu.process.recorder.outputs)
        self._sent = self._received = 0
        self._counted = [0, 0]  # how many of these are in the metrics already
        #: With outputs: (when, how many) messages that JavaScript has but may still drop.
        self._arrivals: list[tuple[float, int]] = []

    # -- connecting --------------------------------------------------------------------------------

    def dial(
        self, headers: Mapping[str, str], cookies: CookieJar, *, compression: bool, protocols: str
    ) -> None:
        """Begin to connect, in the background."""
        self._dialling = gevent.spawn(self._dial, headers, cookies, compression, protocols)

    def _dial(
        self, headers: Mapping[str, str], cookies: CookieJar, compression: bool, protocols: str
    ) -> None:
        vu = self._vu
        try:
            outcome = ws_session.connect(
                vu,
                self._address,
                headers,
                cookies=cookies,
                compression=compression,
                protocols=protocols,
            )
        except Exception as error:  # a fault of ours: the run reports it, the script must not wait
            vu.interpreter.fault = error
            outcome = ws_session.Outcome(time.time(), failure=f"jsrunner: {error}")
        self._dialling = None
        if self._ended:  # given up meanwhile
            if outcome.connection is not None:
                outcome.connection.shut()
            return
        self._started = outcome.started
        # The tag `url` is the address, or the tag `name` that the script has set, for this or its VU.
        name = self._tag_values.get("name", self._address)
        if "name" in vu.process.system_tags:
            self._tag_values["name"] = name
        ws_session.add_system_tags(self._tag_values, vu.process, name, outcome)
        self._tags = vu.process.recorder.tag_set(self._tag_values)
        ws_session.record_attempt(vu.process, self._tags, outcome, self._metadata)
        answer, connection = outcome.answer, outcome.connection
        if connection is None:
            response = None
            if answer is not None:
                body = answer.body.decode("utf-8", "go")
                response = {"status": answer.status, "headers": answer.joined, "body": body}
            self._undelivered = 1
            vu.loop.post_aside(self, [("close", outcome.failure, None, "", response)])
            self._release()
            return
        assert answer is not None
        self._connection = connection
        connection.on_events = self._arrived
        protocol = answer.joined.get("Sec-Websocket-Protocol", "")
        extensions = answer.headers.get("Sec-Websocket-Extensions", [])
        self._undelivered = 1
        vu.loop.post_aside(self, [("open", protocol, extensions)])
        gevent.get_hub().loop.run_callback(self._connected)

    def _connected(self) -> None:
        """What waits for the connection. In the hub, like all that follows."""
        connection = self._connection
        if connection is None or self._ended:
            return
        if self._wanted is not None:
            self.send(self._close_frame(*self._wanted), 1, 0)
        if connection.events:
            self._arrived()

    # -- receiving ---------------------------------------------------------------------------------

    def _post(self, event: tuple[object, ...]) -> None:
        self._undelivered += 1
        self._vu.loop.post_events(self, [event])

    def _arrived(self) -> None:
        """The connection has events. Called in the hub or by the VU itself."""
        connection = self._connection
        assert connection is not None
        events, connection.events = connection.events, []
        if self._closing or len(events) != 1 or type(events[0]) is not bytes:
            events = self._sort_out(events)
            if not events:
                return
        self._undelivered += len(events)
        if self._undelivered > HIGH_WATER_EVENTS:
            self._held = True
            connection.pause()
        self._vu.loop.post_events(self, events)

    def _sort_out(self, events: list[Any]) -> list[Any]:
        """What of the connection's events the script is told; the others are dealt with."""
        told: list[Any] = []
        failure: str | None = None
        for event in events:
            if self._ended:
                break
            if type(event) is bytes or event[0] in ("text", "binary"):
                if not self._closing:
                    told.append(event)
            elif event[0] == "ping":
                self._reply(frame(0x8A, event[1]))
                told.append(("ping",))
            elif event[0] == "pong":
                self._pong(event[1])
                told.append(("pong",))
            elif event[0] == "error":
                failure = event[1]
            else:
                told.append(self._closed(failure, event[1], event[2]))
        return told

    def _closed(self, failure: str | None, code: int, reason: str | None) -> tuple[object, ...]:
        """The connection is over: by the peer's close frame, by its end, or by a violation."""
        if code == 1006 and self._was_reset:
            failure = reason = None
        if reason is not None and code != 1006 and not self._closing:
            self._reply(self._close_frame(code, ""))
        self._end()
        return ("close", failure, code if reason is not None else None, reason or "", None)

    def _pong(self, payload: bytes) -> None:
        sent = self._pings.get(payload)
        if sent is None:
            text = payload.decode("utf-8", "replace")
            self._vu.log("warning", f"received pong for unknown ping ID {text}")
            return
        now = time.time()
        series = self._vu.process.recorder.series(BUILTIN["ws_ping"], self._tags)
        series.add((now - sent) * 1000, now, self._metadata)

    def deliver(self, at: float, events: list[Any]) -> list[object]:
        """Events as JavaScript takes them (see worker.loop.Source)."""
        self._undelivered -= len(events)
        if len(events) == 1 and type(events[0]) is bytes and not (self._held or self._each_sample):
            self._received += 1
            return [ws_session.text_of(events[0])]
        connection = self._connection
        if connection is not None and self._undelivered < HIGH_WATER_EVENTS:
            self._held = False
            connection.resume()
        interpreter = self._vu.interpreter
        payloads: list[object] = []
        count = 0
        for event in events:
            if type(event) is bytes:
                count += 1
                payloads.append(ws_session.text_of(event))
            elif event[0] == "text":
                count += 1
                payloads.append(("text", interpreter.put_text(event[1])))
            elif event[0] == "binary":
                count += 1
                payloads.append(("binary", interpreter.put_buffer(event[1])))
            else:
                payloads.append(event)
                if event[0] == "close":
                    self._vu.loop.settle_later(self)
        self._received += count
        if count and self._each_sample:
            self._arrivals.append((at / 1000, count))
            self._vu.loop.settle_later(self)
        return payloads

    def undelivered(self, count: int) -> None:
        """JavaScript has dropped so many of the last messages: they do not count."""
        self._received -= count
        while count and self._arrivals:
            at, messages = self._arrivals.pop()
            if messages > count:
                self._arrivals.append((at, messages - count))
            count -= min(count, messages)

    def settle(self) -> None:
        """JavaScript has dispatched all that was delivered."""
        self._count_arrivals()
        if self._ended and not self._undelivered:
            self.count()
            self._forget(self)

    def _count_arrivals(self) -> None:
        if not self._arrivals:
            return
        series = self._vu.process.recorder.series(BUILTIN["ws_msgs_received"], self._tags)
        for at, count in self._arrivals:
            series.add_many(count, at, self._metadata)
        self._arrivals.clear()

    # -- sending -----------------------------------------------------------------------------------

    def send_text(self, payload: bytes) -> None:
        """Send one text message, if messages can be sent. The hot path."""
        if self._connection is not None and not self._closing and not self._ended:
            try:
                self._send(self.text_frame(payload), 1, len(payload))
            except OSError:
                self._write_failed()

    def text_frame(self, payload: bytes) -> bytes:
        if b"\xed" in payload:  # perhaps half of a surrogate pair, which UTF-8 cannot say
            payload = mend(payload)
        return self._connection.message_frame(0x81, payload)  # type: ignore[union-attr]

    def data_frame(self, payload: bytes | memoryview) -> bytes:
        return self._connection.message_frame(0x82, payload)  # type: ignore[union-attr]

    def ping_frame(self) -> bytes:
        payload = str(len(self._pings)).encode()
        self._pings[payload] = time.time()
        return frame(0x89, payload)

    def _close_frame(self, code: int, reason: str) -> bytes:
        """The frame after which nothing is sent; an empty one for 1005."""
        self._closing = True
        payload = b"" if code == 1005 else code.to_bytes(2, "big") + reason.encode()
        return frame(0x88, payload)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._connection is not None and not self._closing and not self._ended

    def close(self, code: int, reason: str) -> bytes:
        """The script closes the socket: the frame to be sent, empty if there is no connection yet."""
        if self._ended or self._closing:
            return b""
        self._close_timer = gevent.get_hub().loop.timer(CLOSE_TIMEOUT)
        self._close_timer.start(self._close_times_out, update=True)
        if self._connection is None:
            self._wanted = (code, reason)
            return b""
        return self._close_frame(code, reason)

    def _close_times_out(self) -> None:
        if self._dialling is not None:
            self._dialling.kill(DialError(_NO_HANDSHAKE), block=False)
        elif not self._ended:
            self._end()
            self._post(("close", _NO_ANSWER, 1006, _NO_ANSWER, None))

    def send(self, frames: bytes, messages: int, size: int) -> None:
        """Send frames of so many messages (pings and close frames count too) and payload bytes."""
        if not self._ended:
            try:
                self._send(frames, messages, size)
            except OSError:
                self._write_failed()

    def _reply(self, data: bytes) -> None:
        """Send what the protocol wants. If that fails, reading will tell why."""
        with contextlib.suppress(OSError):
            self._send(data, 0, 0)

    def _send(self, data: bytes, messages: int, size: int) -> None:
        connection = self._connection
        assert connection is not None
        connection.bytes_sent += len(data)
        sent = 0
        if not self._unsent:
            sent = connection.send_some(data)
            if sent == len(data):
                self._sent += messages
                if self._each_sample:
                    self.count()
                return
        self._unsent.append((memoryview(data)[sent:] if sent else data, messages, size))
        if self._writing is None:
            self._writing = gevent.get_hub().loop.io(connection.stream.fileno(), 2)
            self._writing.start(self._on_writable)

    def _on_writable(self) -> None:
        connection, unsent = self._connection, self._unsent
        assert connection is not None
        while unsent:
            data, messages, size = unsent[0]
            try:
                sent = connection.send_some(data)
            except OSError:
                self._write_failed()
                return
            if sent < len(data):
                if sent:
                    unsent[0] = (memoryview(data)[sent:], messages, size)
                return
            unsent.popleft()
            self._sent += messages
        self._stop_writing()
        if self._each_sample:
            self.count()

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.stop()
            self._writing.close()
            self._writing = None
        self._unsent.clear()

    def _write_failed(self) -> None:
        """The peer has reset the connection. It may have said why: what has come is read first."""
        connection = self._connection
        assert connection is not None
        self._stop_writing()
        self._closing = self._was_reset = True
        connection.read_now()
        if not self._ended:
            self._end()
            self._post(("close", None, None, "", None))

    @property
    def buffered(self) -> int:
        """Payload bytes that the peer has not taken yet."""
        return sum(size for _, _, size in self._unsent)

    # -- the end -----------------------------------------------------------------------------------

    def _end(self) -> None:
        """The connection is over; the session is measured."""
        if self._ended:
            return
        now = time.time()
        series = self._vu.process.recorder.series(BUILTIN["ws_session_duration"], self._tags)
        series.add((now - self._started) * 1000, now, self._metadata)
        self._release()

    def abort(self) -> None:
        """Close the TCP connection at once, without a word."""
        if self._connection is not None:
            self._end()

    def give_up(self) -> None:
        """The iteration is over before its time: say good-bye and measure nothing."""
        if self._dialling is not None:
            self._dialling.kill(block=False)
            self._dialling = None
        connection = self._connection
        if connection is not None and not self._ended:
            connection.on_events = None
            if not self._closing and not self._unsent:
                connection.read_now()  # what was not read would make a reset of the end
                self._reply(self._close_frame(1000, ""))
        self._count_arrivals()
        self.count()
        self._release()

    def _release(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._close_timer is not None:
            self._close_timer.stop()
            self._close_timer.close()
        self._stop_writing()
        connection = self._connection
        if connection is not None:
            sent, received = connection.wire_bytes()
            self._vu.bytes_sent += sent
            self._vu.bytes_received += received
            connection.shut()
            self._vu.process.sessions_open -= 1

    # -- metrics -----------------------------------------------------------------------------------

    def count(self) -> None:
        """Put what was sent and received since the last time into the metrics."""
        now, recorder, counted = time.time(), self._vu.process.recorder, self._counted
        if self._sent != counted[0]:
            series = recorder.series(BUILTIN["ws_msgs_sent"], self._tags)
            series.add_many(self._sent - counted[0], now, self._metadata)
            counted[0] = self._sent
        if self._received != counted[1] and not self._each_sample:
            series = recorder.series(BUILTIN["ws_msgs_received"], self._tags)
            series.add_many(self._received - counted[1], now, self._metadata)
            counted[1] = self._received
