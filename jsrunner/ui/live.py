"""Progress on a terminal: frames ten times a second, log lines above them."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from jsrunner.ui.output import write
from jsrunner.ui.plain import write_last
from jsrunner.ui.region import Region

if TYPE_CHECKING:
    from rich.text import Text

    from jsrunner.coordinator.view import RunView
    from jsrunner.ui.log import Logger
    from jsrunner.ui.region import Line
    from jsrunner.ui.watcher import Watcher

#: Seconds before the first frame. A shorter run shows none, and never imports rich.
_FIRST_FRAME: Final = 0.3


class LiveDisplay:
    """Draws a region at the end of a terminal (see `coordinator.display`).

    The modules that make its lines are imported when a run has begun, and rich with the first frame.
    """

    def __init__(self, stream: TextIO, logger: Logger, *, color: bool) -> None:
        self._stream = stream
        self._logger = logger
        self._color = color
        self._region = Region(stream)
        self._watcher: Watcher | None = None
        self._due = 0.0
        self._painter: Any = None
        self._before: Any = None
        self._painted: list[tuple[Text, Line]] = []

    def start(self, view: RunView) -> None:
        """Print the description of the run and prepare the panel."""
        from jsrunner.ui.description import describe_run
        from jsrunner.ui.errors import ErrorCounts
        from jsrunner.ui.watcher import Watcher

        write(self._stream, describe_run(view, color=self._color))
        self._watcher = Watcher(view)
        self._due = time.monotonic() + _FIRST_FRAME
        if self._logger.shares(self._stream):
            self._logger.above = self._put_above
        self._logger.errors = ErrorCounts()
        self._before = signal.signal(signal.SIGTSTP, self._suspend)

    def update(self) -> None:
        """Draw the panel if a frame is due."""
        if self._watcher is not None and time.monotonic() >= self._due and self._region.ready():
            self._draw(self._watcher)

    def stop(self) -> None:
        """Draw the last state and release the terminal."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return
        if self._region.drawn:
            if not self._region.drawing:  # a signal handler calls
                self._draw(watcher)
            self._region.close()
        else:
            write_last(self._stream, watcher)
        self._logger.above = self._logger.errors = None
        signal.signal(signal.SIGTSTP, self._before)

    def _suspend(self, number: int, _frame: object) -> None:
        """Handle Ctrl+Z: the shell gets its cursor back; later frames are drawn below."""
        self._region.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._suspend)  # the process was resumed

    def _put_above(self, line: str) -> bool:
        if not self._region.drawn:
            return False
        self._region.put_above(line)
        return True

    def _draw(self, watcher: Watcher) -> None:
        from jsrunner.ui.panel import MOST_ERRORS, render

        columns, rows = _size(self._stream)
        # The last column and the last row stay free: a terminal would wrap, or scroll.
        errors = self._logger.errors.most(MOST_ERRORS) if self._logger.errors is not None else ()
        lines = render(watcher.state(), max(columns - 1, 1), max(rows - 1, 1), errors)
        self._painted = [
            self._painted[number]
            if number < len(self._painted) and self._painted[number][0] == line
            else (line, self._paint(line))
            for number, line in enumerate(lines)
        ]
        self._region.draw([painted for _, painted in self._painted], columns)

    def _paint(self, line: Text) -> Line:
        """Return a line with its escape sequences."""
        if self._painter is None:
            from rich.console import Console

            self._painter = Console(
                color_system="standard" if self._color else None,
                force_terminal=True,
                no_color=not self._color,
                legacy_windows=False,
                width=10_000,
            )
        with self._painter.capture() as capture:
            self._painter.print(line, end="", soft_wrap=True)
        return capture.get(), line.cell_len


def _size(stream: TextIO) -> tuple[int, int]:
    """Return columns and rows of a terminal; 80 and 24 if it does not know them."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24
