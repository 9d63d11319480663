"""Play a scenario with an arrival rate in one process.

Each of the n processes that play the scenario knows all planned starts and takes every n-th start. If
the scenario may add VUs, all processes play it, else the processes that have VUs for it. A start goes
to the VU that has been idle longest. If this process has no idle VU, the start goes to another process
of the same machine, through that process's mail pipe. If no process of the machine has an idle VU, the
start goes to another machine that had an idle VU at its last report. Otherwise, or if that machine has
no idle VU any more, the start is dropped, and the machine makes another VU, up to its maximum.
"""

from __future__ import annotations

import os
import time
from array import array
from collections import deque
from typing import TYPE_CHECKING, Final

import gevent

from jsrunner.errors import JsrunnerError
from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.plan import Interval
from jsrunner.messages import board, mail
from jsrunner.worker.player import YIELD, Player
from jsrunner.worker.scenario import NONE, Assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jsrunner.messages.board import Board
    from jsrunner.messages.plan import Machine
    from jsrunner.worker.process import Process
    from jsrunner.worker.scenario import Scenario
    from jsrunner.worker.scenario_vu import ScenarioVU
    from jsrunner.worker.vus import VUs

#: Seconds without a yield to other greenlets, while starts are late.
_TIME_SLICE: Final = 0.002
#: Seconds after the scenario's end at which late starts are dropped.
_TOO_LATE: Final = 0.25
#: Seconds between two checks of the other processes' starts.
_LOOK_EVERY: Final = 0.002
#: Maximum starts that other machines have not answered, and seconds to wait for answers at the end.
_UNANSWERED_MAX: Final = 1000
_ANSWER_PATIENCE: Final = 2.0


class Arrival(Assignment):
    """One VU's service for the scenario: it waits until an iteration is due."""

    def __init__(self, player: ArrivalPlayer) -> None:
        super().__init__(player.scenario, NONE)
        self._player = player
        self._begin: Callable[[bool], object] | None = None

    def await_arrival(self, begin: Callable[[bool], object]) -> None:
        """Call `begin(True)` when an iteration is due, `begin(False)` at the scenario's end."""
        if self._player.is_over:
            begin(False)
            return
        self._begin = begin
        self._player.add_idle(self)

    def wake(self, goes_on: bool) -> None:
        """Call the waiting VU's `begin(goes_on)` from the hub."""
        begin, self._begin = self._begin, None
        assert begin is not None
        gevent.get_hub().loop.run_callback(begin, goes_on)

    def interrupted(self) -> None:
        """Remove an interrupted VU from the idle ones."""
        if self._begin is not None:
            self._begin = None
            self._player.remove_idle(self)


class ArrivalPlayer(Player):
    """The player of one scenario with an arrival rate (see the module).

    `workers` are the numbers of the processes of the run that play the scenario.
    """

    def __init__(
        self,
        process: Process,
        vus: VUs,
        scenario: Scenario,
        indices: Sequence[int],
        *,
        slot: int,
        worker: int,
        workers: Sequence[int],
        machine: Machine,
        memory: Board,
    ) -> None:
        super().__init__(process, vus, scenario, indices)
        assert isinstance(self.plan.iterations, Arrivals)
        self._arrivals = self.plan.iterations
        self._slot = slot
        self._worker = worker
        first = machine.workers.start
        #: The places on the board of those of this machine.
        self._workers = [number - first for number in workers if number in machine.workers]
        self._max_vus = machine.max_vus(scenario.config.name, self._arrivals.max_vus)
        #: This process's place among all that play the scenario, and their number.
        self._rank = sum(number < first + worker for number in workers)
        self._count = len(workers)
        self._machine = machine
        self._board = memory
        #: Starts that went to other machines and are not answered yet.
        self._unanswered = 0
        self._idle: deque[Arrival] = deque()
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._setup_data: bytes | None = None
        self._over = False
        #: Seconds from the scenario's start to its regular end, as far as planned starts are known.
        self._end = self.plan.duration if self._arrivals.profile.at_once else 0.0
        #: Start lags in milliseconds since the last snapshot.
        self._lateness = array("d")

    def _play_all(self, setup_data: bytes | None) -> None:
        if self._worker not in self._workers:
            return
        self._setup_data = setup_data
        for _ in self.indices:
            self.counts.add_vu()
            self._add(self.vus.pool.take())
        gevent.sleep(YIELD)  # they become idle
        self._start_all()
        self._await_others()
        self._over = True
        while self._idle and self.counts.reserve(self._worker):
            self._idle.pop().wake(False)
        # A VU that is still idle is reserved by another process: its start is in this one's pipe.
        while self._greenlets:
            gevent.joinall([self._greenlets.pop()], raise_error=True)

    def _add(self, vu: ScenarioVU) -> None:
        all_time = Interval(0.0, float("inf"), self.plan.duration + self.scenario.config.graceful_stop)
        self._greenlets.append(
            gevent.spawn(self._employ, vu, Arrival(self), self._setup_data, [all_time])
        )

    def take_lateness(self) -> bytes:
        """Return the start lags since the last call: milliseconds, as doubles."""
        taken = self._lateness.tobytes()
        del self._lateness[:]
        return taken

    @property
    def is_over(self) -> bool:
        """True if no iteration starts any more."""
        return self._over

    def add_idle(self, arrival: Arrival) -> None:
        """Add a VU that waits for an iteration."""
        self._idle.append(arrival)
        self.counts.wait_for_arrival()

    def remove_idle(self, arrival: Arrival) -> None:
        """Remove a VU that was interrupted while it waited."""
        if arrival in self._idle:
            self._idle.remove(arrival)
            self.counts.reserve(self._worker)

    # -- starts ------------------------------------------------------------------------------------

    def _own_starts(self) -> Iterator[float]:
        rank, count = self._rank, self._count
        for number, offset in enumerate(self._arrivals.starts()):
            self._end = max(self._end, offset)
            if number % count == rank:
                yield offset

    def _own_count(self) -> int:
        """Return the count of this process's starts."""
        rank, count = self._rank, self._count
        return (self._arrivals.count() - rank + count - 1) // count

    def _await_others(self) -> None:
        """Wait for the scenario's regular end, and until no process has starts for this one's VUs.

        A constant rate ends with its duration, a ramping one with its last start, as in k6.
        """
        self._sleep_until(self._end)
        self.counts.set_state(board.STARTED_ALL)
        while not self.process.stopping and any(
            self.counts.state(worker) < board.STARTED_ALL for worker in self._workers
        ):
            self.process.stop_event.wait(_LOOK_EVERY)
        latest = time.monotonic() + _ANSWER_PATIENCE
        while self._unanswered and not self.process.stopping and time.monotonic() < latest:
            self.process.stop_event.wait(_LOOK_EVERY)
        if self._unanswered:
            self.record_dropped(self._unanswered)
            self._unanswered = 0

    def _start_all(self) -> None:
        last_yield = time.monotonic()
        for number, offset in enumerate(self._own_starts()):
            now = time.monotonic()
            left = self.start_at + offset - now
            if left > 0:
                self.process.stop_event.wait(left)
                last_yield = time.monotonic()
            elif now - last_yield > _TIME_SLICE or not self._idle:
                # Starts are late: VUs must run all the same, perhaps to become idle.
                gevent.sleep(YIELD)
                last_yield = time.monotonic()
            if self.process.stopping:
                return
            if now > self.start_at + self.plan.duration + _TOO_LATE:
                self.record_dropped(self._own_count() - number)
                return
            self._start(offset)

    def _start(self, offset: float) -> None:
        counts = self.counts
        if counts.reserve(self._worker):
            self._begin(offset)
            return
        if any(worker != self._worker and self._hand_over(worker, offset) for worker in self._workers):
            return
        others = self._board.others
        if (
            others is not None
            and self._unanswered < _UNANSWERED_MAX
            and self._hand_over(others, offset)
        ):
            self._unanswered += 1
            return
        self._refuse()

    def _refuse(self) -> None:
        """Drop a start for which there is no VU; make one more if there may be more."""
        counts = self.counts
        self.record_dropped(1)
        if counts.state(self._worker) == board.STARTED_ALL:
            return
        if counts.begin_making(self._max_vus):
            self._greenlets.append(gevent.spawn(self._make_vu))
        elif not counts.is_making and counts.tell_once():
            self.process.log(
                "warning",
                f"Insufficient VUs, reached {counts.vus} active VUs and cannot initialize more",
                executor=self.scenario.config.type,
                scenario=self.scenario.config.name,
            )

    def _hand_over(self, place: int, offset: float) -> bool:
        """Hand a start over to another process or machine; return True if that one has a free VU."""
        if not self.counts.reserve(place):
            return False
        entry = mail.MailEntry(mail.START, self._slot, self._machine.index, self._worker, offset)
        if self._board.post(place, entry.pack()):
            return True
        self.counts.release(place)
        return False

    def take(self, entry: mail.MailEntry) -> None:
        """Begin the iteration that another process has handed over, or take an answer of a machine."""
        if entry.kind == mail.START:
            self._begin(entry.offset)
        elif self._unanswered:
            self._unanswered -= 1
            if entry.kind == mail.REFUSED:
                self._refuse()

    def _begin(self, offset: float) -> None:
        """Start an iteration, planned at `offset`, on the VU of this process reserved for it."""
        if not self._idle:  # interrupted meanwhile
            return
        self._lateness.append((time.monotonic() - self.start_at - offset) * 1000)
        self._idle.popleft().wake(True)

    def _make_vu(self) -> None:
        """Make one more VU, and assign it to the scenario."""
        try:
            vu = self.vus.add()
        except JsrunnerError as error:
            self.process.log("error", str(error))
            return
        finally:
            self.counts.end_making()
        if self._over or self.process.stopping:
            self.vus.pool.give_back(vu)
        else:
            self._add(vu)


def deliver(players: Sequence[Player], pipe: int) -> None:
    """Take the entries that other processes have sent through the mail pipe."""
    while True:
        try:
            data = os.read(pipe, mail.SIZE * 256)
        except BlockingIOError:
            return
        if not data:
            return
        for entry in mail.unpack(data):
            player = players[entry.slot]
            assert isinstance(player, ArrivalPlayer)
            player.take(entry)
