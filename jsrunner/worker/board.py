"""Counts of a run that all of its processes see: a file that each of them maps.

Per scenario one number that is drawn from (iterations), and for each worker its own counts, which
only that worker writes.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import Final

#: A worker's counts.
STARTED: Final = 0
COMPLETED: Final = 1
INTERRUPTED: Final = 2
ACTIVE: Final = 3
STATE: Final = 4
_COUNTS: Final = 5

#: What STATE says of a scenario.
WAITING: Final = 0
RUNNING: Final = 1
DONE: Final = 2

#: More iterations than there can be.
ENDLESS: Final = 1 << 62


class Board:
    """The file's descriptor, which forked processes inherit, and how it is cut up."""

    def __init__(self, workers: int) -> None:
        self.descriptor = os.memfd_create("jsrunner-board")
        self.workers = workers
        self._stride = 1 + workers * _COUNTS
        self._cells = memoryview(b"").cast("q")

    def open(self, scenarios: int) -> None:
        """Map the cells of so many scenarios."""
        size = scenarios * self._stride * 8
        if os.fstat(self.descriptor).st_size < size:
            os.ftruncate(self.descriptor, size)
        self._cells = memoryview(mmap.mmap(self.descriptor, size)).cast("q")

    def view(self, slot: int, worker: int) -> Counts:
        """The counts of one scenario as `worker` sees and changes them."""
        start = slot * self._stride
        return Counts(self, self._cells[start : start + self._stride], start, worker)


class Counts:
    """One scenario's part of the board."""

    def __init__(self, board: Board, cells: memoryview[int], start: int, worker: int) -> None:
        self._board = board
        self._cells = cells
        self._start = start * 8
        self._own = 1 + worker * _COUNTS

    def add(self, count: int, amount: int = 1) -> None:
        """Change a count of this worker's own (0.1 us)."""
        self._cells[self._own + count] += amount

    def set_state(self, state: int) -> None:
        self._cells[self._own + STATE] = state

    def total(self, count: int) -> int:
        """A count over all workers."""
        return sum(self._cells[1 + count :: _COUNTS])

    def states(self) -> list[int]:
        return list(self._cells[1 + STATE :: _COUNTS])

    @property
    def drawn(self) -> int:
        return self._cells[0]

    def draw(self, total: int) -> tuple[int, int]:
        """A block [first, end) of the numbers from 0 below `total`; empty if there are none left.

        A lock on the file guards it (1 us). Where many are drawn they come in blocks; the first ones
        singly, so that few VUs see dense numbers, and the last ones too, because a slow process must
        not sit on numbers that a fast one could take.
        """
        descriptor = self._board.descriptor
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 8, self._start)
        try:
            first = self._cells[0]
            share = 16 * self._board.workers
            size = max(1, min(64, first // share, (total - first) // share))
            end = min(first + size, total)
            self._cells[0] = end
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 8, self._start)
        return first, end
