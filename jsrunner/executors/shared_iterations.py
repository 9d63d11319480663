"""shared-iterations: all VUs share a number of iterations; an idle VU takes the next of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.iterations import Iterations
from jsrunner.executors.plan import ScenarioPlan, SharedTotal, Steady

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


class SharedIterations(Iterations, frozen=True, kw_only=True):
    """A scenario of this executor (k6's page "Shared iterations")."""

    type: ClassVar[str] = "shared-iterations"

    def check_iterations(self) -> list[str]:
        """Return the errors of the number of iterations, with k6's texts."""
        if self.iterations >= self.vus:
            return []
        return [
            f"the number of iterations ({self.iterations}) can't be less than the number of "
            f"VUs ({self.vus})"
        ]

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects."""
        vus = striping.count(self.vus)
        numbering = striping.rescaled(self.vus) if vus else striping
        return ScenarioPlan(
            striping=striping,
            start_time=self.start_time,
            vus=vus,
            schedule=Steady(self.max_duration, self.max_duration + self.graceful_stop),
            iterations=SharedTotal(numbering.count(self.iterations) if vus else 0),
            duration=self.max_duration,
            graceful_stop=self.graceful_stop,
            numbering=numbering,
        )
