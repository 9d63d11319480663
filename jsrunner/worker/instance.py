"""The run over all processes, as `exec.instance` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.messages.board import COMPLETED, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.messages.board import Board, Counts
    from jsrunner.options.segment import Striping


class Instance:
    """The run, for the VUs of one process. It reads the counts of all processes from the board.

    The counts of other machines come with a delay of a second.
    """

    def __init__(
        self,
        board: Board,
        counts: Sequence[Counts],
        *,
        started_at: float,
        planned_vus: int,
        machines: int,
        striping: Striping,
    ) -> None:
        self._board = board
        #: Counts of each scenario.
        self._counts = counts
        #: Moment when the run began (time.monotonic).
        self.started_at = started_at
        #: Count of the VUs of the whole run that are made before it begins.
        self.planned_vus = planned_vus
        #: The part of the test that this instance runs.
        self.striping = striping
        self._machines = machines

    @property
    def active_vus(self) -> int:
        """Count of the VUs that iterate."""
        return sum(counts.active for counts in self._counts)

    @property
    def initialized_vus(self) -> int:
        """Count of the run's VUs."""
        return self._board.vus

    @property
    def iterations_completed(self) -> int:
        """Count of the iterations that have ended by themselves."""
        return sum(counts.total(COMPLETED) for counts in self._counts)

    @property
    def iterations_interrupted(self) -> int:
        """Count of the iterations that were interrupted."""
        return sum(counts.total(INTERRUPTED) for counts in self._counts)

    def next_start(self, now_ns: int, interval_ns: int) -> int:
        """Return the next request's start (time.monotonic_ns), `interval_ns` after the one before.

        Each machine keeps to its part of the rate.
        """
        return self._board.next_start(now_ns, interval_ns * self._machines)
