"""A scenario at work in one process: its VUs' intervals played on greenlets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import gevent

from jsrunner.executors.plan import PerVU, Shared
from jsrunner.worker import board

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import Interval, ScenarioPlan
    from jsrunner.worker.process import Process
    from jsrunner.worker.vu import VU


class Supply(Protocol):
    """Where a VU gets its iterations from while it works for a scenario."""

    scenario: Scenario

    def take(self) -> int | None:
        """The number, in this instance, of another iteration; None if there is none."""
        ...


class Turn:
    """One VU's work for a scenario: where it gets its iterations from."""

    def __init__(self, scenario: Scenario, index: int) -> None:
        self.scenario = scenario
        budget = scenario.plan.iterations
        self.left = budget.count if isinstance(budget, PerVU) else None
        self._reserved = index if isinstance(budget, Shared) else None

    def take(self) -> int | None:
        """The number, in this instance, of another iteration; None if there is none."""
        if self._reserved is not None:
            number, self._reserved = self._reserved, None
            self.scenario.counts.add(board.STARTED)
            return number
        if self.left is not None:
            if not self.left:
                return None
            self.left -= 1
        return self.scenario.draw()


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
        self._block = (0, 0)
        shared = plan.iterations
        #: Shared iterations that are not drawn: the first one of each VU, so that each VU has one.
        self._reserved = plan.vus if isinstance(shared, Shared) else 0
        self._total = shared.count - plan.vus if isinstance(shared, Shared) else board.ENDLESS
        self.start_at = 0.0  # time.monotonic
        self.start_epoch = 0.0

    def draw(self) -> int | None:
        """Begin an iteration: its number, unique in this instance; None if there are no more."""
        first, end = self._block
        if first >= end:
            first, end = self.counts.draw(self._total)
            if first >= end:
                return None
        self._block = (first + 1, end)
        self.counts.add(board.STARTED)
        return first + self._reserved

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
                self.process.record_dropped(self, turn.left)

    def _work(self, vu: VU, turn: Supply, setup_data: bytes | None, intervals: list[Interval]) -> None:
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
