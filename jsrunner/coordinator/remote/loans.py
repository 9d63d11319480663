"""The shared iterations that a machine has on loan: the agent's side. `leases` is the coordinator's."""

from __future__ import annotations

import ctypes
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.remote.frames import LOAN, LOANS, NUMBER
from jsrunner.core import binding
from jsrunner.messages import board as boards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.messages.board import Board

#: Seconds between two reports of a machine that has enough.
_REPORT_EVERY: Final = 0.5


class _Scenario:
    """The loans of one scenario."""

    def __init__(self, board: Board, slot: int) -> None:
        self.counts = board.view(slot, 0)
        self.address = self.counts.address(boards.LEASES)
        #: Loans that have come, and those of them that have no room in the cells yet.
        self.count = 0
        self.waiting: deque[tuple[int, int]] = deque()
        self.is_over = False
        self.reported = (0, 0, False)


class Loans:
    """All loans of one machine, in the cells of the board. The agent makes and uses it."""

    def __init__(self, board: Board, scenarios: int) -> None:
        self._library = binding.attach()
        self._scenarios = [_Scenario(board, slot) for slot in range(scenarios)]
        self._reported_at = 0.0
        #: Whether VUs may soon want more.
        self.are_used = False

    def add(self, slot: int, data: bytes) -> None:
        """Add a loan, a `LOAN`; one of no iterations is the last."""
        scenario = self._scenarios[slot]
        first, count = LOAN.unpack(data)
        if count:
            self.are_used = True
            scenario.waiting.append((first, count))
            self._put(scenario)
        else:
            scenario.is_over = True
            scenario.counts.end_leases()
            self.are_used = not all(
                scenario.is_over or not scenario.count for scenario in self._scenarios
            )

    def _put(self, scenario: _Scenario) -> None:
        while scenario.waiting:
            if not self._library.core_leases_put(scenario.address, *scenario.waiting[0]):
                return
            scenario.waiting.popleft()
            scenario.count += 1

    def give_back(self, slot: int, data: bytes) -> bytes:
        """Return iterations that nobody has begun, as a `LOAN`: at most the `NUMBER`."""
        [most] = NUMBER.unpack(data)
        first = ctypes.c_int64()
        address = self._scenarios[slot].address
        count = self._library.core_leases_take(address, most, ctypes.byref(first))
        return LOAN.pack(first.value, count)

    def reports(self) -> Iterator[tuple[int, bytes]]:
        """Yield (slot, `LOANS`) of the scenarios of which there is news for the coordinator."""
        now = time.monotonic()
        is_time = now > self._reported_at + _REPORT_EVERY
        if is_time:
            self._reported_at = now
        for slot, scenario in enumerate(self._scenarios):
            self._put(scenario)
            left = self._library.core_leases_left(scenario.address)
            report = (left, scenario.count, not left and scenario.counts.wants_lease)
            before = scenario.reported
            if report != before and (is_time or not left or report[1:] != before[1:]):
                scenario.reported = report
                yield slot, LOANS.pack(*report)
