"""per-vu-iterations: each VU does its number of iterations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.base import (
    MAX_DURATION,
    ExecutorConfig,
    LoopPlan,
    PerVU,
    check_duration,
    one_interval,
)
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class PerVUIterations(ExecutorConfig):
    type: ClassVar = "per-vu-iterations"
    own: ClassVar = {
        "vus": ("vus", kinds.Int()),
        "iterations": ("iterations", kinds.Int()),
        "maxDuration": ("limit", kinds.Duration()),
    }

    vus: int = 1
    iterations: int = 1
    limit: float = MAX_DURATION

    def validate_own(self) -> list[str]:
        wrong = []
        if self.vus <= 0:
            wrong.append("the number of VUs must be more than 0")
        if self.iterations <= 0:
            wrong.append("the number of iterations must be more than 0")
        return wrong + check_duration("maxDuration", self.limit)

    def plan(self, striping: Striping) -> LoopPlan:
        vus = striping.count(self.vus)
        return LoopPlan(
            vus,
            PerVU(self.iterations),
            self.limit,
            one_interval(vus, self.limit, self.graceful_stop),
            striping,
        )

    def max_duration(self) -> float:
        return self.limit + self.graceful_stop

    def summary(self, striping: Striping) -> str:
        return f"{self.iterations} iterations for each of {striping.count(self.vus)} VUs"

    def notes(self, striping: Striping) -> list[str]:
        return [f"maxDuration: {format_duration(self.limit)}"]
