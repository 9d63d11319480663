"""What per-vu-iterations and shared-iterations have in common: VUs, a number, and a limit of time."""

from __future__ import annotations

from dataclasses import dataclass

from jsrunner.executors.config import MAX_DURATION, ExecutorConfig, check_duration, scenario_field
from jsrunner.options import kinds


@dataclass(frozen=True, kw_only=True)
class Iterations(ExecutorConfig):
    """An executor that ends when its iterations are done, or at `maxDuration`."""

    vus: int = scenario_field("vus", kinds.Int(), 1)
    iterations: int = scenario_field("iterations", kinds.Int(), 1)
    #: Seconds that the iterations may take.
    max_duration: float = scenario_field("maxDuration", kinds.Duration(), MAX_DURATION)

    def validate_own(self) -> list[str]:
        """Return what is wrong with the executor's own fields, in k6's words."""
        wrong = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return wrong + self.check_iterations() + check_duration("maxDuration", self.max_duration)

    def check_iterations(self) -> list[str]:
        """Return what is wrong with the number of iterations, in k6's words."""
        raise NotImplementedError
