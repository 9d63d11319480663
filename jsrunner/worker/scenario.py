"""A scenario in one process, and what a VU that iterates for it knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.plan import PerVU, SharedTotal
from jsrunner.messages import board

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.worker.process import Process

#: Kinds of supplies: enum supply_kind of core/iterations.c.
_SHARED: Final = 0
_PER_VU: Final = 1
_ARRIVALS: Final = 2
#: No number of an iteration.
NONE: Final = -1


class Assignment:
    """One VU's work for a scenario: where it gets its iterations from, until it is given back."""

    def __init__(self, scenario: Scenario, index: int) -> None:
        self.scenario = scenario
        budget = scenario.plan.iterations
        #: Iterations that the VU may still begin, where each VU has its own number of them.
        self.left = budget.count if isinstance(budget, PerVU) else 0
        self._reserved = index if isinstance(budget, SharedTotal) else NONE

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
    """A scenario as this process has it; `worker.player` plays it."""

    def __init__(
        self, process: Process, config: ExecutorConfig, plan: ScenarioPlan, counts: board.Counts
    ) -> None:
        self.config = config
        self.plan = plan
        #: What was counted of it in all processes.
        self.counts = counts
        #: The core's supply of iterations, from which VUs draw.
        self.supply = self._make_supply(process)
        #: When it starts: on time.monotonic's clock, and in seconds since the epoch.
        self.start_at = self.start_epoch = 0.0

    def _make_supply(self, process: Process) -> int:
        budget, counts = self.plan.iterations, self.counts
        kind, total, offset = _ARRIVALS, board.ENDLESS, 0
        if isinstance(budget, PerVU):
            kind = _PER_VU
        elif isinstance(budget, SharedTotal):
            # Not drawn: the first one of each VU, so that each VU has one.
            kind, total, offset = _SHARED, budget.count - self.plan.vus, self.plan.vus
        elif not isinstance(budget, Arrivals):
            kind = _SHARED
        supply: int = process.engine.library.core_supply_create(
            kind,
            counts.address(board.DRAWN),
            total,
            offset,
            counts.own_address(board.STARTED),
            counts.own_address(board.COMPLETED),
            process.minimum_iteration,
        )
        return supply

    def progress(self) -> float:
        """From 0 to 1."""
        elapsed = time.monotonic() - self.start_at
        return self.plan.progress(elapsed, self.counts.total(board.COMPLETED))
