"""The last lines of a terminal, redrawn in place; permanent lines are written above them.

A frame is one write of the changed lines, each erased to its end, so that nothing flickers. The cursor
waits on an empty line below, where the terminal may echo typed characters without harm. rich's Live is
not used: it loses its place when the terminal gets narrower and wraps the drawn lines.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Final, TextIO

from jsrunner.ui.output import write

if TYPE_CHECKING:
    from collections.abc import Sequence

_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_ERASE_LINE: Final = "\x1b[K"
_ERASE_BELOW: Final = "\x1b[J"

#: A line with its escape sequences, and the number of columns that it takes.
Line = tuple[str, int]


class Region:
    """A region at the end of a terminal; made by a display, and used in its thread.

    A signal handler may call all methods, but `draw` only if not `drawing`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[Line] = []
        self._above: list[str] = []
        self._columns = 0
        #: True while a frame is being written.
        self.drawing = False
        #: True if a frame is on the screen.
        self.drawn = False

    def put_above(self, text: str) -> None:
        """Put a text of one or more lines above the region, with the next frame."""
        self._above.append(text)

    def ready(self) -> bool:
        """Return True if the terminal belongs to this process group and takes output (no Ctrl+S)."""
        try:
            ours = os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        except OSError:  # not the controlling terminal, so no other process group uses it
            ours = True
        return ours and bool(select.select([], [self._stream], [], 0)[1])

    def draw(self, lines: Sequence[Line], columns: int) -> None:
        """Replace the region by new lines.

        Args:
            lines: Lines that are narrower than the terminal.
            columns: The width of the terminal.
        """
        self.drawing = True
        parts = [] if self.drawn else [_HIDE_CURSOR]
        parts.append(self._up(columns))
        above, self._above = self._above, []
        old = list(self._lines)
        if above or columns != self._columns:
            parts.append(_ERASE_BELOW)
            parts += [f"{text}\n" for text in above]
            old = []
        for number, line in enumerate(lines):
            same = number < len(old) and old[number] == line
            parts.append("\n" if same else f"{line[0]}{_ERASE_LINE}\n")
        parts.append(_ERASE_BELOW)
        self._lines, self._columns, self.drawn = list(lines), columns, True
        write(self._stream, "".join(parts))
        self.drawing = False

    def _up(self, columns: int) -> str:
        """Return the sequence that moves to the first row; a narrower terminal has wrapped lines."""
        rows = sum(max(-(-width // columns), 1) for _, width in self._lines)
        return f"\r\x1b[{rows}A" if rows else "\r"

    def close(self) -> None:
        """Leave the last frame on the screen and show the cursor. Another frame would begin below."""
        if not self.drawn:
            return
        self.drawn = False
        waiting, self._above, self._lines = self._above, [], []
        write(self._stream, "".join(f"{text}\n" for text in waiting) + _SHOW_CURSOR)
