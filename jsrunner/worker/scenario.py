"""A scenario in one process, and the assignments of VUs to it."""

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
    from jsrunner.messages.plan import Machine
    from jsrunner.worker.process import Process

#: Kinds of supplies: enum supply_kind of core/iterations.c.
_SHARED: Final = 0
_PER_VU: Final = 1
_ARRIVALS: Final = 2
_LEASED: Final = 3
#: Marks the absence of an iteration's number.
NONE: Final = -1


class Assignment:
    """One VU's service for a scenario, until it goes back to the pool: its supply of iterations."""

    def __init__(self, scenario: Scenario, index: int) -> None:
        self.scenario = scenario
        budget = scenario.plan.iterations
        #: Iterations that the VU may still begin, where each VU has its own number of them.
        self.left = budget.count if isinstance(budget, PerVU) else 0
        self._reserved = index if isinstance(budget, SharedTotal) else NONE

    def take_reserved(self) -> int:
        """Return the number of this VU's reserved iteration at the first call, then NONE."""
        number, self._reserved = self._reserved, NONE
        return number

    def await_arrival(self, begin: Callable[[bool], object]) -> None:
        """Call `begin(True)` when an iteration is due, `begin(False)` at the scenario's end."""
        begin(True)

    def interrupted(self) -> None:
        """End the wait of an interrupted VU."""


class Scenario:
    """A scenario in this process; a `worker.player.Player` plays it."""

    def __init__(
        self, process: Process, config: ExecutorConfig, plan: ScenarioPlan, counts: board.Counts
    ) -> None:
        self.config = config
        self.plan = plan
        #: Counts of all processes: of this machine as they are, of others as of a second ago.
        self.counts = counts
        #: The core's supply of iterations, from which VUs draw.
        self.supply = self._make_supply(process, process.machine)
        #: Start, on time.monotonic's clock and in seconds since the epoch.
        self.start_at = self.start_epoch = 0.0

    def _make_supply(self, process: Process, machine: Machine) -> int:
        budget, counts = self.plan.iterations, self.counts
        kind, total, stride, offset = _ARRIVALS, board.ENDLESS, machine.count, machine.index
        cell = board.DRAWN
        if isinstance(budget, PerVU):
            kind = _PER_VU
        elif isinstance(budget, SharedTotal) and machine.count > 1:
            kind, cell = _LEASED, board.LEASES
        elif isinstance(budget, SharedTotal):
            # Each VU's first iteration is reserved, so that each VU has at least one.
            kind, total, offset = _SHARED, budget.count - self.plan.vus, self.plan.vus
        elif not isinstance(budget, Arrivals):
            kind = _SHARED
        supply: int = process.engine.library.core_supply_create(
            kind,
            counts.address(cell),
            total,
            stride,
            offset,
            counts.own_address(board.STARTED),
            counts.own_address(board.COMPLETED),
            process.minimum_iteration,
        )
        return supply

    def progress(self) -> float:
        """Return the progress, from 0 to 1."""
        elapsed = time.monotonic() - self.start_at
        return self.plan.progress(elapsed, self.counts.total(board.COMPLETED))
