"""Progress as a block of lines each second: for pipes, files and terminals that are dumb."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TextIO

from jsrunner.ui.output import write

if TYPE_CHECKING:
    from jsrunner.coordinator.view import RunView
    from jsrunner.ui.watcher import Watcher

#: Seconds between two blocks.
_EVERY: Final = 1.0


class PlainDisplay:
    """Writes a block of lines each second, and a last block (see `coordinator.display`).

    The modules that make the lines are imported when a run has begun: its start does not wait for them.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._watcher: Watcher | None = None
        self._due = 0.0

    def start(self, view: RunView) -> None:
        """Print the description of the run."""
        from jsrunner.ui.description import describe_run
        from jsrunner.ui.watcher import Watcher

        write(self._stream, describe_run(view, color=False))
        self._watcher = Watcher(view)
        self._due = time.monotonic() + _EVERY

    def update(self) -> None:
        """Print the progress if it is due."""
        if self._watcher is None:
            return
        from jsrunner.ui.lines import block

        state, now = self._watcher.state(), time.monotonic()
        if now >= self._due:
            self._due = max(self._due + _EVERY, now)
            write(self._stream, block(state))

    def stop(self) -> None:
        """Print the last state."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            write_last(self._stream, watcher)


def write_last(stream: TextIO, watcher: Watcher) -> None:
    """Write the last block, unless the run has ended before its VUs were made."""
    from jsrunner.ui.lines import block

    state = watcher.state()
    if state.phase != "init":
        write(stream, block(state))
