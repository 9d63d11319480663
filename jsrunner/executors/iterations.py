"""What per-vu-iterations and shared-iterations have in common: VUs, a number, and a limit of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jsrunner.executors.base import (
    MAX_DURATION,
    ExecutorConfig,
    Reached,
    check_duration,
    padded,
    share,
    time_column,
)
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration

if TYPE_CHECKING:
    from jsrunner.options.segment import Striping


@dataclass(frozen=True, kw_only=True)
class Iterations(ExecutorConfig):
    """An executor that ends when its iterations are done, or at `maxDuration`."""

    own: ClassVar = {
        "vus": ("vus", kinds.Int()),
        "iterations": ("iterations", kinds.Int()),
        "maxDuration": ("limit", kinds.Duration()),
    }

    vus: int = 1
    iterations: int = 1
    limit: float = MAX_DURATION

    def validate_own(self) -> list[str]:
        wrong = ["the number of VUs must be more than 0"] if self.vus <= 0 else []
        return wrong + self.check_iterations() + check_duration("maxDuration", self.limit)

    def check_iterations(self) -> list[str]:
        """What is wrong with the number of iterations, in k6's words."""
        raise NotImplementedError

    def total(self, striping: Striping) -> int:
        """How many iterations there are in all."""
        raise NotImplementedError

    def total_text(self) -> str:
        """What the total counts, for the progress display."""
        raise NotImplementedError

    def max_duration(self) -> float:
        return self.limit + self.graceful_stop

    def progress(self, striping: Striping, reached: Reached) -> float:
        return share(reached.completed, self.total(striping))

    def progress_columns(self, striping: Striping, reached: Reached) -> tuple[str, ...]:
        total = self.total(striping)
        return (
            f"{striping.count(self.vus)} VUs",
            time_column(reached.elapsed, self.limit),
            f"{padded(reached.completed, total)}/{total} {self.total_text()}",
        )

    def notes(self, striping: Striping) -> list[str]:
        return [f"maxDuration: {format_duration(self.limit)}"]
