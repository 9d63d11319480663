"""The contract of a display, which shows a run while it goes on.

Life cycle: `start` once, when the workers are making VUs; then `update` some ten times a second; `stop`
when the test is over, before the summary is printed. `stop` may come without `start`, if the run fails
earlier, and may come twice. `update` is still called after `stop`, for a display that has data to send.

Threads: all methods are called in the coordinator's thread. `stop` is also called by a signal handler
that is about to end the process, and may then interrupt any other method.

Errors: none. A display that cannot be written shows nothing; it never ends a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jsrunner.coordinator.view import RunView


class Display(Protocol):
    """Shows a run; `ui.live`, `ui.plain` and `ui.quiet` have the implementations."""

    def start(self, view: RunView) -> None:
        """Begin to show a run, whose test is known."""
        ...

    def update(self) -> None:
        """Show the present state of the run, if an update is due."""
        ...

    def stop(self) -> None:
        """Show the end of the run, and release the screen."""
        ...
