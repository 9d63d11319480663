"""VUs of the core in this process, with a test's JavaScript and nothing of a run around them."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Any

import gevent
from waiting import DEADLINE

from jsrunner.core.binding import Collected, Numbers
from jsrunner.engine.engine import process_engine
from jsrunner.engine.errors import Interrupted
from jsrunner.engine.interpreter import Interpreter
from jsrunner.script.script import ScriptBundle

if TYPE_CHECKING:
    from collections.abc import Callable


#: What a test's JavaScript finds: it sets `entries.NAME`, which the test calls.
PRELUDE = """
import * as core from 'jsrunner:core';
import { entries, host } from 'jsrunner:host';
import { describe } from 'jsrunner:errors';
import * as loop from 'jsrunner:loop';
const say = (...values) => host('say', values.length === 1 ? values[0] : values);
const busy = (milliseconds) => { const end = core.now() + milliseconds; while (core.now() < end); };
"""


class VU:
    """An interpreter with JavaScript of the test's, evaluated as the module `file:///test.js`.

    `operations` are found by `host(name)`; `say(...)` of JavaScript fills `said`.
    """

    def __init__(
        self,
        source: str = "",
        *,
        modules: dict[str, str] | None = None,
        operations: dict[str, Callable[..., object]] | None = None,
        numbered: dict[int, Callable[..., object]] | None = None,
        deferred: dict[int, Callable[[int], object]] | None = None,
        tracks_contexts: bool = False,
    ) -> None:
        self.said: list[Any] = []
        self.supply: Supply | None = None
        self.faults: list[BaseException] = []
        self._script = ScriptBundle("script.js", source="")
        self._modules = modules or {}
        self._named = {"say": self.said.append, **(operations or {})}
        self.engine = process_engine()
        self.engine.start_with_hub()
        self.library = self.engine.library
        self.interpreter: Any = Interpreter(
            self.engine,
            find_operation=self._named.__getitem__,
            load=self._load,
            normalize=lambda base, name: name,
            on_fault=self.faults.append,
        )
        self.interpreter.operations.update(numbered or {})
        self.interpreter.deferred.update(deferred or {})
        self.index = self.interpreter.index
        if tracks_contexts:
            self.library.core_vu_track_contexts(self.index)
        self.evaluate(source)

    def _load(self, name: str) -> str:
        return self._modules.get(name) or self._script.load(name)

    def evaluate(self, source: str, name: str = "file:///test.js", deadline: float = 0.0) -> None:
        """Evaluate a module with the prelude in front of it, on the same line."""
        self.interpreter.evaluate(PRELUDE.replace("\n", " ") + source, name, deadline)

    def call(self, entry: str, *arguments: object, within: float = DEADLINE) -> Any:
        """Call an entry, which is interrupted after so many seconds."""
        return self.interpreter.call(entry, *arguments, deadline=time.monotonic() + within)

    def start(self, entry: str, *arguments: object) -> gevent.Greenlet:
        """Call an entry beside the test; the greenlet's value is the result or the exception."""

        def call() -> Any:
            try:
                return self.call(entry, *arguments)
            except Interrupted as error:
                return error

        return gevent.spawn(call)

    @property
    def state(self) -> int:
        """enum vu_state of core.h."""
        state: int = self.library.core_vu_state(self.index)
        return state

    @property
    def memory(self) -> int:
        """Bytes that the interpreter has allocated."""
        size: int = self.library.core_vu_memory(self.index)
        return size

    def close(self) -> None:
        """Free it."""
        if self.interpreter is not None:
            self.interpreter.close()


#: Names of enum vu_state.
UNUSED, IDLE, READY, RUNNING, ASKING, WAITING, LISTENING, SLEEPING, DRAINING, EXCHANGING = range(10)


def until(condition: Callable[[], Any]) -> Any:
    """Give way until the condition holds; return what it returns."""
    deadline = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        gevent.sleep(0.001)
    return value


#: enum series_kind of samples.c.
COUNTER, RATE, GAUGE, TREND = range(4)
#: Built-in metrics of which the core itself takes samples, in the order of enum metric, with their kinds.
BUILTIN = (COUNTER, COUNTER, TREND, COUNTER, RATE, TREND)
#: enum supply_kind of iterations.c.
SHARED, PER_VU, ARRIVALS, LEASED = range(4)


def collect(library: Any) -> dict[int, Any]:
    """Return the samples since the last call by series: a sum, tuples, or a trend's values."""
    collected = (Collected * 3)()  # few, so that it takes several calls
    found: dict[int, Any] = {}
    while count := library.core_collect(collected, len(collected)):
        for one in collected[:count]:
            values = (ctypes.c_double * one.count).from_address(one.values) if one.values else ()
            found[one.series] = {
                COUNTER: one.a, RATE: (one.a, one.b), GAUGE: (one.a, one.b, one.c), TREND: list(values),
            }[one.kind]  # fmt: skip
    return found


class Supply:
    """A scenario's supply of iterations, and the series of what its VUs measure."""

    def __init__(
        self,
        kind: int,
        total: int = 1 << 62,
        *,
        stride: int = 1,
        offset: int = 0,
        minimum: float = 0.0,
    ) -> None:
        self.library = process_engine().library
        #: Drawn, started, completed, then the cells of leases.
        self.cells = (ctypes.c_int64 * 7)()
        base = ctypes.addressof(self.cells)
        self._leases = base + 24
        drawn = self._leases if kind == LEASED else base
        self._supply = self.library.core_supply_create(
            kind, drawn, total, stride, offset, base + 8, base + 16, minimum
        )
        self.tag_set = self.library.core_tag_set_create()
        self.series = [self.library.core_series_create(one) for one in BUILTIN]
        for metric, series in enumerate(self.series):
            self.library.core_tag_set_series(self.tag_set, metric, series)

    def give(self, vu: VU, *, left: int = 0, reserved: int = -1, stop_at: float = 0.0) -> None:
        """Have a VU draw from it."""
        if vu.supply is not self:
            self.library.core_vu_set_numbers(vu.index, ctypes.byref(Numbers(-1, -1, -1, 0, 0.0)))
        vu.supply = self  # the core has the addresses of its cells
        self.library.core_vu_tags(vu.index, self.tag_set, -1)
        self.library.core_vu_supply(vu.index, self._supply, left, reserved, stop_at)

    def lend(self, first: int, count: int) -> bool:
        """Put a range of numbers into the leases."""
        return bool(self.library.core_leases_put(self._leases, first, count))

    def take(self, most: int) -> list[int]:
        """Take numbers out of the leases."""
        first = ctypes.c_int64()
        count = self.library.core_leases_take(self._leases, most, ctypes.byref(first))
        return list(range(first.value, first.value + count))

    @property
    def left(self) -> int:
        """The number of numbers that the leases have."""
        return int(self.library.core_leases_left(self._leases))

    @property
    def wanted(self) -> bool:
        """True if a VU waits for a lease."""
        return bool(self.cells[5])

    def end_leases(self) -> None:
        """Have no VU wait any more."""
        self.cells[6] = 1

    @property
    def drawn(self) -> int:
        return self.cells[0]

    @property
    def started(self) -> int:
        return self.cells[1]

    @property
    def completed(self) -> int:
        return self.cells[2]

    def measured(self) -> list[Any]:
        """Return the samples since the last call by metric; None for a metric without samples."""
        found = collect(self.library)
        return [found.get(series) for series in self.series]
