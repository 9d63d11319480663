"""shared-iterations: a number of iterations that the VUs take as they can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.base import LoopPlan, Shared, one_interval
from jsrunner.executors.iterations import Iterations

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class SharedIterations(Iterations):
    type: ClassVar = "shared-iterations"

    def check_iterations(self) -> list[str]:
        if self.iterations >= self.vus:
            return []
        return [
            f"the number of iterations ({self.iterations}) can't be less than the number of "
            f"VUs ({self.vus})"
        ]

    def plan(self, striping: Striping) -> LoopPlan:
        vus = striping.count(self.vus)
        numbering = striping.rescaled(self.vus) if vus else striping
        return LoopPlan(
            vus,
            Shared(numbering.count(self.iterations) if vus else 0),
            self.limit,
            one_interval(vus, self.limit, self.graceful_stop),
            numbering,
        )

    def total(self, striping: Striping) -> int:
        budget = self.plan(striping).iterations
        assert isinstance(budget, Shared)
        return budget.count

    def total_text(self) -> str:
        return "shared iters"

    def summary(self, striping: Striping) -> str:
        return f"{self.total(striping)} iterations shared among {striping.count(self.vus)} VUs"
