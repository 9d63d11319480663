"""The event loop of the coordinator's one thread: streams, timers, and calls from other threads.

The loop uses neither gevent nor asyncio: a coordinator waits for few things, and the import of either
costs each run more time than this file does.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

#: Maximum wait in seconds before the condition of `run_until` is checked again.
_LONGEST_WAIT: Final = 0.5


class HasFileno(Protocol):
    """An object with a file descriptor, such as a socket."""

    def fileno(self) -> int:
        """Return the file descriptor."""
        ...


class _Timer(Struct):
    seconds: float
    function: Callable[[], None]
    #: The next due time, by the loop's clock.
    due: float
    catches_up: bool


class _Wakeup:
    """A socket pair whose reader is readable after a call of `wake`."""

    def __init__(self) -> None:
        self._reader, self.writer = socket.socketpair()
        self._reader.setblocking(False)
        self.writer.setblocking(False)

    def fileno(self) -> int:
        return self._reader.fileno()

    def clear(self) -> None:
        self._reader.recv(64)

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes anyway; closed: the run is over
            self.writer.send(b"\0")

    def close(self) -> None:
        self._reader.close()
        self.writer.close()


class Loop:
    """Calls handlers in the thread that calls `run_until`; made and closed by the run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make a loop whose timers go by `clock`, in seconds."""
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._wakeup = _Wakeup()
        self._timers: list[_Timer] = []
        self._calls: deque[Callable[[], None]] = deque()
        self.watch(self._wakeup, self._wakeup.clear)

    def watch(self, source: HasFileno, handle: Callable[[], None]) -> None:
        """Call `handle` whenever `source` is readable.

        Args:
            source: An object with `fileno()`, such as a socket.
            handle: Reads all available data, or calls `unwatch`; must not block.
        """
        self._selector.register(source, selectors.EVENT_READ, handle)

    def unwatch(self, source: HasFileno) -> None:
        """Stop watching `source`."""
        self._selector.unregister(source)

    def every(
        self, seconds: float, function: Callable[[], None], *, at_once: bool = False, catches_up: bool
    ) -> None:
        """Call a function periodically.

        Args:
            seconds: The time between two calls.
            function: Called without arguments; must not block.
            at_once: True if the first call is due now, False if it is due after `seconds`.
            catches_up: True to make up for calls that a busy loop has missed, one call per turn.
        """
        due = self._clock() + (0.0 if at_once else seconds)
        self._timers.append(_Timer(seconds, function, due, catches_up))

    def call_soon(self, function: Callable[[], None]) -> None:
        """Schedule a call in the loop's thread. Threads and signal handlers may call this method."""
        self._calls.append(function)
        self._wakeup.wake()

    def make_calls(self) -> None:
        """Make the calls that `call_soon` has scheduled so far; not those that these calls schedule."""
        for _ in range(len(self._calls)):
            if not self._calls:  # a call has run the loop itself
                return
            self._calls.popleft()()

    def run_until(self, is_over: Callable[[], bool]) -> None:
        """Call handlers until `is_over()`, which is called after each turn, is true. Reentrant."""
        while not is_over():
            now = self._clock()
            due = min((timer.due for timer in self._timers), default=now + _LONGEST_WAIT)
            for key, _ in self._selector.select(min(max(due - now, 0.0), _LONGEST_WAIT)):
                key.data()
            self.make_calls()
            self._run_timers(self._clock())

    def _run_timers(self, now: float) -> None:
        for timer in list(self._timers):
            if now >= timer.due:
                timer.due = (timer.due if timer.catches_up else now) + timer.seconds
                timer.function()

    def wakeup_fd(self) -> int:
        """Return the descriptor for signal.set_wakeup_fd, through which signals wake the loop."""
        return self._wakeup.writer.fileno()

    def close(self) -> None:
        """Forget all sources and timers. Later calls of `call_soon` have no effect."""
        self._selector.close()
        self._wakeup.close()
