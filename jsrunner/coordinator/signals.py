"""SIGINT and SIGTERM while a run goes on: they wake its loop."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


class Wakeup:
    """Wakes a selector: readable when a signal has come or `wake` was called."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._before: int | None = None
        self._handlers: dict[int, object] = {}

    def fileno(self) -> int:
        return self._reader.fileno()

    def clear(self) -> None:
        """The waker has been heard."""
        self._reader.recv(64)

    def wake(self) -> None:
        """Any thread may call it."""
        with contextlib.suppress(OSError):  # if there is no room it has enough to wake up for
            self._writer.send(b"\0")

    def catch(self, handle: Callable[[str], None]) -> None:
        """Have `handle("interrupt" or "terminated")` called for SIGINT and SIGTERM from now on.

        It is called in the signal's handler.
        """
        self._before = signal.set_wakeup_fd(self._writer.fileno())

        def told(number: int, _frame: object) -> None:
            handle("interrupt" if number == signal.SIGINT else "terminated")

        self._handlers = {number: signal.signal(number, told) for number in _NUMBERS}

    def close(self) -> None:
        """Put back what was there before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._before is not None:
            signal.set_wakeup_fd(self._before)
        self._reader.close()
        self._writer.close()
