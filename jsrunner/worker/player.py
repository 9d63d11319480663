"""Play a scenario on this process's VUs: each of its plan's VUs on a greenlet of its own.

`arrivals.py` has the player of arrival rates.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import gevent

from jsrunner.messages import board
from jsrunner.metrics.registry import BUILTIN
from jsrunner.worker.scenario import Assignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.executors.plan import Interval
    from jsrunner.worker.process import Process
    from jsrunner.worker.scenario import Scenario
    from jsrunner.worker.scenario_vu import ScenarioVU
    from jsrunner.worker.vus import VUs

#: Seconds. gevent checks sockets and timers only in a full turn of its loop, unlike sleep(0).
YIELD: Final = 1e-6


class Player:
    """The player of one scenario; `indices` are the plan's VUs of this process."""

    def __init__(self, process: Process, vus: VUs, scenario: Scenario, indices: Sequence[int]) -> None:
        self.process = process
        self.vus = vus
        self.scenario = scenario
        self.plan = scenario.plan
        self.counts = scenario.counts
        self.indices = indices
        #: Start of the scenario (time.monotonic).
        self.start_at = 0.0

    def run(self, start_at: float, setup_data: bytes | None) -> None:
        """Play the plan; return when all of its VUs are done. `start_at` is the whole test's."""
        scenario = self.scenario
        self.start_at = scenario.start_at = start_at + scenario.config.start_time
        scenario.start_epoch = time.time() + self.start_at - time.monotonic()
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
        """Play one VU of the plan: for each interval a VU of the pool."""
        intervals = list(self.plan.intervals(index))
        while intervals:
            self._sleep_until(intervals[0].start)
            if self.process.stopping:
                break
            assignment, vu = Assignment(self.scenario, index), self.vus.pool.take()
            self._employ(vu, assignment, setup_data, intervals)
            if assignment.left and not self.process.stopping and vu.context.aborted is None:
                self.record_dropped(assignment.left, vu)

    def _employ(
        self,
        vu: ScenarioVU,
        assignment: Assignment,
        setup_data: bytes | None,
        intervals: list[Interval],
    ) -> None:
        """Run a VU of the pool in the first interval, and in those that follow without a gap."""
        self.counts.add(board.ACTIVE)
        try:
            self.vus.running.add(vu)
            vu.activate(assignment, setup_data, self.start_at + intervals[0].hard_stop)
            self._iterate(vu, intervals)
            vu.deactivate()
            self.vus.running.discard(vu)
        finally:
            self.counts.add(board.ACTIVE, -1)
            self.vus.pool.give_back(vu)

    def _iterate(self, vu: ScenarioVU, intervals: list[Interval]) -> None:
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

    def take_lateness(self) -> bytes:
        """Return the start lags since the last call: milliseconds, as doubles."""
        return b""

    def record_dropped(self, count: int, vu: ScenarioVU | None = None) -> None:
        """Record planned iterations that were never started, without the scenario's tags, as k6.

        Iterations that were planned for one VU have the VU's number as a tag.
        """
        process = self.process
        tags = dict(process.run_tags)
        if "scenario" in process.system_tags:
            tags["scenario"] = self.scenario.config.name
        if vu is not None and "vu" in process.system_tags:
            tags["vu"] = str(vu.context.id)
        tag_set = process.recorder.tag_set(tags)
        process.recorder.series(BUILTIN["dropped_iterations"], tag_set).add(count, time.time())
