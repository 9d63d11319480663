"""Handling of SIGINT and SIGTERM during a run.

The first signal stops the run: teardown and summary still follow. The second signal ends the process.
"""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.loop import Loop

#: The signals, with the names that k6 has for them.
_NAMES: Final = {signal.SIGINT: "interrupt", signal.SIGTERM: "terminated"}


class Signals:
    """The signal handlers of one run. Their methods run in the main thread, which is the loop's."""

    def __init__(self, loop: Loop, *, stop: Callable[[str], None], quit: Callable[[], None]) -> None:
        """Make handlers, which do nothing before `install`.

        Args:
            loop: The run's loop, which signals wake.
            stop: Called by the loop with the name of the first signal.
            quit: Called by the handler of the second signal, which may interrupt any code.
        """
        self._loop = loop
        self._stop = stop
        self._quit = quit
        self._is_lingering = False
        self._earlier_wakeup: int | None = None
        self._earlier_handlers: dict[int, object] = {}
        #: Number of received signals, without the signal that ends lingering.
        self.count = 0

    def install(self) -> None:
        """Handle signals from now on."""
        self._earlier_wakeup = signal.set_wakeup_fd(self._loop.wakeup_fd())
        self._earlier_handlers = {number: signal.signal(number, self._handle) for number in _NAMES}

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._earlier_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._earlier_wakeup is not None:
            signal.set_wakeup_fd(self._earlier_wakeup)

    def linger(self, wait: Callable[[Callable[[], bool]], None]) -> None:
        """Wait for a signal, by `wait(is_over)`. It does not stop the run."""
        self._is_lingering = True
        wait(lambda: not self._is_lingering)

    def _handle(self, number: int, _frame: object) -> None:
        """Note a signal, which may have interrupted any code, such as the writing of a log line."""
        if self._is_lingering:
            self._is_lingering = False
            return
        self.count += 1
        if self.count > 1:
            self._quit()
        self._loop.call_soon(partial(self._stop, _NAMES[signal.Signals(number)]))
