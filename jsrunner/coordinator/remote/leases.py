"""Shared iterations over machines: who has which on loan. Pure; `loans` is the agents' side.

All iterations that no VU has reserved are lent at the beginning, divided as the VUs are. When the VUs
of a machine wait, the machine that has the most gives back half of what nobody has begun there. At last
no machine has any left and none is on its way: then no more come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from jsrunner.coordinator.remote.frames import LOAN, LOANS, NUMBER, FrameKind, frame

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The longest loan, and the bound of numbers: see core/leases.c.
MOST: Final = (1 << 24) - 1
_BOUND: Final = 1 << 39
#: A machine gets another loan before it wants one, if it has fewer and the coordinator has more.
_LOW: Final = 1 << 20


class Order(NamedTuple):
    """A frame for one machine."""

    machine: int
    frame: bytes


class _Borrower(Struct):
    """A machine as the coordinator sees it."""

    #: Iterations that nobody had begun when it reported last.
    left: int = 0
    #: Loans that were sent, and those that had come when it reported last.
    sent: int = 0
    received: int = 0
    #: Whether VUs wait.
    wants: bool = False
    #: Whether it was asked to give back some, and has not done so yet.
    is_asked: bool = False
    is_lost: bool = False

    @property
    def is_settled(self) -> bool:
        """True if no loan is on its way."""
        return self.received == self.sent


class Pool:
    """The shared iterations of one scenario. Each method returns the orders that follow."""

    def __init__(self, slot: int, ranges: Sequence[range]) -> None:
        """Make a pool of which nothing is lent yet.

        Args:
            slot: The place of the scenario among all, from 0.
            ranges: What each machine is lent at the beginning.
        """
        self._slot = slot
        self._first = [_bounded(numbers) for numbers in ranges]
        #: Iterations that no machine has: (first, count).
        self._ranges: list[tuple[int, int]] = []
        self._borrowers = [_Borrower() for _ in ranges]
        self._is_over = False

    def begin(self) -> list[Order]:
        """Lend each machine its range."""
        orders = []
        for machine, numbers in enumerate(self._first):
            if numbers:
                self._ranges.append((numbers.start, len(numbers)))
                orders.append(self._lend(machine, MOST))
        return orders + self._settle()

    def report(self, machine: int, data: bytes) -> list[Order]:
        """Note a machine's report, a `LOANS`."""
        borrower = self._borrowers[machine]
        borrower.left, borrower.received, borrower.wants = LOANS.unpack(data)
        return self._settle()

    def take_back(self, machine: int, data: bytes) -> list[Order]:
        """Note what a machine has given back, a `LOAN`, which may be nothing."""
        borrower = self._borrowers[machine]
        first, count = LOAN.unpack(data)
        borrower.is_asked = False
        borrower.left = max(borrower.left - count, 0) if count else 0
        if count:
            self._ranges.append((first, count))
        return self._settle()

    def lose(self, machine: int) -> list[Order]:
        """Note that a machine is lost; what it has not begun is lost, too: nobody knows which."""
        self._borrowers[machine].is_lost = True
        return self._settle()

    def _settle(self) -> list[Order]:
        """Return the orders that the state calls for."""
        if self._is_over:
            return []
        alive = {
            machine: borrower
            for machine, borrower in enumerate(self._borrowers)
            if not borrower.is_lost
        }
        settled = [machine for machine, borrower in alive.items() if borrower.is_settled]
        waiting = [machine for machine in settled if alive[machine].wants and not alive[machine].left]
        orders: list[Order] = []
        while waiting and self._ranges:
            share = -(-self._size() // len(waiting))
            orders.append(self._lend(waiting.pop(), share))
        orders.extend(
            self._lend(machine, MOST)
            for machine in settled
            if self._first[machine]
            and alive[machine].is_settled
            and alive[machine].left < _LOW <= self._size()
        )
        orders += self._ask(alive, len(waiting))
        if not self._ranges and all(
            borrower.is_settled and not borrower.left and not borrower.is_asked
            for borrower in alive.values()
        ):
            self._is_over = True
            last = frame(FrameKind.LEND, self._slot, LOAN.pack(0, 0))
            orders += [Order(machine, last) for machine in alive]
        return orders

    def _ask(self, alive: dict[int, _Borrower], count: int) -> list[Order]:
        """Ask the machines that have the most for a half, so that `count` were asked."""
        orders: list[Order] = []
        count -= sum(borrower.is_asked for borrower in alive.values())
        for machine, borrower in sorted(alive.items(), key=lambda item: -item[1].left):
            if len(orders) >= count or not borrower.left:
                break
            if not borrower.is_asked:
                borrower.is_asked = True
                most = NUMBER.pack((borrower.left + 1) // 2)
                orders.append(Order(machine, frame(FrameKind.GIVE_BACK, self._slot, most)))
        return orders

    def _size(self) -> int:
        return sum(count for _, count in self._ranges)

    def _lend(self, machine: int, most: int) -> Order:
        """Lend a machine at most this number of iterations, of the last range."""
        first, count = self._ranges.pop()
        lent = min(count, most, MOST)
        if count > lent:
            self._ranges.append((first + lent, count - lent))
        self._borrowers[machine].sent += 1
        return Order(machine, frame(FrameKind.LEND, self._slot, LOAN.pack(first, lent)))


def _bounded(numbers: range) -> range:
    return range(min(numbers.start, _BOUND), min(numbers.stop, _BOUND))
