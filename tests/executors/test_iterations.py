"""What the executors with a number of iterations have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.executors.base import Reached
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from jsrunner.executors.iterations import Iterations

WHOLE = Striping(None, None)


@pytest.mark.parametrize(
    ("config", "total", "column"),
    [
        (PerVUIterations(name="s", vus=3, iterations=4), 12, "06/12 iters, 4 per VU"),
        (SharedIterations(name="s", vus=3, iterations=24), 24, "06/24 shared iters"),
    ],
)
def test_progress_goes_by_iterations(config: Iterations, total: int, column: str) -> None:
    reached = Reached(elapsed=1.0, active=3, initialized=3, completed=6)
    assert config.total(WHOLE) == total
    assert config.progress(WHOLE, reached) == 6 / total
    assert config.progress_columns(WHOLE, reached)[::2] == ("3 VUs", column)


@pytest.mark.parametrize("kind", [PerVUIterations, SharedIterations])
def test_the_limit_is_max_duration(kind: type[Iterations]) -> None:
    config = kind(name="s", limit=5.0, graceful_stop=2.0)
    assert config.max_duration() == 7.0
    assert config.notes(WHOLE) == ["maxDuration: 5s"]
    assert kind(name="s", vus=0, iterations=0, limit=0.5).validate_own()[-1] == (
        "the maxDuration must be at least 1s, but is 500ms"
    )
