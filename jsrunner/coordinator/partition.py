"""Which worker plays which VUs. Pure.

VU index i of a scenario goes to worker (i + offset) mod workers. The offsets are chosen so that
scenarios that run at the same time load the workers evenly and no more VUs are made than needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.executors.arrivals import Arrivals
from jsrunner.worker.plan import Share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.executors.base import ExecutorConfig, LoopPlan
    from jsrunner.options.segment import Striping

Changes = list[tuple[float, int]]

#: The shortest time, in seconds, that a VU is taken to be busy.
_MOMENT: Final = 1e-9


def _busy(config: ExecutorConfig, plan: LoopPlan, indices: Sequence[int]) -> Changes:
    """(moment, VUs more or less) for these VUs, graceful periods included."""
    start = config.start_time
    if len(plan.schedule) == 1:  # all VUs have the same intervals
        indices, count = indices[:1], len(indices)
    else:
        count = 1
    changes: Changes = []
    for index in indices:
        for begun, ended in plan.busy(index):
            changes.append((start + begun, count))
            # A VU that comes and goes in one moment is a VU all the same.
            changes.append((start + max(ended, begun + _MOMENT), -count))
    return changes


def _most(changes: Changes) -> int:
    """The largest number of VUs that are busy at once."""
    most = busy = 0
    for _, change in sorted(changes):
        busy += change
        most = max(most, busy)
    return most


def max_vus(scenarios: Mapping[str, ExecutorConfig], striping: Striping) -> int:
    """How many VUs the test can need at once, with those that arrival rates may have made."""
    changes: Changes = []
    for config in scenarios.values():
        plan = config.plan(striping)
        if isinstance(plan.iterations, Arrivals):
            changes.append((config.start_time, plan.iterations.max_vus))
            changes.append((config.start_time + config.max_duration(), -plan.iterations.max_vus))
        else:
            changes += _busy(config, plan, range(plan.vus))
    return _most(changes)


def share_out(
    scenarios: Mapping[str, ExecutorConfig], striping: Striping, workers: int
) -> tuple[Share, ...]:
    """A share for each worker."""
    load: list[Changes] = [[] for _ in range(workers)]
    indices: list[dict[str, tuple[int, ...]]] = [{} for _ in range(workers)]
    for name, config in scenarios.items():
        plan = config.plan(striping)
        best: tuple[tuple[int, int], int] | None = None
        for offset in range(workers):
            needs = [
                _most(load[worker] + _busy(config, plan, _own(plan, worker, offset, workers)))
                for worker in range(workers)
            ]
            cost = (sum(needs), max(needs))
            if best is None or cost < best[0]:
                best = (cost, offset)
        assert best is not None
        for worker in range(workers):
            own = _own(plan, worker, best[1], workers)
            load[worker] += _busy(config, plan, own)
            indices[worker][name] = own
    numbers = iter(range(1, sum(map(_most, load)) + 1))
    wanted = [_most(changes) for changes in load]
    ids: list[list[int]] = [[] for _ in range(workers)]
    while any(wanted):  # one each in turn, so that small numbers are spread over the workers
        for worker in range(workers):
            if wanted[worker]:
                wanted[worker] -= 1
                ids[worker].append(next(numbers))
    return tuple(Share(tuple(own), by_name) for own, by_name in zip(ids, indices, strict=True))


def _own(plan: LoopPlan, worker: int, offset: int, workers: int) -> tuple[int, ...]:
    return tuple(range((worker - offset) % workers, plan.vus, workers))
