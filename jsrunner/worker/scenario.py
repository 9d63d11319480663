"""A scenario at work in one process: its VUs' intervals played on greenlets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import gevent

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.plan import PerVU, Shared
from jsrunner.worker import board

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import Interval, ScenarioPlan
    from jsrunner.worker.process import Process
    from jsrunner.worker.vu import VU

#: Kinds of supplies: enum supply_kind of core/iterations.c.
_SHARED: Final = 0
_PER_VU: Final = 1
_ARRIVALS: Final = 2
#: No number of an iteration.
NONE: Final = -1


class Turn:
    """One VU's work for a scenario: where it gets its iterations from."""

    def __init__(self, scenario: Scenario, index: int) -> None:
        self.scenario = scenario
        budget = scenario.plan.iterations
        #: Iterations that the VU may still begin, where each VU has its own number of them.
        self.left = budget.count if isinstance(budget, PerVU) else 0
        self._reserved = index if isinstance(budget, Shared) else NONE

    def take_reserved(self) -> int:
        """Return the number of an iteration that is this VU's, once; then NONE."""
        number, self._reserved = self._reserved, NONE
        return number

    def await_arrival(self, begin: Callable[[bool], object]) -> None:
        """Have `begin(True)` called when an iteration is due, `begin(False)` at the scenario's end."""
        begin(True)

    def interrupted(self) -> None:
        """The VU was interrupted."""


class Scenario:
    """One scenario's share of this process: the VU indices of its plan that are played here."""

    def __init__(
        self,
        process: Process,
        config: ExecutorConfig,
        plan: ScenarioPlan,
        indices: Sequence[int],
        counts: board.Counts,
    ) -> None:
        self.process = process
        self.config = config
        self.plan = plan
        self.indices = indices
        self.counts = counts
        #: The core's supply of iterations, from which VUs draw.
        self.supply = self._make_supply()
        self.start_at = 0.0  # time.monotonic
        self.start_epoch = 0.0

    def _make_supply(self) -> int:
        budget, counts = self.plan.iterations, self.counts
        kind, total, offset = _ARRIVALS, board.ENDLESS, 0
        if isinstance(budget, PerVU):
            kind = _PER_VU
        elif isinstance(budget, Shared):
            # Not drawn: the first one of each VU, so that each VU has one.
            kind, total, offset = _SHARED, budget.count - self.plan.vus, self.plan.vus
        elif not isinstance(budget, Arrivals):
            kind = _SHARED
        supply: int = self.process.engine.library.core_supply_create(
            kind,
            counts.address(board.DRAWN),
            total,
            offset,
            counts.own_address(board.STARTED),
            counts.own_address(board.COMPLETED),
            self.process.minimum_iteration,
        )
        return supply

    def run(self, start_at: float, setup_data: bytes | None) -> None:
        """Play the plan; returns when all of its VUs are done. `start_at` is the whole test's."""
        self.start_at = start_at + self.config.start_time
        self.start_epoch = time.time() + self.start_at - time.monotonic()
        self._sleep_until(0)
        if not self.process.stopping:
            self.counts.set_state(board.RUNNING)
            self._play_all(setup_data)
        self.counts.set_state(board.DONE)

    def _play_all(self, setup_data: bytes | None) -> None:
        gevent.joinall(
            [gevent.spawn(self._play, index, setup_data) for index in self.indices],
            raise_error=True,
        )

    def _play(self, index: int, setup_data: bytes | None) -> None:
        """One VU of the plan: for each interval a VU of the pool."""
        intervals = list(self.plan.intervals(index))
        while intervals:
            self._sleep_until(intervals[0].start)
            if self.process.stopping:
                break
            turn, vu = Turn(self, index), self.process.pool.take()
            self._work(vu, turn, setup_data, intervals)
            if turn.left and not self.process.stopping and vu.aborted is None:
                self.process.record_dropped(self, turn.left, vu)

    def _work(self, vu: VU, turn: Turn, setup_data: bytes | None, intervals: list[Interval]) -> None:
        """Have a VU of the pool work for the scenario in these intervals, as far as they touch."""
        self.counts.add(board.ACTIVE)
        try:
            vu.activate(turn, setup_data, self.start_at + intervals[0].hard_stop)
            self._iterate(vu, intervals)
            vu.deactivate()
        finally:
            self.counts.add(board.ACTIVE, -1)
            self.process.pool.give_back(vu)

    def _iterate(self, vu: VU, intervals: list[Interval]) -> None:
        """Play the first interval, and those that begin while its last iteration still runs."""
        while True:
            interval = intervals.pop(0)
            vu.iterate(
                stop_at=self.start_at + interval.stop,
                hard_stop=self.start_at + interval.hard_stop,
            )
            now = time.monotonic() - self.start_at
            if vu.interrupted or not intervals or now < intervals[0].start:
                return

    def _sleep_until(self, offset: float) -> None:
        left = self.start_at + offset - time.monotonic()
        if left > 0:
            self.process.stop_event.wait(left)

    def progress(self) -> float:
        """From 0 to 1."""
        elapsed = time.monotonic() - self.start_at
        return self.plan.progress(elapsed, self.counts.total(board.COMPLETED))
