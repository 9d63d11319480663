"""per-vu-iterations: each VU runs the same number of iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.iterations import Iterations
from jsrunner.executors.plan import PerVU, ScenarioPlan, Steady

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


class PerVUIterations(Iterations, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Per VU iterations")."""

    type: ClassVar[str] = "per-vu-iterations"

    def check_iterations(self) -> list[str]:
        """Return the errors of the number of iterations, with k6's texts."""
        return ["the number of iterations must be more than 0"] if self.iterations <= 0 else []

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects."""
        return ScenarioPlan(
            striping=striping,
            start_time=self.start_time,
            vus=striping.count(self.vus),
            schedule=Steady(self.max_duration, self.max_duration + self.graceful_stop),
            iterations=PerVU(self.iterations),
            duration=self.max_duration,
            graceful_stop=self.graceful_stop,
            numbering=striping,
        )
