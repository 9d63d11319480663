"""Common behaviour of the executors with a number of iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from jsrunner.executors.iterations import Iterations

WHOLE = Striping(None, None)


@pytest.mark.parametrize("kind", [PerVUIterations, SharedIterations])
def test_the_limit_is_max_duration(kind: type[Iterations]) -> None:
    plan = kind(name="s", max_duration=5.0, graceful_stop=2.0).plan(WHOLE)
    assert (plan.duration, plan.latest_end) == (5.0, 7.0)
    assert kind(name="s", vus=0, iterations=0, max_duration=0.5).validate_own()[-1] == (
        "the maxDuration must be at least 1s, but is 500ms"
    )
