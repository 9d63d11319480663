from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.messages import plan as plans
from jsrunner.messages.plan import Machine, Share, WorkerPlan
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from collections.abc import Sequence


def machines(indices: Sequence[Sequence[int]], counts: tuple[int, ...]) -> list[Machine]:
    """Machines whose workers play these indices of the scenario `default`."""
    options = Options()
    test = plans.Test(
        options=options,
        scenarios={},
        plans={},
        striping=Striping(options.segment, options.segment_sequence),
        exports={},
        max_vus=1,
    )
    shares = tuple(Share(tuple(index + 1 for index in own), {"default": tuple(own)}) for own in indices)
    plan = WorkerPlan(test=test, shares=shares, machines=counts)
    return [Machine(plan, index) for index in range(len(counts))]


def test_workers_are_numbered_machine_after_machine() -> None:
    made = machines([[0], [1], [2]], (2, 1))
    assert [machine.workers for machine in made] == [range(2), range(2, 3)]


@pytest.mark.parametrize("count", [5, 6, 7, 100, 101])
def test_every_shared_iteration_is_drawn_on_one_machine(count: int) -> None:
    made = machines([[0, 3], [1, 4], [2]], (1, 1, 1))
    drawn = [number for machine in made for number in machine.draws("default", count)]
    assert drawn == list(range(5, count))


def test_shared_iterations_are_divided_as_the_vus_are() -> None:
    made = machines([[0, 1, 2], [3]], (1, 1))
    assert [len(machine.draws("default", 104)) for machine in made] == [75, 25]


def test_a_scenario_without_vus_on_a_machine_draws_nothing_there() -> None:
    made = machines([[0, 1], []], (1, 1))
    assert [len(machine.draws("default", 10)) for machine in made] == [8, 0]


def test_vus_that_may_be_made_are_divided() -> None:
    made = machines([[0, 2], [1]], (1, 1))
    assert [machine.max_vus("default", 8) for machine in made] == [5, 3]
    assert [machine.max_vus("default", 3) for machine in made] == [2, 1]


def test_further_vus_of_different_machines_have_different_numbers() -> None:
    made = machines([[0, 2], [1]], (1, 1))
    assert [[machine.further_vu(count) for count in (4, 5, 6)] for machine in made] == [
        [4, 6, 8],
        [5, 7, 9],
    ]
