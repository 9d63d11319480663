"""Python's half of a VU's event loop (see engine/loop.js): where events wait, and the VU for them.

Sockets and other background work post events, JavaScript takes them in batches: one crossing for all
that have gathered. Nothing of this runs JavaScript; it only wakes the VU's greenlet.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import gevent
import orjson
from gevent import getcurrent

from jsrunner.engine.interpreter import Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.worker.vu import VU

#: A VU that never waits gives the others their turn after so many seconds.
TIME_SLICE = 0.002
#: gevent looks at sockets and timers only in a real turn of its loop, which sleep(0) is not.
YIELD = 1e-6
#: So many moments with events cross at a time.
BATCH = 1024

#: What JavaScript is told when there are no events: whether rejections wait, or the alarm has rung.
_NOTHING, _REJECTIONS, _ALARM = b"0", b"1", b"2"

_dumps = orjson.dumps


class Source(Protocol):
    """What posts events that are to be made fit for JavaScript only when it takes them."""

    handle: int

    def deliver(self, at: float, events: list[Any]) -> Sequence[object]:
        """The events, which came at `at` (milliseconds of the VU's clock), as JSON-like payloads."""
        ...

    def settle(self) -> None:
        """What `settle_later` was called for: JavaScript is done with all that was delivered."""
        ...


class EventLoop:
    """One VU's. Handles are numbers of what lives on the Python side and posts events."""

    def __init__(self, vu: VU) -> None:
        self._vu = vu
        self._inbox: list[tuple[Source | int, float, list[Any]]] = []
        #: The VU's greenlet while it waits for events.
        self._waiting: Any = None
        self._unsettled: list[Source] = []
        self._last_handle = 0
        self._clock = 0.0
        self._alarm: Any = None
        self._rang = False
        self.slice_end = 0.0

    # -- posting -----------------------------------------------------------------------------------

    def new_handle(self) -> int:
        """A number, unique in this VU, for what lives on the Python side."""
        self._last_handle += 1
        return self._last_handle

    def now(self) -> float:
        """Milliseconds since the epoch, by the clock that JavaScript's loop goes by."""
        return time.monotonic() * 1000 + self._clock

    def post(self, handle: int, payload: object) -> None:
        """Give an event to who listens to `handle`; the payload is JSON-like. From any greenlet."""
        self.post_aside(handle, [payload])

    def post_aside(self, source: Source | int, events: list[Any]) -> None:
        """Give events to who listens to the source's handle. From any greenlet."""
        self._inbox.append((source, self.now(), events))
        if self._waiting is not None:
            gevent.get_hub().loop.run_callback(self._wake)

    def post_events(self, source: Source, events: list[Any]) -> None:
        """The same for the hub: the VU runs at once if it waits."""
        self._inbox.append((source, time.monotonic() * 1000 + self._clock, events))
        waiting = self._waiting
        if waiting is not None:
            self._waiting = None
            waiting.switch()

    def settle_later(self, source: Source) -> None:
        self._unsettled.append(source)

    def settle(self) -> None:
        """JavaScript has dispatched what it has taken."""
        if self._unsettled:
            unsettled, self._unsettled = self._unsettled, []
            for source in unsettled:
                source.settle()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.switch()

    # -- operations --------------------------------------------------------------------------------

    def set_clock(self, now: float) -> None:
        """A new interpreter tells its time."""
        self._clock = now - time.monotonic() * 1000
        self._inbox.clear()
        self._set_alarm(b"-")

    def take_turn(self) -> bytes:
        """Let others run; the events that have come, as JSON."""
        self.give_way()
        return self.take()

    def give_way(self) -> bool:
        """Let others run if it is their turn; whether it was. Raises Interrupted."""
        others = time.monotonic() >= self.slice_end and self._vu.process.hub_running
        if others:
            gevent.sleep(YIELD)
            self.slice_end = time.monotonic() + TIME_SLICE
        if self._vu.interrupted:
            raise Interrupted
        return others

    def wait(self, name: bytes) -> bytes:
        r"""Run promise jobs; if there were none, wait for events. They come as JSON.

        The name of the call is \x04 and when to come back at the latest, in milliseconds: none if
        that has not changed since the last call, `-` for never.
        """
        alarm = name[1:]
        if alarm == b"turn":
            return self.take_turn()
        if alarm:
            self._set_alarm(alarm)
        return self.pause() or self.take()

    def send_and_wait(self, sender: Source) -> bytes:
        """The same with the alarm as it is, for who has sent something first: the hot path of sockets.

        If all that comes is one text for the sender, the result is that text.
        """
        told = self.pause()
        if told is not None:
            return told
        source, at, events = self._inbox[0]
        if source is sender and len(self._inbox) == 1 and len(events) == 1:
            self._inbox = []
            payload = sender.deliver(at, events)[0]
            if type(payload) is str:
                return _dumps(payload)
            return _dumps([(sender.handle, at, payload)])
        return self.take()

    def pause(self) -> bytes | None:
        """Run promise jobs or wait: None if there are events, else what JavaScript is told."""
        if self._unsettled:
            self.settle()
        vu = self._vu
        native = vu.interpreter.native
        if native is not None and (native.rejections or native.job_pending()):
            return _REJECTIONS if vu.interpreter.run_jobs() == _REJECTIONS else _NOTHING
        if self._inbox:
            self.give_way()
            return None
        if not self._rang:
            if not vu.process.hub_running:  # the first init: timers only
                time.sleep(max(self._alarm - time.monotonic(), 0))
                return _ALARM
            self._waiting = getcurrent()
            try:
                gevent.get_hub().switch()
            finally:
                self._waiting = None
            if vu.interrupted:
                raise Interrupted
            if self._inbox:
                return None
        if self._rang:
            self._rang = False
            return _ALARM
        return _NOTHING

    def take(self) -> bytes:
        """Events as JSON: [handle, time, payload, ...] of each moment."""
        inbox = self._inbox
        if len(inbox) > BATCH:
            self._inbox = inbox[BATCH:]
            del inbox[BATCH:]
        else:
            self._inbox = []
        return _dumps(
            [
                (source, at, *events)
                if isinstance(source, int)
                else (source.handle, at, *source.deliver(at, events))
                for source, at, events in inbox
            ]
        )

    # -- the alarm ---------------------------------------------------------------------------------

    def _set_alarm(self, alarm: bytes) -> None:
        timer, self._alarm = self._alarm, None
        self._rang = False
        if not self._vu.process.hub_running:
            if alarm != b"-":
                self._alarm = time.monotonic() + float(alarm) / 1000
            return
        if timer is not None:
            timer.stop()
            timer.close()
        if alarm != b"-":
            self._alarm = timer = gevent.get_hub().loop.timer(max(float(alarm) / 1000, YIELD))
            timer.start(self._ring, update=True)

    def _ring(self) -> None:
        self._rang = True
        self._wake()
