"""One virtual user: an interpreter with the script's modules, tags, and a position in the test."""

from __future__ import annotations

import base64
import ctypes
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jsrunner.core.binding import Numbers
from jsrunner.engine.engine import ARRIVAL, ITERATION, MERGE, SERIES, TAGS
from jsrunner.engine.errors import HostError, Interrupted, JSError
from jsrunner.engine.interpreter import Interpreter
from jsrunner.engine.metric_context import FEATURE, AsyncMetricContext, MetricContext
from jsrunner.errors import ScriptError
from jsrunner.messages import board
from jsrunner.messages.protocol import Abort
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules import registry
from jsrunner.transport.jars import CookieJars

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.base import HostModule
    from jsrunner.worker.process import Process
    from jsrunner.worker.scenario import Assignment, Scenario

#: The module that an interpreter evaluates first: jsrunner's modules, before any code of a script.
_MAIN: Final = "".join(
    f"import 'jsrunner:{name}';"
    for name in ("primordials", "errors", "host", "language", "globals/environment", "vu")
)
_NEVER: Final = 0.0
_STUCK: Final = "the VU runs its init code anew, and the memory of its old state is not freed"


class _Group(NamedTuple):
    """A group whose function is running."""

    #: The tag `group` outside of it.
    outer: str
    #: Start, in seconds since the epoch.
    started: float
    #: The tags and metadata at its start, if its sample has them.
    entered: tuple[dict[str, str], dict[str, str] | None] | None


class ScriptFailure(NamedTuple):
    """The exception with which a script's function has ended."""

    text: str
    #: True for a rejected promise, which k6 does not count as an exception.
    is_rejection: bool = False


class VU:
    """A virtual user, used in the worker's one thread, for the whole run or for one stage.

    `id` is 0 for the first init and for the VUs of stages: setup, teardown and handleSummary.
    """

    def __init__(self, process: Process, number: int, stage: str = "") -> None:
        self.process = process
        self.shared = process.shared
        self.id = number
        self.stage = stage
        #: Python halves of the modules that the script uses, by the prefix of their operations.
        self.modules: dict[str, HostModule] = {}
        self.in_init = True
        tags = dict(process.run_tags)
        if stage in ("setup", "teardown") and "group" in process.system_tags:
            tags["group"] = f"::{stage}"
        metadata = {"iter": "0"} if stage and "iter" in process.system_tags else None  # as in k6
        kind = AsyncMetricContext if FEATURE in process.features else MetricContext
        self.context: MetricContext = kind(process.recorder, tags, metadata)
        #: The error that has kept the script from running, after all of its modules were loaded.
        self._start_error: ScriptError | None = None
        #: The groups whose functions are running, the innermost last.
        self.groups: list[_Group] = []
        self.scenario: Scenario | None = None
        self._assignment: Assignment | None = None
        self._iterations_of: dict[str, int] = {}
        #: Moment when the command under way is interrupted (time.monotonic).
        self._deadline = _NEVER
        self.interrupted = False
        #: True if it was interrupted at its deadline.
        self.timed_out = False
        #: The script's reason for aborting the test.
        self.aborted: str | None = None
        self.jars = CookieJars(self._cookies_changed)
        #: Numbers of the iteration, while there is no interpreter.
        self._numbers = Numbers(-1, -1, -1, 0, 0.0)
        self.interpreter = self._new_interpreter()

    # -- the script --------------------------------------------------------------------------------

    def _new_interpreter(self) -> Interpreter:
        interpreter = Interpreter(
            self.process.engine,
            find_operation=self._find_operation,
            load=self._load_module,
            normalize=self.process.script.normalize,
            on_fault=self.process.log_fault,
        )
        for number, operation in (
            (TAGS, self.context.number),
            (SERIES, self.process.recorder.series_number),
            (MERGE, self._merged_tag_set),
            (ITERATION, self._begin_iteration),
        ):
            interpreter.operations[number] = operation
        interpreter.deferred[ARRIVAL] = self._await_arrival
        self.process.engine.library.core_vu_set_numbers(interpreter.index, ctypes.byref(self._numbers))
        self.context.begin(interpreter.index)
        return interpreter

    def _find_operation(self, name: str) -> Callable[..., object]:
        """Return an operation by its name, e.g. `ws.connect` of the Python half of k6/ws."""
        prefix, _, method = name.rpartition(".")
        if prefix == "vu":
            operations: dict[str, Callable[..., object]] = {
                "failed": self._failed,
                "give_up": self._give_up,
                "base64": _base64,
                "started": self._started,
            }
            return operations[method]
        if name == "errors.explain":
            return self.interpreter.explain
        module = self.modules.get(prefix)
        if module is None:
            module = self.modules[prefix] = registry.half(prefix)(self)
        return module.find_operation(method)

    def _load_module(self, specifier: str) -> str:
        registry.note(specifier)
        return self.process.script.load(specifier)

    def _started(self) -> None:
        try:
            self.process.script.executing()
        except ScriptError as error:
            self._start_error = error
            raise HostError(str(error), "Error") from None

    def initialize(self) -> None:
        """Run the script's init code. Raises ScriptError, Interrupted."""
        script = self.process.script
        try:
            self.interpreter.evaluate(_MAIN, "jsrunner:main", self._deadline)
            script.begin()
            failure = self.interpreter.call("load", deadline=self._deadline)
        except Interrupted:
            if self.aborted is None:
                raise
            raise script.aborted(self.aborted) from None
        except JSError as error:
            failure = (str(error), False)
        if self._start_error is not None:
            raise self._start_error
        if failure is not None:
            text, is_rejection = failure
            raise script.failure(text, self.interpreter.load_error, is_rejection=is_rejection)
        self.in_init = False
        if self.process.plan is not None:
            self.interpreter.call("showOptions", self.process.plan.shown_options)

    def run_stage(
        self, name: str, argument: str | None, deadline: float
    ) -> tuple[ScriptFailure | None, list[Any]]:
        """Call setup, teardown or handleSummary with an argument given as JSON, None for none.

        Returns (failure or None, results: none for undefined). Raises Interrupted.
        """
        self._deadline = deadline
        try:
            if name == "handleSummary":
                failure, *results = self.interpreter.call(name, argument, deadline=deadline)
            else:
                failure, *results = self.interpreter.call("stage", name, argument, deadline=deadline)
            return ScriptFailure(*failure) if failure else None, results
        except Interrupted:
            self._note_interruption()
            raise

    def end_stage(self) -> None:
        """End a stage, whatever its outcome: free its resources, and record its bytes."""
        if self.interrupted:
            self._let_go()
        if self.stage != "handleSummary":
            self.push_bytes()

    def close(self) -> None:
        """Free the VU's interpreter."""
        self.interpreter.close()

    def log(self, level: str, message: str, **fields: object) -> None:
        """Send a log record to the coordinator."""
        self.process.log(level, message, **fields)

    def open_file(self, path: str) -> bytes:
        """Return a file's content. Raises HostError, after the init for unopened files too."""
        try:
            return self.process.script.open_file(path, first=self.id == 0)
        except ScriptError as error:
            raise HostError(str(error)) from None

    # -- tags and samples --------------------------------------------------------------------------

    def _merged_tag_set(self, metric: int, tags: dict[str, str]) -> int:
        """Return the number of the tag set of the VU's tags, overridden by `tags`."""
        return self.process.recorder.tag_set({**self.context.tags, **tags}).number

    def _reset_tags(self, scenario: Scenario) -> None:
        """Set the tags for the begin of a scenario: run tags < scenario tags < system tags.

        Tags that the script has set in another scenario are gone, as in k6.
        """
        system = self.process.system_tags
        tags = {**self.process.run_tags, **scenario.config.tags}
        if "group" in system:
            tags["group"] = ""
        if "scenario" in system:
            tags["scenario"] = scenario.config.name
        self.context.replace(tags, {"vu": str(self.id)} if "vu" in system else None)

    def enter_group(self, path: str) -> None:
        """Begin a group, e.g. `::outer::inner`."""
        context = self.context
        outer = context.tags.get("group", "")
        self._set_group(path)
        entered = (context.tags, context.metadata) if context.is_async else None
        self.groups.append(_Group(outer, time.time(), entered))

    def leave_group(self) -> None:
        """End the innermost group."""
        self._set_group(self.groups.pop().outer)

    def _set_group(self, path: str) -> None:
        if "group" in self.process.system_tags:
            self.context.set_tag("group", path)

    def _close_groups(self) -> None:
        """Leave all groups of an interrupted VU.

        Only a VU that aborts the test records their durations, as in k6.
        """
        while self.groups:
            if self.aborted:
                group, now = self.groups[-1], time.time()
                if group.entered:
                    self.context.replace(*group.entered)
                self.record("group_duration", (now - group.started) * 1000, now)
            self.leave_group()

    def record(self, metric: str, value: float, time_s: float | None = None) -> None:
        """Record a sample of a built-in metric with the VU's current tags."""
        series = self.process.recorder.series(BUILTIN[metric], self.context.tag_set)
        series.add(value, time.time() if time_s is None else time_s, self.context.metadata)

    def push_bytes(self) -> None:
        """Record data_sent and data_received of the iteration or stage that has just ended."""
        sent, received = ctypes.c_uint64(), ctypes.c_uint64()
        self.process.engine.library.core_vu_take_bytes(
            self.interpreter.index, ctypes.byref(sent), ctypes.byref(received)
        )
        now = time.time()
        self.record("data_sent", sent.value, now)
        self.record("data_received", received.value, now)

    def add_bytes(self, sent: int, received: int) -> None:
        """Count bytes that Python has sent and received for the VU."""
        self.process.engine.library.core_vu_add_bytes(self.interpreter.index, sent, received)

    # -- iterations --------------------------------------------------------------------------------

    def _read_numbers(self) -> Numbers:
        if self.interpreter.index >= 0:
            self.process.engine.library.core_vu_numbers(
                self.interpreter.index, ctypes.byref(self._numbers)
            )
        return self._numbers

    @property
    def iteration(self) -> int:
        """`__ITER`: the number of the iteration over all scenarios, -1 before the first."""
        return int(self._read_numbers().iteration)

    @property
    def iteration_in_scenario(self) -> int:
        """The number of the VU's iteration in its scenario, from 0."""
        return int(self._read_numbers().in_scenario)

    @property
    def iteration_in_test(self) -> int:
        """The number of the iteration in the scenario of this instance."""
        return int(self._read_numbers().in_test)

    def activate(self, assignment: Assignment, setup_data: bytes | None, hard_stop: float) -> None:
        """Serve a scenario from now on. An interrupted VU runs its init code anew first.

        Args:
            assignment: The supply of iterations.
            setup_data: The result of setup() as JSON, None without one.
            hard_stop: Deadline of the new init (time.monotonic).
        """
        self._deadline = hard_stop
        try:
            self.interrupted = False
            if self.interpreter.is_lost:
                self._renew()
            self._assignment, scenario = assignment, assignment.scenario
            self.scenario = scenario
            numbers = self._read_numbers()
            numbers.in_scenario = self._iterations_of.get(scenario.config.name, -1)
            self.process.engine.library.core_vu_set_numbers(
                self.interpreter.index, ctypes.byref(numbers)
            )
            self._reset_tags(scenario)
            self._watch_iterations()
            self.interpreter.call("setEnvironment", dict(scenario.config.env) or None)
            data = None if setup_data is None else setup_data.decode()
            self.interpreter.call("activate", scenario.config.exec, data)
        except Interrupted:
            self._note_interruption()
        except JSError as error:  # setup's data takes more memory than there is
            self.log("error", str(error), hint=_hint(str(error)))
            self.interrupted = True
        except ScriptError as error:  # its init code fails, though it did not before
            self.log("error", str(error), hint=error.hint)
            self.interrupted = True

    def deactivate(self) -> None:
        """End the service for the scenario, and keep its count of iterations."""
        if self.scenario is not None:
            self._iterations_of[self.scenario.config.name] = self.iteration_in_scenario
        self.scenario = None

    def iterate(self, *, stop_at: float, hard_stop: float) -> None:
        """Run iterations until `stop_at`, or until the scenario has no more iterations.

        Args:
            stop_at: Moment after which no iteration begins (time.monotonic).
            hard_stop: Moment at which a running iteration is interrupted (time.monotonic).
        """
        if self.interrupted or self.process.stopping:
            return  # interrupted during the activation
        self._deadline = hard_stop
        assignment = self._assignment
        assert assignment is not None
        self.process.engine.library.core_vu_supply(
            self.interpreter.index,
            assignment.scenario.supply,
            assignment.left,
            assignment.take_reserved(),
            stop_at,
        )
        try:
            while not self._iterate(hard_stop):
                pass
        except Interrupted:
            self._note_interruption()
            assignment.interrupted()
            self._end_interrupted()
        assignment.left = int(self._read_numbers().left)

    def _iterate(self, hard_stop: float) -> bool:
        """Run iterations; return whether there are no more. Raises Interrupted.

        jsrunner's own JavaScript fails without memory. That ends the iteration, not the VU, unless the
        memory does not suffice for the begin of the next iteration.
        """
        before = self.iteration
        try:
            self.interpreter.call("iterate", deadline=hard_stop)
        except JSError as error:
            self._give_up([])
            self._close_groups()
            self._failed(str(error).partition("\n")[0], rejected=False)
            if self.iteration == before:
                raise Interrupted from None
            return False
        return True

    def _watch_iterations(self) -> None:
        """Have the core call `_begin_iteration` only while there is something to do in it."""
        resets = self.jars.own is not None and not self.process.options.no_cookies_reset
        self.process.engine.library.core_vu_iteration_hook(
            self.interpreter.index, resets or "iter" in self.process.system_tags
        )

    def _begin_iteration(self, number: int) -> None:
        if "iter" in self.process.system_tags:
            self.context.set_metadata("iter", str(number))
        if not self.process.options.no_cookies_reset:
            self.jars.drop_own()

    def _cookies_changed(self) -> None:
        """Adapt to a change of the VU's own jar: only VUs without cookies use recipes."""
        self._watch_iterations()
        # Recipes contain no cookies.
        may_repeat = self.jars.own is None and "session" in self.modules
        library, index = self.process.engine.library, self.interpreter.index
        library.core_vu_repeats_dials(index, may_repeat)
        library.core_vu_repeats_requests(index, self.jars.own is None)

    def _await_arrival(self, serial: int) -> None:
        assignment = self._assignment
        assert assignment is not None
        assignment.await_arrival(lambda goes_on: self.interpreter.reply(serial, goes_on))

    def _end_interrupted(self) -> None:
        numbers = self._read_numbers()
        was_running = numbers.started != _NEVER
        started = numbers.started
        numbers.started = _NEVER
        self.process.engine.library.core_vu_set_numbers(self.interpreter.index, ctypes.byref(numbers))
        self._let_go()
        if not was_running or self.scenario is None:
            return
        self.scenario.counts.add(board.INTERRUPTED)
        self.push_bytes()
        if self.aborted:  # k6 measures the iteration that aborts, and calls it interrupted
            now = time.time()
            self.record("iteration_duration", (time.monotonic() - started) * 1000, now)
            self.record("iterations", 1, now)

    def _give_up(self, timers: list[str]) -> None:
        """End the timers and background activities of an iteration or stage that has failed."""
        self._warn_of(timers)
        for module in self.modules.values():
            module.give_up()

    def _warn_of(self, timers: list[str]) -> None:
        for timer in timers:
            self.log("warning", f"{timer} was stopped because the VU iteration was interrupted")

    def _let_go(self) -> None:
        """End the timers, the modules' activities and the groups of an interrupted VU."""
        self._warn_of(self.interpreter.stopped_timers)
        for module in self.modules.values():
            module.interrupted()
        self._close_groups()

    def _failed(self, text: str, rejected: bool) -> None:
        """Log the exception or rejection of an iteration, which counts as complete."""
        scenario = self.scenario
        assert scenario is not None
        self.process.iteration_failures += 1
        fields: dict[str, object] = {} if rejected else {"source": "stacktrace", "hint": _hint(text)}
        self.log("error", text, executor=scenario.config.type, scenario=scenario.config.name, **fields)

    # -- stopping ----------------------------------------------------------------------------------

    def abort_test(self, text: str) -> None:
        """Abort the test (`exec.test.abort`): inform the coordinator, and end the VU's command.

        In handleSummary the test is over: there it only fails.
        """
        self.aborted = text
        if not self.in_init and self.stage != "handleSummary":
            self.process.say(Abort(text))
        # Only the VU that aborts the test records its sessions' durations, as in k6.
        self.process.engine.library.core_vu_measure_sessions(self.interpreter.index, True)
        raise Interrupted

    def interrupt(self) -> None:
        """Interrupt the command under way at once."""
        if not self.interrupted:
            self.interpreter.interrupt()

    def _note_interruption(self) -> None:
        self.interrupted = True
        self.timed_out = self._deadline != _NEVER and time.monotonic() > self._deadline - 0.01
        if self.interpreter.was_stuck:
            self.interpreter.was_stuck = False
            self.log(
                "warning",
                f"VU {self.id} was stopped in a built-in function that did not end",
                hint=_STUCK,
            )

    def _renew(self) -> None:
        """Run the init code anew: an interruption has cost the script's state."""
        self.interpreter.is_lost = False
        self.modules.clear()
        self.jars.clear()
        self.in_init = True
        self.initialize()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hint(exception: str) -> str:
    """Return the hint for an exception."""
    # QuickJS throws null, without a place, where there is no memory left for an error.
    return "out of memory, or a script that throws null" if exception == "null" else "script exception"
