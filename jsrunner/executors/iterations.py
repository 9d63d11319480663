"""The base of per-vu-iterations and shared-iterations: VUs, a number of iterations, a time limit."""

from __future__ import annotations

from dataclasses import dataclass

from jsrunner.executors.config import MAX_DURATION, ExecutorConfig, check_duration, scenario_field
from jsrunner.options import kinds


@dataclass(frozen=True, kw_only=True)
class Iterations(ExecutorConfig):
    """A scenario of an executor that ends with its last iteration, or at `maxDuration`."""

    vus: int = scenario_field("vus", kinds.Int(), 1)
    iterations: int = scenario_field("iterations", kinds.Int(), 1)
    #: The longest time in seconds that the iterations may take.
    max_duration: float = scenario_field("maxDuration", kinds.Duration(), MAX_DURATION)

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        errors = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return errors + self.check_iterations() + check_duration("maxDuration", self.max_duration)

    def check_iterations(self) -> list[str]:
        """Return the errors of the number of iterations, with k6's texts."""
        raise NotImplementedError
