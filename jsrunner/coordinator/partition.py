"""The shares of the workers: each VU index of each scenario goes to one worker. Pure.

Each VU index of a scenario goes to one worker, so that workers have as many VUs of each scenario as
the others, and no more VUs are made than the test needs at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.executors.arrivals import Arrivals
from jsrunner.messages.plan import Share

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from jsrunner.executors.plan import ScenarioPlan

#: (moment, place of the scenario, VUs fewer from then on). Moments are seconds since the begin of all
#: scenarios. In this order, which is k6's, changes of one moment follow each other: an earlier scenario
#: lets go of its VUs before a later one needs some, but a scenario's own VUs come before others go.
Changes = list[tuple[float, int, int]]

#: Maximum number of VUs for which the workers' needs are computed per VU (measured: 0.1 s).
_FEW_VUS: Final = 250


def _busy(plan: ScenarioPlan, place: int, indices: Collection[int]) -> Changes:
    """Return the changes that these VUs make, graceful periods included."""
    count = 1
    if plan.schedule.is_uniform and indices:
        count, indices = len(indices), [next(iter(indices))]
    changes: Changes = []
    for index in indices:
        for begin, end in plan.busy(index):
            changes.append((plan.start_time + begin, place, -count))
            changes.append((plan.start_time + end, place, count))
    return changes


def _most(changes: Changes) -> int:
    """Return the largest number of VUs that are busy at once."""
    most = busy = 0
    for _, _, fewer in sorted(changes):
        busy -= fewer
        most = max(most, busy)
    return most


def max_vus(plans: Iterable[ScenarioPlan]) -> int:
    """Return the maximum number of VUs at one time, with those that arrival rates may add."""
    changes: Changes = []
    for place, plan in enumerate(plans):
        if isinstance(plan.iterations, Arrivals):
            changes.append((plan.start_time, place, -plan.max_vus))
            changes.append((plan.latest_end, place, plan.max_vus))
        else:
            changes += _busy(plan, place, range(plan.vus))
    return _most(changes)


def share_out(plans: Mapping[str, ScenarioPlan], workers: int) -> tuple[Share, ...]:
    """Distribute the VUs to the workers.

    Args:
        plans: The scenarios' plans by name.
        workers: The number of workers.

    Returns:
        A share for each worker. VUs are numbered from 1, small numbers spread over the workers.
    """
    sharing = _Sharing(plans, workers)
    if sum(plan.vus for plan in plans.values()) > _FEW_VUS:
        sharing.share_by_turns()
    else:
        sharing.share_by_needs()
    wanted = [_most(changes) for changes in sharing.load]
    numbers = iter(range(1, sum(wanted) + 1))
    ids: list[list[int]] = [[] for _ in range(workers)]
    while any(wanted):
        for worker in range(workers):
            if wanted[worker]:
                wanted[worker] -= 1
                ids[worker].append(next(numbers))
    return tuple(
        Share(tuple(own), {name: tuple(sorted(indices)) for name, indices in by_name.items()})
        for own, by_name in zip(ids, sharing.indices, strict=True)
    )


class _Sharing:
    """VU indices on their way to the workers."""

    def __init__(self, plans: Mapping[str, ScenarioPlan], workers: int) -> None:
        self._plans = plans
        self._places = {name: place for place, name in enumerate(plans)}
        self._workers = range(workers)
        #: Per worker: the times at which its VUs are busy, and its indices of each scenario.
        self.load: list[Changes] = [[] for _ in self._workers]
        self.indices: list[dict[str, list[int]]] = [{name: [] for name in plans} for _ in self._workers]

    def _give(self, worker: int, name: str, indices: Collection[int]) -> None:
        self.load[worker] += self._busy(name, indices)
        self.indices[worker][name] += indices

    def _busy(self, name: str, indices: Collection[int]) -> Changes:
        return _busy(self._plans[name], self._places[name], indices)

    def share_by_turns(self) -> None:
        """Give the index i of a scenario to worker (i + offset) mod workers, with the best offset."""
        for name in self._plans:
            costs = [self._cost(name, offset) for offset in self._workers]
            offset = costs.index(min(costs))
            for worker in self._workers:
                self._give(worker, name, self._own(name, worker, offset))

    def _cost(self, name: str, offset: int) -> tuple[int, int]:
        """Return the workers' needs with this offset: all together, and the largest."""
        needs = [
            _most(self.load[worker] + self._busy(name, self._own(name, worker, offset)))
            for worker in self._workers
        ]
        return sum(needs), max(needs)

    def _own(self, name: str, worker: int, offset: int) -> range:
        count = len(self._workers)
        return range((worker - offset) % count, self._plans[name].vus, count)

    def share_by_needs(self) -> None:
        """Give each VU, in the order of their starts, to a worker that has an idle VU for it.

        Among these workers, or among all workers if none has an idle VU, the choice is the worker with
        the fewest VUs of the scenario, then the worker that needs the fewest VUs.
        """
        needs = [0 for _ in self._workers]
        for _, _, index, name in sorted(self._begins()):
            busy = self._busy(name, [index])
            then = [_most(changes + busy) for changes in self.load]
            worker = min(
                self._workers,
                key=lambda worker: (
                    then[worker] - needs[worker],
                    len(self.indices[worker][name]),
                    needs[worker],
                ),
            )
            self._give(worker, name, [index])
            needs[worker] = then[worker]

    def _begins(self) -> Iterator[tuple[float, int, int, str]]:
        """Yield (begin, place of the scenario, index, the scenario's name) of all VUs."""
        for name, plan in self._plans.items():
            for index in range(plan.vus):
                begin = next((begin for begin, _ in plan.busy(index)), 0.0)
                yield plan.start_time + begin, self._places[name], index, name
