"""Counts of a run in memory that all of its processes on one machine map.

Each scenario has a cell from which its VUs draw the numbers of iterations, and counts of each worker,
which only that worker writes.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The counts of a worker for one scenario: iterations.
STARTED: Final = 0
COMPLETED: Final = 1
INTERRUPTED: Final = 2
#: VUs that play the scenario, and those of them that wait for an arrival.
ACTIVE: Final = 3
IDLE: Final = 4
STATE: Final = 5
#: VUs that were assigned to a scenario with an arrival rate.
_ASSIGNED: Final = 6
_COUNTS: Final = 7

#: The cells of a scenario that its processes share: numbers drawn so far, VUs, and two flags.
DRAWN: Final = 0
_VUS: Final = 1
_MAKING: Final = 2
_TOLD: Final = 3
#: The cells of core/leases.c: two ranges of numbers, whether a VU wants more, whether no more come.
LEASES: Final = 4
_WANTED: Final = 6
_NO_MORE: Final = 7
_SHARED: Final = 8

#: The cells of the run: the number of VUs, when the next HTTP request may start (option rps), and the
#: nanoseconds that this machine's clock is behind the coordinator's.
_ALL_VUS: Final = 0
_NEXT_START: Final = 1
_CLOCK_LAG: Final = 2
_OF_RUN: Final = 3

#: Values of STATE.
WAITING: Final = 0
RUNNING: Final = 1
#: It has an arrival rate, and this worker has no more starts.
STARTED_ALL: Final = 2
DONE: Final = 3

#: More iterations than there can be.
ENDLESS: Final = 1 << 62


class Board:
    """The memory of one run: its descriptor, which forked processes inherit, and its layout."""

    def __init__(self, workers: int, *, with_others: bool = False) -> None:
        """Make the memory of a run.

        Args:
            workers: The number of the machine's workers.
            with_others: True if there are other machines: the sums of their counts have a place behind
                the counts of the workers.
        """
        self.descriptor = os.memfd_create("jsrunner-board")
        self.workers = workers
        #: The place of the other machines behind those of the workers; None if there are none.
        self.others = workers if with_others else None
        self._stride = _SHARED + (workers + with_others) * _COUNTS
        self._cells = memoryview(b"").cast("q")
        #: The address of the first cell.
        self.base = 0
        #: For each worker, and for other machines, a pipe by which workers hand iterations over.
        self.mail = [os.pipe2(os.O_NONBLOCK) for _ in range(workers + with_others)]

    def open(self, scenarios: int) -> None:
        """Map the cells of the run and those of this number of scenarios."""
        size = (_OF_RUN + scenarios * self._stride) * 8
        if os.fstat(self.descriptor).st_size < size:
            os.ftruncate(self.descriptor, size)
        mapped = mmap.mmap(self.descriptor, size)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        self._cells = memoryview(mapped).cast("q")

    def view(self, slot: int, worker: int) -> Counts:
        """Return the counts of one scenario as one worker has them.

        Args:
            slot: The place of the scenario among all, from 0.
            worker: The number of the worker, from 0: its own counts may be changed.
        """
        start = _OF_RUN + slot * self._stride
        return Counts(self, self._cells[start : start + self._stride], start, worker)

    @property
    def vus(self) -> int:
        """The number of VUs: of those planned in the whole run, and further ones of this machine."""
        return self._cells[_ALL_VUS]

    @vus.setter
    def vus(self, count: int) -> None:
        self._cells[_ALL_VUS] = count

    @property
    def clock_lag(self) -> int:
        """Nanoseconds to add to times of this machine's clock for those of the coordinator's."""
        return self._cells[_CLOCK_LAG]

    @clock_lag.setter
    def clock_lag(self, nanoseconds: int) -> None:
        self._cells[_CLOCK_LAG] = nanoseconds

    def new_vu(self) -> int:
        """Count a further VU of this machine. Return the new number of VUs."""
        with self.locked(_ALL_VUS * 8):
            self._cells[_ALL_VUS] += 1
            return self._cells[_ALL_VUS]

    def next_start(self, now: int, interval: int) -> int:
        """Return when, at the soonest, the next request of any process may start.

        Args:
            now: Nanoseconds of time.monotonic_ns.
            interval: Nanoseconds from the start of a request to that of the next one.
        """
        with self.locked(_NEXT_START * 8):
            start = max(now, self._cells[_NEXT_START])
            self._cells[_NEXT_START] = start + interval
        return start

    def post(self, place: int, entry: bytes) -> bool:
        """Put an entry into the mail pipe of a worker or of the other machines; False if it is full."""
        try:
            os.write(self.mail[place][1], entry)
        except BlockingIOError:
            return False
        return True

    @contextlib.contextmanager
    def locked(self, offset: int) -> Iterator[None]:
        """Keep other processes off the cell at this byte (1 us)."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 8, offset)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 8, offset)

    def rows(self, scenarios: int, first: int, count: int) -> bytes:
        """Return the counts of some workers, for `set_rows` of another board.

        Args:
            scenarios: The number of scenarios.
            first: The first of the workers, from 0.
            count: The number of workers.
        """
        size = count * _COUNTS
        starts = (self._row(slot, first) for slot in range(scenarios))
        return b"".join(bytes(self._cells[start : start + size]) for start in starts)

    def set_rows(self, scenarios: int, first: int, rows: bytes) -> None:
        """Set the counts of some workers, from number `first` on, to what `rows` has returned."""
        cells = memoryview(rows).cast("q")
        size = len(cells) // (scenarios or 1)
        for slot in range(scenarios):
            start = self._row(slot, first)
            self._cells[start : start + size] = cells[slot * size : (slot + 1) * size]

    def sums(self, scenarios: int, groups: Sequence[range]) -> list[bytes]:
        """Return for each group of workers the sums of all other groups' counts, as rows of one worker.

        Args:
            scenarios: The number of scenarios.
            groups: Numbers of workers, e.g. those of one machine.
        """
        own = [
            [
                sum(self._cells[start + count : start + len(group) * _COUNTS : _COUNTS])
                for start in (self._row(slot, group.start) for slot in range(scenarios))
                for count in range(_COUNTS)
            ]
            for group in groups
        ]
        totals = [sum(column) for column in zip(*own, strict=True)]
        return [
            array("q", (total - part for total, part in zip(totals, parts, strict=True))).tobytes()
            for parts in own
        ]

    def vacate(self, scenarios: int, worker: int) -> None:
        """Note that a worker has gone: none of its VUs is active."""
        for slot in range(scenarios):
            start = self._row(slot, worker)
            self._cells[start + ACTIVE] = self._cells[start + IDLE] = 0
            self._cells[start + STATE] = DONE

    def _row(self, slot: int, worker: int) -> int:
        return _OF_RUN + slot * self._stride + _SHARED + worker * _COUNTS

    def close(self) -> None:
        """Close the memory's descriptor and the pipes; the mapped cells stay."""
        descriptors = [self.descriptor, *(end for pipe in self.mail for end in pipe)]
        self.descriptor, self.mail = -1, []
        for descriptor in descriptors:
            if descriptor >= 0:
                os.close(descriptor)

    def __del__(self) -> None:
        self.close()


class Counts:
    """The counts of one scenario, as one worker has them."""

    def __init__(self, board: Board, cells: memoryview[int], start: int, worker: int) -> None:
        self._board = board
        self._cells = cells
        self._start = start * 8
        self._own = _SHARED + worker * _COUNTS

    def add(self, count: int, amount: int = 1) -> None:
        """Change a count of this worker's own (0.1 us)."""
        self._cells[self._own + count] += amount

    def set_state(self, state: int) -> None:
        """Set the state of this worker."""
        self._cells[self._own + STATE] = state

    def state(self, worker: int) -> int:
        """Return the state of a worker."""
        return self._cells[_SHARED + worker * _COUNTS + STATE]

    def total(self, count: int) -> int:
        """Return a count, added up over all workers."""
        return sum(self._cells[_SHARED + count :: _COUNTS])

    @property
    def active(self) -> int:
        """Number of VUs of all workers that run an iteration. As in k6, waiting VUs do not count."""
        return self.total(ACTIVE) - self.total(IDLE)

    def states(self) -> list[int]:
        """Return the states of all workers."""
        return list(self._cells[_SHARED + STATE :: _COUNTS])

    def address(self, cell: int) -> int:
        """Return the address of a cell that all workers share, for the core."""
        return self._board.base + self._start + cell * 8

    def own_address(self, count: int) -> int:
        """Return the address of a count of this worker's own, for the core."""
        return self._board.base + self._start + (self._own + count) * 8

    # -- leases ------------------------------------------------------------------------------------

    @property
    def wants_lease(self) -> bool:
        """True if a VU waits for a lease."""
        return bool(self._cells[_WANTED])

    def end_leases(self) -> None:
        """Note that no lease comes any more."""
        self._cells[_NO_MORE] = 1

    # -- VUs that wait for arrivals ----------------------------------------------------------------

    def reserve(self, worker: int) -> bool:
        """Take one of a worker's idle VUs for an iteration; False if it has none."""
        cell = _SHARED + worker * _COUNTS + IDLE
        if not self._cells[cell]:
            return False
        with self._board.locked(self._start):
            if not self._cells[cell]:
                return False
            self._cells[cell] -= 1
            return True

    def release(self, worker: int) -> None:
        """Undo `reserve`."""
        with self._board.locked(self._start):
            self._cells[_SHARED + worker * _COUNTS + IDLE] += 1

    def wait_for_arrival(self) -> None:
        """Count one more idle VU of this worker."""
        with self._board.locked(self._start):
            self._cells[self._own + IDLE] += 1

    def begin_making(self, most: int) -> bool:
        """Reserve the making of a further VU, if there are fewer than `most` and none is being made."""
        with self._board.locked(self._start):
            if self._cells[_MAKING] or self._cells[_VUS] >= most:
                return False
            self._cells[_MAKING] = 1
            self._cells[_VUS] += 1
        self.add(_ASSIGNED)
        return True

    def end_making(self) -> None:
        """End the making of a VU."""
        self._cells[_MAKING] = 0

    def add_vu(self) -> None:
        """Count a VU that plays the scenario from now on."""
        with self._board.locked(self._start):
            self._cells[_VUS] += 1
        self.add(_ASSIGNED)

    @property
    def vus(self) -> int:
        """The number of VUs that play the scenario, over all workers."""
        return self.total(_ASSIGNED)

    @property
    def is_making(self) -> bool:
        """True while a worker initialises a VU for the scenario."""
        return bool(self._cells[_MAKING])

    def tell_once(self) -> bool:
        """Return True for the first process that asks."""
        with self._board.locked(self._start):
            is_first = not self._cells[_TOLD]
            self._cells[_TOLD] = 1
            return is_first
