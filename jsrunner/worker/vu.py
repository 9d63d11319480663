"""One virtual user: an interpreter with the script's modules, its tags, and its place in the test."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent
import orjson
from gevent import getcurrent

from jsrunner.engine.interpreter import HostError, Interpreter, Interrupted, JSError
from jsrunner.errors import ScriptError
from jsrunner.metrics.registry import BUILTIN
from jsrunner.modules import registry
from jsrunner.transport.cookies import CookieJar
from jsrunner.worker import board
from jsrunner.worker.loop import EventLoop
from jsrunner.worker.messages import Abort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsrunner.modules.base import HostModule
    from jsrunner.worker.process import Process
    from jsrunner.worker.recorder import TagSet
    from jsrunner.worker.scenario import Scenario, Supply


class Failure(NamedTuple):
    """The exception with which a script's function has ended."""

    text: str
    #: Whether it is a promise's, which is no exception to k6.
    is_rejection: bool = False


class VU:
    """A virtual user. `id` is 0 for the first init and for the VUs of stages: setup, teardown and
    handleSummary."""

    def __init__(self, process: Process, number: int, stage: str = "") -> None:
        self.process = process
        self.id = number
        self.stage = stage
        self.shared = process.shared
        #: Python halves of the modules that are loaded, by the prefix of their operations.
        self.modules: dict[str, HostModule] = {}
        self.in_init = True
        #: Tags of samples taken now, and their metadata: exec.vu.metrics.tags and .metadata. Neither is
        #: changed in place.
        self.tag_values: dict[str, str] = dict(process.run_tags)
        self.metadata: dict[str, str] | None = None
        if stage in ("setup", "teardown") and "group" in process.system_tags:
            self.tag_values["group"] = f"::{stage}"
        if stage and "iter" in process.system_tags:
            self.metadata = {"iter": "0"}  # as in k6
        self._tags: TagSet | None = None
        #: The groups that the VU is in, the innermost last: the tag `group` outside of it, and when it
        #: began, in seconds since the epoch.
        self.groups: list[tuple[str, float]] = []
        self.iteration = -1  # __ITER: over all scenarios
        self.bytes_sent = self.bytes_received = 0

        self.scenario: Scenario | None = None
        self._turn: Supply | None = None
        #: Numbers of the iteration that runs: (in the scenario of this VU, in the scenario of the test)
        self.iteration_in_scenario = -1
        self.iteration_in_test = -1
        self._iterations_of: dict[str, int] = {}
        self._stop_at = 0.0
        #: When what runs is to be interrupted, by the worker's clock; None: never.
        self.hard_stop: float | None = None
        self._started: float | None = None
        #: minIterationDuration: the next iteration begins no sooner (no part of iteration_duration).
        self._pause_until = 0.0
        self._drain_asked = False
        #: The greenlet that runs its JavaScript now, if any does.
        self.greenlet: Any = None
        self.interrupted = False
        #: Whether it was interrupted because its time was over.
        self.timed_out = False
        self.loop = EventLoop(self)
        #: What the script gave as the reason when it aborted the test.
        self.aborted: str | None = None

        #: The VU's own jar, made when it is first needed.
        self.cookies: CookieJar | None = None
        self._jars: dict[int, CookieJar] = {}
        self.interpreter = self._new_interpreter()

    # -- the script --------------------------------------------------------------------------------

    def _new_interpreter(self) -> Interpreter:
        interpreter = Interpreter(
            {
                b"$emit": self._emit,
                b"loop.set_clock": self.loop.set_clock,
                b"vu.next": self.next_iteration,
                b"vu.failed": self._failed,
                b"vu.give_up": self._give_up,
                b"vu.base64": lambda packed: base64.b64encode(self.interpreter.buffer(packed)).decode(),
                b"vu.started": self.process.script.executing,
            },
            load=self._load_module,
            normalize=self.process.script.normalize,
            find_operation=self._find_operation,
            image=self.process.image,
        )
        interpreter.hot[4] = self.loop.wait
        interpreter.between_jobs = self.loop.give_way
        return interpreter

    def _find_operation(self, name: str) -> Callable[..., object]:
        """`ws.connect`: the method `connect` of the Python half of k6/ws."""
        prefix, _, method = name.rpartition(".")
        return self.modules[prefix].find_operation(method)

    def _load_module(self, specifier: str) -> str:
        text = self.process.script.load(specifier)
        registry.attach(specifier, self)
        return text

    def initialize(self) -> None:
        """Run the script's init code. Raises ScriptError."""
        script = self.process.script
        if self.process.image is not None:
            for specifier, _ in self.process.image.modules:
                registry.attach(specifier, self)
        names = registry.GLOBALS
        if self.interpreter.native is None:
            names += registry.LATER_GLOBALS
        try:
            self.interpreter.run_module(
                "".join(f"import 'jsrunner:globals/{name}';" for name in names)
                + "import 'jsrunner:vu';",
                "jsrunner:main",
            )
            script.begin()
            failure = self.activity(None)[0]
        except Interrupted:
            if self.aborted is None:
                raise
            raise script.aborted(self.aborted) from None
        except JSError as error:
            failure = Failure(str(error))
        self.check_fault()
        if failure is not None:
            raise script.failure(
                failure.text, self.interpreter.load_error, is_rejection=failure.is_rejection
            )
        self.in_init = False
        if self.process.plan is not None:
            self.interpreter.call("showOptions", self.process.plan.shown_options)

    def activity(
        self, name: str | None, arguments: list[Any] | None = None, finish: str = "finish"
    ) -> tuple[Failure | None, list[Any]]:
        """Call an export (None: load the script) and see it through: (failure or None, results).

        `arguments` None is one that is undefined. `finish` is the entry that tells the results: none
        for undefined. Raises Interrupted.
        """
        with self._running():
            return self._activity(name, arguments, finish)

    def _activity(
        self, name: str | None, arguments: list[Any] | None, finish: str
    ) -> tuple[Failure | None, list[Any]]:
        try:
            step: tuple[object, ...] = ("begin", name, arguments)
            while True:
                try:
                    if self.interpreter.call(*step):  # type: ignore[arg-type]
                        break
                    step = ("proceed",)
                except JSError as error:
                    if self.interpreter.native or self.interrupted:
                        raise
                    # Without the C API a rejection that nobody handled comes as this.
                    self.interpreter.call("reject", str(error))
            failure, *results = self.interpreter.call(finish)
        except JSError:
            if self.interrupted:
                raise Interrupted from None
            raise
        if self.interrupted:  # an async function makes a rejection of it
            raise Interrupted
        return Failure(*failure) if failure else None, results

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        """This greenlet runs the VU's JavaScript meanwhile."""
        outer, self.greenlet = self.greenlet, getcurrent()
        self.process.running[self.greenlet] = self
        try:
            yield
        finally:
            if outer is None:
                self.process.running.pop(self.greenlet, None)
            self.greenlet = outer

    @contextlib.contextmanager
    def limited_to(self, hard_stop: float | None) -> Iterator[None]:
        """What runs meanwhile is interrupted at this moment (time.monotonic)."""
        self.hard_stop = hard_stop
        timer = None
        if hard_stop is not None:
            timer = gevent.get_hub().loop.timer(max(hard_stop - time.monotonic(), 0))
            timer.start(self.interrupt)
        try:
            with self._running():
                yield
        finally:
            self.hard_stop = None
            if timer is not None:
                timer.stop()
                timer.close()

    def end_stage(self) -> None:
        """A stage is over, however it went: what it still holds, and its bytes."""
        if self.interrupted:
            self._let_go()
        if self.stage != "handleSummary":
            self.push_bytes()

    def check_fault(self) -> None:
        """Raise a fault of our own that the script was shown as an exception."""
        fault, self.interpreter.fault = self.interpreter.fault, None
        if fault is not None:
            raise fault

    def log(self, level: str, message: str, **fields: object) -> None:
        self.process.log(level, message, **fields)

    def open_file(self, path: str) -> bytes:
        try:
            return self.process.script.open_file(path, first=self.id == 0)
        except ScriptError as error:
            raise HostError(str(error)) from None

    # -- tags and samples --------------------------------------------------------------------------

    @property
    def tags(self) -> TagSet:
        """`tag_values`, interned."""
        if self._tags is None:
            self._tags = self.process.recorder.tag_set(self.tag_values)
        return self._tags

    def set_tag(self, name: str, value: str | None) -> None:
        """Change a tag of the samples from now on; None removes it."""
        self.tag_values = _with(self.tag_values, name, value)
        self._tags = None

    def set_metadata(self, name: str, value: str | None) -> None:
        """Change metadata of the samples from now on; None removes it."""
        self.metadata = _with(self.metadata or {}, name, value) or None

    def _reset_tags(self, scenario: Scenario) -> None:
        """Set the tags for the begin of a scenario: run tags < scenario tags < system tags.

        What the script has set for another scenario is gone, as in k6.
        """
        system = self.process.system_tags
        tags = {**self.process.run_tags, **scenario.config.tags}
        if "group" in system:
            tags["group"] = ""
        if "scenario" in system:
            tags["scenario"] = scenario.config.name
        self.tag_values, self._tags = tags, None
        self.metadata = {"vu": str(self.id)} if "vu" in system else None

    def enter_group(self, path: str) -> None:
        self.groups.append((self.tag_values.get("group", ""), time.time()))
        self._set_group(path)

    def leave_group(self) -> None:
        self._set_group(self.groups.pop()[0])

    def _set_group(self, path: str) -> None:
        if "group" in self.process.system_tags:
            self.set_tag("group", path)

    def _close_groups(self) -> None:
        """Leave all groups in which an interruption has found the VU.

        Only one that aborts the test measures them, as in k6.
        """
        while self.groups:
            if self.aborted:
                now = time.time()
                self.record("group_duration", (now - self.groups[-1][1]) * 1000, now)
            self.leave_group()

    def record(self, metric: str, value: float, time_s: float | None = None) -> None:
        """Record a sample of a built-in metric with the VU's current tags."""
        series = self.process.recorder.series(BUILTIN[metric], self.tags)
        series.add(value, time.time() if time_s is None else time_s, self.metadata)

    def _emit(self, samples: list[tuple[str, float, float, dict[str, str] | None]]) -> None:
        """What JavaScript has recorded since the last time: [metric, value, time in ms, tags]."""
        recorder, known = self.process.recorder, self.process.registry
        for name, value, time_ms, extra in samples:
            tags = self.tags
            if extra:
                tags = recorder.tag_set({**tags.tags, **extra})
            metric = known.get(name)
            assert metric is not None
            recorder.series(metric, tags).add(float(value), time_ms / 1000, self.metadata)

    def push_bytes(self) -> None:
        """data_sent and data_received of what has just ended."""
        self.loop.settle()
        now = time.time()
        self.record("data_sent", self.bytes_sent, now)
        self.record("data_received", self.bytes_received, now)
        self.bytes_sent = self.bytes_received = 0

    def cookie_jar(self, number: int | None = None) -> CookieJar:
        """The jar by its number, or the VU's own, which is empty at the start of each iteration."""
        if number is not None:
            return self._jars[number]
        if self.cookies is None:
            self.cookies = CookieJar()
        return self.cookies

    def keep_cookie_jar(self, jar: CookieJar) -> int:
        """A number by which the script's objects know a jar, until `drop_cookie_jar`."""
        number = self.loop.new_handle()
        self._jars[number] = jar
        return number

    def drop_cookie_jar(self, number: int) -> None:
        self._jars.pop(number, None)

    # -- iterations --------------------------------------------------------------------------------

    def activate(self, turn: Supply, setup_data: bytes | None, hard_stop: float | None = None) -> None:
        """Work for a scenario from now on. `setup_data` is JSON. Raises ScriptError.

        A VU that was interrupted is made anew first, for which it has time until `hard_stop`.
        """
        if self.interrupted:
            try:
                with self.limited_to(hard_stop):
                    self.renew()
            except Interrupted:
                return
        self._turn, scenario = turn, turn.scenario
        self.scenario = scenario
        self.iteration_in_scenario = self._iterations_of.get(scenario.config.name, -1)
        self._reset_tags(scenario)
        self.interpreter.call("setEnvironment", dict(scenario.config.env) or None)
        data = None if setup_data is None else [orjson.Fragment(setup_data)]
        self.interpreter.call("activate", scenario.config.exec, data)

    def deactivate(self) -> None:
        if self.scenario is not None:
            self._iterations_of[self.scenario.config.name] = self.iteration_in_scenario
        self.scenario = None

    def iterate(self, *, stop_at: float, hard_stop: float | None) -> None:
        """Run iterations until `stop_at`, or until the scenario has none left; then return.

        At `hard_stop` what runs is interrupted. Times are those of `time.monotonic`.
        """
        if self.interrupted:
            return  # while it was made anew
        self._stop_at = stop_at
        try:
            with self.limited_to(hard_stop):
                self._iterate()
        except Interrupted:
            self._end_interrupted()

    def _iterate(self) -> None:
        while True:
            try:
                if self.interpreter.call("iterate"):
                    break
            except JSError as error:
                if self.interrupted:
                    raise Interrupted from None
                if self.interpreter.native:
                    raise
                self.interpreter.call("reject", str(error))
        self.check_fault()

    def next_iteration(self) -> int | None:
        """End the iteration that ran, if any, and begin the next: its number for the VU.

        None: there is none. -1: the one that ran has left promise jobs, which belong to it.
        """
        now = time.monotonic()
        turn = self._turn
        assert turn is not None
        self.loop.settle()
        if self._started is not None:
            if self.interpreter.work_pending() and not self._drained():
                return -1
            self._end_iteration(now)
            if self._pause_until > now:
                self.process.stop_event.wait(self._pause_until - now)
                now = time.monotonic()
        if now >= self._stop_at or self.process.stopping:
            return None
        if self.loop.give_way():
            now = time.monotonic()
            if now >= self._stop_at or self.process.stopping:
                return None
        number = turn.take()
        if number is None:
            return None
        self.iteration += 1
        self.iteration_in_scenario += 1
        self.iteration_in_test = number
        if "iter" in self.process.system_tags:
            self.set_metadata("iter", str(self.iteration))
        if self.cookies is not None and not self.process.options.no_cookies_reset:
            self.cookies = None
        self._started = now
        self._pause_until = now + self.process.minimum_iteration
        return self.iteration

    def _drained(self) -> bool:
        """Without the C API nobody can say whether jobs wait: they are run once per iteration."""
        if self.interpreter.native:
            return False
        self._drain_asked = not self._drain_asked
        return not self._drain_asked

    def _end_iteration(self, now: float) -> None:
        started = self._started
        assert started is not None
        self._started = None
        scenario = self.scenario
        assert scenario is not None
        at = time.time()
        tags = self.tags.series
        metadata = self.metadata
        try:
            tags["data_sent"].add(self.bytes_sent, at, metadata)
            tags["data_received"].add(self.bytes_received, at, metadata)
            tags["iteration_duration"].add((now - started) * 1000, at, metadata)
            tags["iterations"].add(1, at, metadata)
        except KeyError:  # the first time with these tags
            self.record("data_sent", self.bytes_sent, at)
            self.record("data_received", self.bytes_received, at)
            self.record("iteration_duration", (now - started) * 1000, at)
            self.record("iterations", 1, at)
        self.bytes_sent = self.bytes_received = 0
        scenario.counts.add(board.COMPLETED)

    def _end_interrupted(self) -> None:
        self._let_go()
        if self._started is not None and self.aborted:
            self._end_iteration(time.monotonic())  # k6 counts the one that aborts as complete
        if self._started is not None:
            self._started = None
            if self.scenario is not None:
                self.scenario.counts.add(board.INTERRUPTED)
            self.push_bytes()

    def _give_up(self, timers: list[str]) -> None:
        """What runs has failed: nothing that belongs to it goes on."""
        self.loop.settle()
        self._warn_of(timers)
        for module in self.modules.values():
            module.give_up()

    def _warn_of(self, timers: list[str]) -> None:
        for timer in timers:
            self.log("warning", f"{timer} was stopped because the VU iteration was interrupted")

    def _let_go(self) -> None:
        """The VU was interrupted: end what still goes on for it."""
        if self.interpreter.native:
            self._warn_of(self.interpreter.native.waiting_timers())
        for module in self.modules.values():
            module.interrupted()
        self._close_groups()

    def _failed(self, text: str, rejected: bool) -> None:
        """An iteration has thrown or rejected: it is logged, and counts as complete."""
        scenario = self.scenario
        assert scenario is not None
        self.process.iteration_failures += 1
        fields: dict[str, object] = {} if rejected else {"source": "stacktrace", "hint": _hint(text)}
        self.log("error", text, executor=scenario.config.type, scenario=scenario.config.name, **fields)

    # -- waiting and stopping ----------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Block the VU; other VUs go on."""
        if self.process.hub_running:
            gevent.sleep(seconds)
        else:
            time.sleep(seconds)
        if self.interrupted:
            raise Interrupted

    def run_aside(self, work: Callable[[], Any], show: Callable[[Any], object]) -> int:
        """Run `work()` in a thread, so that other VUs go on meanwhile: it must not touch the VU.

        Returns a handle for `aside` of engine/loop.js, which hears of what came of it: of the
        result as `show` makes it JSON-like, or of a HostError.
        """
        handle, interpreter = self.loop.new_handle(), self.interpreter

        def outcome() -> tuple[Any, Exception | None]:
            try:
                return work(), None
            except Exception as error:  # gevent's pool would print it
                return None, error

        def done(result: Any, error: Exception | None) -> None:
            if self.interpreter is not interpreter:  # the VU was interrupted and is a new one
                return
            if error is None:
                self.loop.post(handle, [None, show(result)])
            elif isinstance(error, HostError):
                self.loop.post(handle, [[str(error), error.fields], None])
            else:
                interpreter.fault = error
                self.loop.post(handle, [[f"jsrunner: {error}", {}], None])

        if self.process.hub_running:
            gevent.get_hub().threadpool.spawn(outcome).rawlink(lambda found: done(*found.get()))
        else:
            done(*outcome())
        return handle

    def abort_test(self, text: str) -> None:
        """exec.test.abort: tell the coordinator, and stop here for good.

        In handleSummary there is no test left to abort: it only fails.
        """
        self.aborted = text
        if not self.in_init and self.stage != "handleSummary":
            self.process.say(Abort(text))
        self.interrupted = True
        self.interpreter.interrupt()
        raise Interrupted

    def interrupt(self) -> None:
        """Stop what runs, at once, whatever it does. Safe in a signal handler and in the hub."""
        if self.interrupted:
            return
        self.interrupted = True
        self.timed_out = self.hard_stop is not None and time.monotonic() > self.hard_stop - 0.01
        self.interpreter.interrupt()
        if self.greenlet is not None and self.process.hub_running:
            gevent.get_hub().loop.run_callback(self._throw, self.greenlet)

    def _throw(self, greenlet: Any) -> None:
        """Wake a VU that waits, though it may have begun to only after it was interrupted."""
        if self.interrupted and self.greenlet is greenlet:  # it has not ended meanwhile
            greenlet.throw(Interrupted)

    def renew(self) -> None:
        """After an interruption the interpreter is of no more use: run the init code in a new one."""
        self.interrupted = False
        self.modules.clear()
        self._jars.clear()
        self.in_init = True
        self.interpreter = self._new_interpreter()
        self.initialize()


def _with(values: dict[str, str], name: str, value: str | None) -> dict[str, str]:
    """Return a copy with one value changed, or removed if it is None."""
    copy = dict(values)
    if value is None:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy


def _hint(exception: str) -> str:
    """What is said of an exception besides its text."""
    # QuickJS throws null, without a place, where there is no memory left for an error.
    return "out of memory, or a script that throws null" if exception == "null" else "script exception"
