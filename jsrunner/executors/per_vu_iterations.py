"""per-vu-iterations: each VU does its number of iterations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.base import LoopPlan, PerVU, one_interval
from jsrunner.executors.iterations import Iterations

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class PerVUIterations(Iterations):
    type: ClassVar = "per-vu-iterations"

    def check_iterations(self) -> list[str]:
        return ["the number of iterations must be more than 0"] if self.iterations <= 0 else []

    def plan(self, striping: Striping) -> LoopPlan:
        vus = striping.count(self.vus)
        return LoopPlan(
            vus,
            PerVU(self.iterations),
            self.limit,
            one_interval(vus, self.limit, self.graceful_stop),
            striping,
        )

    def total(self, striping: Striping) -> int:
        return self.iterations * striping.count(self.vus)

    def total_text(self) -> str:
        return f"iters, {self.iterations} per VU"

    def summary(self, striping: Striping) -> str:
        return f"{self.iterations} iterations for each of {striping.count(self.vus)} VUs"
