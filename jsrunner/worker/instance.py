"""The run as a worker process knows it: what `exec.instance` shows, over all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.messages.board import COMPLETED, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.messages.board import Board, Counts
    from jsrunner.options.segment import Striping


class Instance:
    """Made when the run is decided; it reads what all processes count on the board."""

    def __init__(
        self,
        board: Board,
        counts: Sequence[Counts],
        *,
        started_at: float,
        planned_vus: int,
        striping: Striping,
    ) -> None:
        self._board = board
        #: Of each scenario.
        self._counts = counts
        #: When the run began (time.monotonic).
        self.started_at = started_at
        #: VUs of the whole run that are made before it begins.
        self.planned_vus = planned_vus
        #: Which part of the test is this instance's.
        self.striping = striping

    @property
    def active_vus(self) -> int:
        """How many VUs iterate."""
        return sum(counts.active for counts in self._counts)

    @property
    def initialized_vus(self) -> int:
        """How many VUs the run has."""
        return self._board.vus

    @property
    def iterations_completed(self) -> int:
        return sum(counts.total(COMPLETED) for counts in self._counts)

    @property
    def iterations_interrupted(self) -> int:
        return sum(counts.total(INTERRUPTED) for counts in self._counts)

    def next_start(self, now_ns: int, interval_ns: int) -> int:
        """Return when the next request of the run may start, if they are to be so far apart."""
        return self._board.next_start(now_ns, interval_ns)
