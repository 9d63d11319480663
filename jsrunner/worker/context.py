"""The context of a VU for its modules: position in the test, samples, groups, files, cookie jars."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from jsrunner.core.binding import Numbers
from jsrunner.engine.errors import HostError, Interrupted
from jsrunner.engine.metric_context import FEATURE, AsyncMetricContext, MetricContext
from jsrunner.errors import ScriptError
from jsrunner.messages.protocol import Abort
from jsrunner.metrics.registry import BUILTIN
from jsrunner.transport.jars import CookieJars

if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import CDLL

    from jsrunner.engine.interpreter import Interpreter
    from jsrunner.modules.base import HostModule
    from jsrunner.worker.process import Process
    from jsrunner.worker.scenario import Scenario


class _Group(Struct, frozen=True):
    """A group whose function is running."""

    #: The tag `group` outside of it.
    outer: str
    #: Start, in seconds since the epoch.
    started: float
    #: The tags and metadata at its start, if its sample has them.
    entered: tuple[dict[str, str], dict[str, str] | None] | None


class IterationNumbers:
    """The numbers of one VU's iterations, which the core counts (core/iterations.c).

    The context of the VU makes it. The last numbers stay after the interpreter is closed.
    """

    def __init__(self, library: CDLL, interpreter: Interpreter) -> None:
        self._library = library
        self._interpreter = interpreter
        self._numbers = Numbers(-1, -1, -1, 0, 0.0)
        self.write()

    def read(self) -> Numbers:
        """Return the current numbers; `write` publishes changes of them."""
        if self._interpreter.index >= 0:
            self._library.core_vu_numbers(self._interpreter.index, ctypes.byref(self._numbers))
        return self._numbers

    def write(self) -> None:
        """Give the core the numbers, as `read` has returned them and the caller has changed them."""
        self._library.core_vu_set_numbers(self._interpreter.index, ctypes.byref(self._numbers))


class VUContext:
    """The context of a VU for its modules. It implements `modules.context.ModuleContext`.

    The VU makes its context and keeps it for life; the worker's one thread uses it. The worker sets
    `in_init` and `scenario`. `cookies_changed()` is called when the VU's own jar comes or goes.
    """

    def __init__(
        self,
        process: Process,
        number: int,
        stage: str,
        interpreter: Interpreter,
        cookies_changed: Callable[[], object],
    ) -> None:
        self.process = process
        self.shared = process.shared
        self.interpreter = interpreter
        self.id = number
        self.stage = stage
        self.in_init = True
        self.scenario: Scenario | None = None
        #: Python halves of the modules that the script uses, by the prefix of their operations.
        self.modules: dict[str, HostModule] = {}
        self.jars = CookieJars(cookies_changed)
        self.numbers = IterationNumbers(process.engine.library, interpreter)
        self.context = _metric_context(process, stage)
        self.context.begin(interpreter.index)
        #: The groups whose functions are running, the innermost last.
        self._groups: list[_Group] = []
        #: The script's reason for aborting the test.
        self.aborted: str | None = None

    # -- position in the test ----------------------------------------------------------------------

    @property
    def iteration(self) -> int:
        """`__ITER`: the number of the iteration over all scenarios, -1 before the first."""
        return int(self.numbers.read().iteration)

    @property
    def iteration_in_scenario(self) -> int:
        """The number of the VU's iteration in its scenario, from 0."""
        return int(self.numbers.read().in_scenario)

    @property
    def iteration_in_test(self) -> int:
        """The number of the iteration in the scenario of this instance."""
        return int(self.numbers.read().in_test)

    # -- services ----------------------------------------------------------------------------------

    def log(self, level: str, message: str, **fields: object) -> None:
        """Send a log record to the coordinator."""
        self.process.log(level, message, **fields)

    def open_file(self, path: str) -> bytes:
        """Return a file's content. Raises HostError, after the init for unopened files too."""
        try:
            return self.process.script.open_file(path, first=self.id == 0)
        except ScriptError as error:
            raise HostError(str(error)) from None

    def abort_test(self, text: str) -> None:
        """Abort the test (`exec.test.abort`): inform the coordinator, and end the VU's command.

        In handleSummary the test is over: there it only fails.
        """
        self.aborted = text
        if not self.in_init and self.stage != "handleSummary":
            self.process.send(Abort(text))
        # Only the VU that aborts the test records its sessions' durations, as in k6.
        self.process.engine.library.core_vu_measure_sessions(self.interpreter.index, True)
        raise Interrupted

    # -- samples -----------------------------------------------------------------------------------

    def record(self, metric: str, value: float, time_s: float | None = None) -> None:
        """Record a sample of a built-in metric with the VU's current tags."""
        series = self.process.recorder.series(BUILTIN[metric], self.context.tag_set)
        series.add(value, time.time() if time_s is None else time_s, self.context.metadata)

    def add_bytes(self, sent: int, received: int) -> None:
        """Count bytes that Python has sent and received for the VU."""
        self.process.engine.library.core_vu_add_bytes(self.interpreter.index, sent, received)

    def push_bytes(self) -> None:
        """Record data_sent and data_received of the iteration or stage that has just ended."""
        sent, received = ctypes.c_uint64(), ctypes.c_uint64()
        self.process.engine.library.core_vu_take_bytes(
            self.interpreter.index, ctypes.byref(sent), ctypes.byref(received)
        )
        now = time.time()
        self.record("data_sent", sent.value, now)
        self.record("data_received", received.value, now)

    def enter_group(self, path: str) -> None:
        """Begin a group, e.g. `::outer::inner`."""
        context = self.context
        outer = context.tags.get("group", "")
        self._set_group(path)
        entered = (context.tags, context.metadata) if context.is_async else None
        self._groups.append(_Group(outer, time.time(), entered))

    def leave_group(self) -> None:
        """End the innermost group."""
        self._set_group(self._groups.pop().outer)

    def _set_group(self, path: str) -> None:
        if "group" in self.process.system_tags:
            self.context.set_tag("group", path)

    def close_groups(self) -> None:
        """Leave all groups of an interrupted VU.

        Only a VU that aborts the test records their durations, as in k6.
        """
        while self._groups:
            if self.aborted:
                group, now = self._groups[-1], time.time()
                if group.entered:
                    self.context.replace(*group.entered)
                self.record("group_duration", (now - group.started) * 1000, now)
            self.leave_group()


def _metric_context(process: Process, stage: str) -> MetricContext:
    """Return the tags and the metadata of a VU's first samples."""
    tags = dict(process.run_tags)
    if stage in ("setup", "teardown") and "group" in process.system_tags:
        tags["group"] = f"::{stage}"
    metadata = {"iter": "0"} if stage and "iter" in process.system_tags else None  # as in k6
    kind = AsyncMetricContext if FEATURE in process.features else MetricContext
    return kind(process.recorder, tags, metadata)
