"""Supplies of iterations by the kind of a scenario's budget, and assignments of VUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.messages import board
from jsrunner.worker.scenario import NONE, Assignment

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Worker

NUMBERS = """
import exec from 'k6/execution';
export default () => console.log(JSON.stringify([exec.scenario.iterationInTest, __ITER]));
"""


def test_each_vu_has_its_own_iterations(worker: Callable[..., Worker]) -> None:
    here = worker(NUMBERS, PerVUIterations(name="s", vus=2, iterations=3))
    assignments = [here.play(here.new_vu(index + 1), index) for index in range(2)]
    assert [one.left for one in assignments] == [0, 0]
    assert [number for number, _ in here.logged()] == [0, 1, 2, 3, 4, 5]
    assert [iteration for _, iteration in here.logged()] == [0, 1, 2, 0, 1, 2]
    assert here.scenario.counts.total(board.COMPLETED) == 6
    assert here.scenario.progress() == 1.0


def test_the_first_shared_iteration_of_a_vu_is_reserved(worker: Callable[..., Worker]) -> None:
    """A VU that begins last still has one."""
    here = worker(NUMBERS, SharedIterations(name="s", vus=2, iterations=5))
    here.play(here.new_vu(1), 0)
    assert [number for number, _ in here.logged()] == [0, 2, 3, 4]
    here.play(here.new_vu(2), 1)
    assert [number for number, _ in here.logged()] == [0, 2, 3, 4, 1]


def test_a_reserved_number_is_taken_once(worker: Callable[..., Worker]) -> None:
    here = worker(NUMBERS, SharedIterations(name="s", vus=2, iterations=5))
    assignment = Assignment(here.scenario, 1)
    assert (assignment.take_reserved(), assignment.take_reserved()) == (1, NONE)


@pytest.mark.parametrize("config", [PerVUIterations(name="s", vus=2, iterations=3)])
def test_numbers_of_machines_interleave(worker: Callable[..., Worker], config: PerVUIterations) -> None:
    """The first of three machines has every third number."""
    here = worker(NUMBERS, config, machines=3)
    here.play(here.new_vu(), 0)
    assert [number for number, _ in here.logged()] == [0, 3, 6]
