"""The loop over iterations: what supplies give, what is measured, when it ends."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING

import gevent
import pytest
from core_vu import (
    ARRIVALS,
    ASKING,
    DEADLINE,
    LEASED,
    PER_VU,
    SHARED,
    SLEEPING,
    VU,
    Supply,
    until,
)  # fmt: skip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsrunner.core.binding import Numbers
from jsrunner.engine.engine import ARRIVAL, ITERATION
from jsrunner.engine.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = """
entries.run = () => {
  const numbers = [];
  for (;;) {
    const number = core.nextIteration();
    if (number === undefined) return numbers;
    numbers.push(number);
    host('in_test', number);
  }
};
"""


def numbers_of(vu: VU) -> Numbers:
    numbers = Numbers()
    vu.library.core_vu_numbers(vu.index, ctypes.byref(numbers))
    return numbers


@pytest.fixture
def iterator(make_vu: Callable[..., VU]) -> Callable[..., tuple[VU, list[int]]]:
    """A VU that iterates, and the numbers in the test of its iterations."""

    def make(**more: object) -> tuple[VU, list[int]]:
        in_test: list[int] = []
        vu = make_vu(SOURCE, **more)
        vu._named["in_test"] = lambda number: in_test.append(numbers_of(vu).in_test)
        return vu, in_test

    return make


# -- supplies ----------------------------------------------------------------------------------------


def test_shared_iterations_are_drawn_once(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    supply = Supply(SHARED, 100)
    vus = [iterator() for _ in range(4)]
    for vu, _ in vus:
        supply.give(vu)
    calls = [vu.start("run") for vu, _ in vus]
    counts = [one.get(timeout=DEADLINE) for one in calls]
    assert sorted(number for _, numbers in vus for number in numbers) == list(range(100))
    assert [list(range(len(one))) for one in counts] == counts
    assert (supply.drawn, supply.started, supply.completed) == (100, 100, 100)
    for _, numbers in vus:
        assert numbers == sorted(numbers)


def test_each_vu_has_one_of_the_shared_iterations_reserved(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    """The numbers of drawn iterations follow the reserved numbers."""
    supply = Supply(SHARED, 7, offset=3)
    vus = [iterator() for _ in range(3)]
    for number, (vu, _) in enumerate(vus):
        supply.give(vu, reserved=number)
    for vu, _ in vus:
        vu.call("run")
    assert [numbers[0] for _, numbers in vus] == [0, 1, 2]
    assert sorted(number for _, numbers in vus for number in numbers) == list(range(10))


def test_numbers_of_several_machines_interleave(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """Of three machines the second one draws 1, 4, 7."""
    vu, numbers = iterator()
    Supply(SHARED, 3, stride=3, offset=1).give(vu)
    vu.call("run")
    assert numbers == [1, 4, 7]


def test_vus_wait_for_leases_until_no_more_come(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    supply = Supply(LEASED)
    vus = [iterator() for _ in range(3)]
    for number, (vu, _) in enumerate(vus):
        supply.give(vu, reserved=number)
    calls = [vu.start("run") for vu, _ in vus]
    for first, count in ((3, 5), (100, 1), (8, 40)):
        until(lambda: supply.wanted)
        assert supply.lend(first, count)
        assert not supply.wanted
    until(lambda: supply.wanted)
    supply.end_leases()
    assert [len(call.get(timeout=DEADLINE)) for call in calls] == [len(numbers) for _, numbers in vus]
    drawn = sorted(number for _, numbers in vus for number in numbers)
    assert drawn == [*range(48), 100]


def test_who_waits_for_a_lease_stops_with_the_scenario(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    vu, numbers = iterator()
    Supply(LEASED).give(vu, stop_at=time.monotonic() + 0.05)
    assert (vu.call("run"), numbers) == ([], [])


def test_who_waits_for_a_lease_can_be_interrupted(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    vu, _ = iterator()
    supply = Supply(LEASED)
    supply.give(vu)
    call = vu.start("run")
    until(lambda: supply.wanted)
    vu.interpreter.interrupt()
    assert isinstance(call.get(timeout=DEADLINE), Interrupted)


def test_leases_are_taken_back_from_their_end() -> None:
    supply = Supply(LEASED)
    assert supply.take(10) == []
    assert supply.lend(10, 5)
    assert supply.lend(100, 8)
    assert not supply.lend(200, 1)
    assert supply.left == 13
    assert supply.take(10) == [104, 105, 106, 107]
    assert supply.take(2) == [13, 14]
    assert supply.left == 7
    assert [len(supply.take(10)) for _ in range(6)] == [2, 2, 1, 1, 1, 0]
    assert supply.lend((1 << 39) - 3, 3)
    assert supply.take(1) == [(1 << 39) - 1]


def test_no_iterations_at_all(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    vu, _ = iterator()
    Supply(SHARED, 0).give(vu)
    assert vu.call("run") == []
    Supply(PER_VU).give(vu, left=0)
    assert vu.call("run") == []


def test_per_vu_iterations(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """Each VU has its own number of them; numbers in the test are drawn from one sequence."""
    supply = Supply(PER_VU)
    vus = [iterator() for _ in range(3)]
    for vu, _ in vus:
        supply.give(vu, left=5)
    calls = [vu.start("run") for vu, _ in vus]
    assert [one.get(timeout=DEADLINE) for one in calls] == [list(range(5))] * 3
    assert sorted(number for _, numbers in vus for number in numbers) == list(range(15))
    assert [numbers_of(vu).left for vu, _ in vus] == [0, 0, 0]


@given(st.lists(st.integers(0, 8), min_size=1, max_size=4), st.integers(0, 20))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_every_number_is_drawn_exactly_once(
    iterator: Callable[..., tuple[VU, list[int]]], lefts: list[int], total: int
) -> None:
    supplies = [(Supply(PER_VU), lefts), (Supply(SHARED, total), lefts)]
    for supply, budgets in supplies:
        vus = [iterator() for _ in budgets]
        for (vu, _), left in zip(vus, budgets, strict=True):
            supply.give(vu, left=left)
        gevent.joinall([vu.start("run") for vu, _ in vus], timeout=DEADLINE)
        drawn = sorted(number for _, numbers in vus for number in numbers)
        assert drawn == list(range(supply.completed))
        assert supply.completed == (sum(lefts) if supply is supplies[0][0] else total)
        for vu, _ in vus:
            vu.close()


def test_arrivals_are_given_by_python(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    asked: list[int] = []
    supply = Supply(ARRIVALS)
    vu, numbers = iterator(deferred={ARRIVAL: asked.append})
    supply.give(vu)
    running = vu.start("run")
    for count in range(1, 4):
        until(lambda count=count: len(asked) == count)
        assert vu.state == ASKING
        assert supply.started == count - 1
        vu.interpreter.reply(asked[-1], True)
    until(lambda: len(asked) == 4)
    vu.interpreter.reply(asked[-1], False)
    assert running.get(timeout=DEADLINE) == [0, 1, 2]
    assert numbers == [0, 1, 2]


def test_a_vu_that_waits_for_an_arrival_is_interrupted(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    asked: list[int] = []
    supply = Supply(ARRIVALS)
    vu, _ = iterator(deferred={ARRIVAL: asked.append})
    supply.give(vu)
    for _ in range(3):
        running = vu.start("run")
        until(lambda: vu.state == ASKING)
        vu.interpreter.interrupt()
        assert isinstance(running.get(timeout=DEADLINE), Interrupted)
        vu.interpreter.reply(asked[-1], True)  # too late
    assert supply.started == 0
    assert supply.drawn == 0


# -- what is measured --------------------------------------------------------------------------------


def test_what_an_iteration_measures(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    supply = Supply(SHARED, 3)
    vu, _ = iterator()
    supply.give(vu)
    vu.library.core_vu_add_bytes(vu.index, 10, 7)
    vu.call("run")
    sent, received, durations, iterations, checks, groups = supply.measured()
    assert (sent, received, iterations, checks, groups) == (10.0, 7.0, 3.0, None, None)
    assert len(durations) == 3
    assert all(one >= 0 for one in durations)


def test_bytes_are_those_since_the_last_iteration(
    iterator: Callable[..., tuple[VU, list[int]]],
) -> None:
    vu, _ = iterator()
    sent, received = ctypes.c_uint64(), ctypes.c_uint64()
    vu.library.core_vu_add_bytes(vu.index, 3, 4)
    vu.library.core_vu_add_bytes(vu.index, 1 << 40, 1 << 41)
    for expected in ((3 + (1 << 40), 4 + (1 << 41)), (0, 0)):
        vu.library.core_vu_take_bytes(vu.index, ctypes.byref(sent), ctypes.byref(received))
        assert (sent.value, received.value) == expected


def test_an_iteration_that_throws_is_complete(make_vu: Callable[..., VU]) -> None:
    supply = Supply(SHARED, 3)
    vu = make_vu(
        "entries.run = () => { while (core.nextIteration() !== undefined) { try { throw 1; } catch {} } };"
    )
    supply.give(vu)
    vu.call("run")
    assert supply.completed == 3


def test_an_interrupted_iteration_is_not_ended(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """Python counts it; the next one begins anew."""
    supply = Supply(SHARED)
    vu, _ = iterator()
    vu.evaluate("entries.stuck = () => { core.nextIteration(); core.sleep(1e9); };")
    supply.give(vu)
    running = vu.start("stuck")
    until(lambda: vu.state == SLEEPING)
    started = numbers_of(vu).started
    assert 0 < started <= time.monotonic()
    vu.interpreter.interrupt()
    running.get(timeout=DEADLINE)
    assert (supply.started, supply.completed) == (1, 0)
    numbers = numbers_of(vu)
    assert numbers.started == started
    numbers.started = 0.0
    vu.library.core_vu_set_numbers(vu.index, ctypes.byref(numbers))
    supply.give(vu, stop_at=time.monotonic() - 1)
    assert vu.call("run") == []
    assert supply.completed == 0


def test_numbers_go_on_over_supplies(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """A VU counts over all scenarios; Python sets the number in the scenario."""
    vu, _ = iterator()
    first, second = Supply(SHARED, 3), Supply(SHARED, 2)
    first.give(vu)
    assert vu.call("run") == [0, 1, 2]
    numbers = numbers_of(vu)
    assert (numbers.iteration, numbers.in_scenario, numbers.in_test) == (2, 2, 2)
    numbers.in_scenario = -1
    vu.supply = second
    vu.library.core_vu_set_numbers(vu.index, ctypes.byref(numbers))
    second.give(vu)
    assert vu.call("run") == [3, 4]
    numbers = numbers_of(vu)
    assert (numbers.iteration, numbers.in_scenario, numbers.in_test) == (4, 1, 1)
    assert numbers.started == 0.0


def test_python_is_told_of_each_iteration(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """If it wants to."""
    told: list[int] = []
    vu, _ = iterator(numbered={ITERATION: told.append})
    Supply(SHARED, 2).give(vu)
    vu.library.core_vu_iteration_hook(vu.index, True)
    vu.call("run")
    assert told == [0, 1]
    vu.library.core_vu_iteration_hook(vu.index, False)
    Supply(SHARED, 2).give(vu)
    vu.call("run")
    assert told == [0, 1]


# -- time --------------------------------------------------------------------------------------------


def test_none_begins_after_the_end(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    supply = Supply(SHARED)
    vu, _ = iterator()
    supply.give(vu, stop_at=time.monotonic() - 0.001)
    assert vu.call("run") == []
    supply.give(vu, stop_at=time.monotonic() + 0.5)
    assert len(vu.call("run")) == supply.completed > 0


def test_the_end_can_be_moved(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    supply = Supply(SHARED)
    vu, _ = iterator()
    supply.give(vu, stop_at=time.monotonic() + 1e6)
    running = vu.start("run")
    until(lambda: supply.completed > 3)
    vu.library.core_vu_stop_at(vu.index, time.monotonic())
    assert len(running.get(timeout=DEADLINE)) == supply.completed


def test_iterations_take_their_least_time(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """Waiting is not part of them, and ends with the scenario."""
    supply = Supply(SHARED, 3, minimum=0.02)
    vu, _ = iterator()
    supply.give(vu)
    started = time.monotonic()
    vu.call("run")
    assert time.monotonic() - started >= 0.06
    assert supply.completed == 3
    endless = Supply(SHARED, minimum=1e6)
    endless.give(vu, stop_at=time.monotonic() + 0.5)
    assert vu.call("run") == [0]


def test_vus_take_turns_between_iterations(iterator: Callable[..., tuple[VU, list[int]]]) -> None:
    """None has all of them, however short they are."""
    supply = Supply(SHARED, 100_000)
    vus = [iterator()[0] for _ in range(3)]
    for vu in vus:
        vu.evaluate(
            "entries.run = () => { let n = 0; while (core.nextIteration() !== undefined) n += 1; return n; };"
        )
        supply.give(vu)
    counts = [one.get(timeout=DEADLINE) for one in [vu.start("run") for vu in vus]]
    assert sum(counts) == 100_000
    assert min(counts) > 1000
