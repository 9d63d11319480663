"""The coordinator's side of loans, played against machines that draw as the core does."""

from __future__ import annotations

import random
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.coordinator.remote.frames import LOAN, LOANS, NUMBER, FrameKind, FrameReader
from jsrunner.coordinator.remote.leases import MOST, Order, Pool


class Machine:
    """An agent with its VUs: numbers on loan, and orders that are on their way."""

    def __init__(self) -> None:
        self.orders: deque[bytes] = deque()
        self.held: list[int] = []
        self.drawn: list[int] = []
        self.loans = 0
        self.wants = self.is_over = False

    def draw(self) -> None:
        if self.held:
            self.drawn.append(self.held.pop(0))
        elif not self.is_over:
            self.wants = True

    def report(self) -> bytes:
        return LOANS.pack(len(self.held), self.loans, self.wants)

    def obey(self) -> bytes | None:
        """Obey the next order; return what is given back."""
        [order] = FrameReader().feed(self.orders.popleft())
        if order.kind is FrameKind.GIVE_BACK:
            count = min(*NUMBER.unpack(order.data), (len(self.held) + 1) // 2)
            taken = self.held[len(self.held) - count :]
            del self.held[len(self.held) - count :]
            if taken and taken != list(range(taken[0], taken[-1] + 1)):  # of the last range only
                self.held, taken = self.held + taken, []
            return LOAN.pack(taken[0] if taken else 0, len(taken))
        first, count = LOAN.unpack(order.data)
        if count:
            self.held += range(first, first + count)
            self.loans += 1
            self.wants = False
        else:
            self.is_over = True
        return None


def carry(machines: list[Machine], orders: list[Order]) -> None:
    for order in orders:
        machines[order.machine].orders.append(order.frame)


def play(pool: Pool, machines: list[Machine], speeds: list[int], seed: int) -> None:
    """Let things happen in any order until no machine expects more."""
    chance = random.Random(seed)
    carry(machines, pool.begin())
    for _ in range(100_000):
        if all(machine.is_over and not machine.held for machine in machines):
            return
        number = chance.randrange(len(machines))
        machine = machines[number]
        if chance.randrange(100) < speeds[number]:
            machine.draw()
        if machine.orders and chance.random() < 0.5:
            returned = machine.obey()
            if returned is not None:
                carry(machines, pool.take_back(number, returned))
        if chance.random() < 0.5:
            carry(machines, pool.report(number, machine.report()))
    raise AssertionError("it comes to no end")


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 100)), min_size=2, max_size=5),
    st.integers(0, 1000),
)
@settings(max_examples=200, deadline=None)
def test_each_number_is_drawn_once(shares: list[tuple[int, int]], seed: int) -> None:
    ranges, first = [], 7
    for count, _ in shares:
        ranges.append(range(first, first + count))
        first += count
    machines = [Machine() for _ in shares]
    play(Pool(0, ranges), machines, [speed for _, speed in shares], seed)
    drawn = sorted(number for machine in machines for number in machine.drawn)
    assert drawn == list(range(7, first))


def test_a_fast_machine_takes_over_nearly_everything() -> None:
    machines = [Machine(), Machine()]
    play(Pool(0, [range(500), range(500, 1000)]), machines, [1, 100], 1)
    assert len(machines[0].drawn) < 100


def test_what_a_lost_machine_has_is_lost_and_the_others_come_to_an_end() -> None:
    machines = [Machine(), Machine()]
    pool = Pool(0, [range(10), range(10, 20)])
    carry(machines, pool.begin())
    second = machines[1]
    while second.orders:
        second.obey()
    for _ in range(11):
        second.draw()
    carry(machines, pool.report(1, second.report()))
    carry(machines, pool.lose(0))
    second.obey()
    assert second.is_over
    assert second.drawn == list(range(10, 20))


def test_a_long_range_is_lent_piece_by_piece() -> None:
    pool = Pool(0, [range(3 * MOST), range(3 * MOST, 3 * MOST)])
    lent = []
    orders = pool.begin()
    while orders:
        [order] = [order for order in orders if order.machine == 0]
        [frame] = FrameReader().feed(order.frame)
        lent.append(LOAN.unpack(frame.data))
        left = 0 if len(lent) == 3 else 5
        orders = pool.report(0, LOANS.pack(left, len(lent), False)) if lent[-1][1] else []
        orders = [order for order in orders if order.machine == 0]
    assert lent == [(0, MOST), (MOST, MOST), (2 * MOST, MOST), (0, 0)]
