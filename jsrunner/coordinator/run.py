"""The life of a run: load, decide, prepare, setup, play, teardown, summary.

One thread, no gevent: it waits for its workers' messages and for the next second.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import time
from array import array
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from jsrunner.coordinator.decide import NOTHING, decide, script_options, shown_options
from jsrunner.coordinator.local import LocalWorkers
from jsrunner.coordinator.partition import share_out
from jsrunner.coordinator.report import Report, stage_failure
from jsrunner.coordinator.signals import Wakeup
from jsrunner.coordinator.states import ScenarioLog
from jsrunner.errors import ExitCode, JsrunnerError, ScriptError, WorkerError
from jsrunner.executors.plan import Shared
from jsrunner.messages import board, protocol
from jsrunner.messages.plan import Plan
from jsrunner.messages.protocol import StageName
from jsrunner.messages.stream import MessageReader, send
from jsrunner.metrics.registry import BUILTIN, Metric
from jsrunner.metrics.sinks import CounterSink, TrendSink
from jsrunner.metrics.store import Series, Store
from jsrunner.options.model import to_json
from jsrunner.summary.model import build

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from _typeshed import HasFileno

    from jsrunner.coordinator.settings import Companion, RunSettings
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.options.model import Options
    from jsrunner.options.segment import Striping
    from jsrunner.outputs.base import Output, SampleFormatter
    from jsrunner.script.script import Script
    from jsrunner.summary.model import SummaryData
    from jsrunner.ui.display import Display
    from jsrunner.ui.log import Logger

#: k6's defaults, in seconds.
STAGE_TIMEOUT: Final = 60.0
THRESHOLDS_EVERY: Final = 2.0
#: How long a worker may take to obey before it is killed: native code that computes for long cannot
#: be interrupted.
PATIENCE: Final = 10.0
#: An arrival rate is not kept if a hundredth of the starts is so many milliseconds late.
LATE: Final = 10.0
#: The same for its end.
LAST_PATIENCE: Final = 3.0
#: More worker processes than these, or than there are cores, are never started: each costs memory
#: and descriptors, and none would have a core for itself.
MOST_WORKERS: Final = 64
#: How often the display gets a new state, in seconds.
REFRESH: Final = 0.1


class Worker(Struct):
    """A worker as the coordinator sees it."""

    number: int
    stream: socket.socket
    reader: MessageReader = field(default_factory=MessageReader)
    series: dict[int, Series] = field(default_factory=dict)
    process_id: int = 0
    vus: int = 0
    ready: bool = False
    finished: bool = False
    gone: bool = False
    sessions_open: int = 0
    failed_handshakes: int = 0
    failures: int = 0
    #: How many snapshots it has sent, and when the last one came (time.monotonic).
    reports: int = 0
    reported: float = 0.0


class Run:
    """One run of a script."""

    def __init__(
        self,
        script: Script,
        *,
        config: Options | None,
        flags: Options,
        settings: RunSettings,
        logger: Logger,
        display: Display,
        companion: Companion | None = None,
        service: Callable[[Run], AbstractContextManager[object]] | None = None,
    ) -> None:
        """`service` is there for others from when the test is known until its end; they have what
        they want done by `call_soon`."""
        self.script = script
        self._config = config
        self._flags = flags
        self.settings = settings
        self.logger = logger
        self.display = display
        #: Known when the script's first init is done.
        self.test = NOTHING.test
        self.thresholds, self._registry = NOTHING.thresholds, NOTHING.registry
        self.store = Store(self.thresholds, system_tags=frozenset())
        #: Those that are made before the test; arrival rates may have more of them made.
        self.vus_planned = 0
        self.phase = "init"
        #: When setup began: the summary's rates count from here. By time.monotonic.
        self.started = time.monotonic()
        #: When the scenarios began, on the same clock; None before that.
        self.played_since: float | None = None
        self.setup_data: bytes | None = None
        #: The error that ends the run early: the first that there is.
        self._ending: JsrunnerError | None = None
        self.marked_failed = False
        #: Why the exit code is not 0, in the words of the log; "" for a run that passed.
        self.reason = ""
        #: What handleSummary is given, when the run is over.
        self.summary: dict[str, Any] | None = None
        #: How late iterations of arrival rates were started, in milliseconds.
        self.lateness = TrendSink()
        #: Whether the test waits to be resumed before it begins.
        self.paused = False
        self._workers: list[Worker] = []
        self._stage: protocol.StageDone | None = None
        self._in_stage = False
        self._loaded: protocol.Loaded | None = None
        self._failure: JsrunnerError | None = None
        self._outputs: list[Output] = []
        self._outputs_closed = False
        #: Those of them that want each sample, and those that work on aggregates.
        self._writers: list[Output] = []
        self._mergers: list[Output] = []
        self._introduced: set[str] = set()
        self._said_once: set[str] = set()
        self._counts: list[board.Counts] = []
        #: What logs scenarios' starts and ends, if anybody wants to know.
        self._scenario_log: ScenarioLog | None = None
        #: Why the first WebSocket handshake failed.
        self._handshake_failure = ""
        self._signals = 0
        self._interrupted_at: float | None = None
        self._next_second = self._next_judgement = self._next_frame = float("inf")
        self._selector = selectors.DefaultSelector()
        self._wakeup = Wakeup()
        self.watch(self._wakeup, self._wakeup.clear)
        self._service = service
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lingering = False
        self._companion = companion
        if companion is not None:
            self.watch(companion, self._lose_companion)

    # -- the whole ---------------------------------------------------------------------------------

    def execute(self) -> ExitCode:
        """Run it; the exit code. Raises JsrunnerError for what cannot even begin."""
        with self._started(self._most_workers()):
            self._load()
            self._decide()
            with self._service(self) if self._service else contextlib.nullcontext():
                self._open_outputs()
                self._prepare()
                code = self._play()
                return self._conclude(code)

    def _most_workers(self) -> int:
        """The number of worker processes that may take part."""
        cores = os.cpu_count() or 1
        wanted, most = self.settings.workers or cores, max(cores, MOST_WORKERS)
        if wanted > most:
            text = f"{wanted} worker processes are too many for this machine, there are at most {most}"
            self.logger.log("warning", text)
        return min(wanted, most)

    def look(self, *, decide: bool) -> tuple[Options, list[str]]:
        """Run the script's init code and nothing else: its own options, the modules that it loads.

        With `decide` the test is worked out too, and the options are those of all layers.
        """
        with self._started(1):
            self._load()
            assert self._loaded is not None
            if decide:
                self._decide()
                return self.options, self._loaded.imports
            return script_options(self._loaded, self.script, self.logger), self._loaded.imports

    @contextlib.contextmanager
    def _started(self, most: int) -> Iterator[None]:
        """With up to `most` worker processes, which end with it."""
        self._local = LocalWorkers(
            most,
            self.script,
            self.settings.script_environment,
            self.settings.secrets,
            features=self.settings.features,
        )
        self.logger.start()
        self._workers = [Worker(number, one) for number, one in enumerate(self._local.streams, 1)]
        self._workers[0].process_id = self._local.process_id
        self._watch_worker(self._workers[0])
        self._wakeup.catch(self._interrupt)
        try:
            yield
        finally:
            self.display.stop()
            for worker in self._workers:
                self._tell(worker, protocol.Exit())
            self._close_outputs()
            # The first init runs before there is anybody to hear of the end.
            patience = 0.0 if self._loaded is None else LAST_PATIENCE
            self._local.end(self._process_ids(), patience)
            self._wakeup.close()

    def _load(self) -> None:
        """Wait for the script's first init."""
        self._pump(lambda: self._loaded is not None)
        if self._ending is not None:
            raise self._ending

    def _decide(self) -> None:
        """Settle what the test is. Raises JsrunnerError."""
        assert self._loaded is not None
        self.test, self.thresholds, self._registry = decide(
            self._loaded,
            self.script,
            config=self._config,
            flags=self._flags,
            settings=self.settings,
            logger=self.logger,
        )
        self.paused = self.paused or bool(self.options.paused)
        self.store = Store(
            self.thresholds,
            system_tags=self.options.enabled_system_tags(),
            by_group=self.settings.summary_mode == "full",
        )

    @property
    def cause(self) -> ExitCode | None:
        """The exit code of what ends the run early, if anything does."""
        return None if self._ending is None else self._ending.exit_code

    @property
    def options(self) -> Options:
        return self.test.options

    @property
    def scenarios(self) -> dict[str, ExecutorConfig]:
        return self.test.scenarios

    @property
    def striping(self) -> Striping:
        return self.test.striping

    @property
    def max_vus(self) -> int:
        return self.test.max_vus

    def _open_outputs(self) -> None:
        tags = sorted(self.options.enabled_system_tags())
        for config in self.settings.outputs:
            self._outputs.append(config.open(tags))
            self.logger.log("debug", f"Output started: {config.description}")
        self._writers = [one for one in self._outputs if one.formatter is not None]
        self._mergers = [one for one in self._outputs if one.formatter is None]

    def _formatters(self) -> list[SampleFormatter]:
        return [one.formatter for one in self._writers if one.formatter is not None]

    def _prepare(self) -> None:
        """Fork the workers and make the VUs."""
        self.phase = "init"
        count = max(1, min(len(self._workers), self.max_vus))
        self._local.keep(count)
        del self._workers[count:]
        self._local.board.open(len(self.scenarios))
        self._counts = [self._local.board.view(slot, 0) for slot in range(len(self.scenarios))]
        if self.logger.is_verbose:
            self._scenario_log = ScenarioLog(self.logger, self.scenarios, self._counts, count)
        shown = shown_options(self.test)
        shares = share_out(self.test.plans, count)
        self.vus_planned = self._local.board.vus = sum(len(share.vu_ids) for share in shares)
        plan = Plan(
            test=self.test,
            shares=shares,
            formatters=tuple(self._formatters()),
            options_json=json.dumps(shown),
            shown_options=to_json(self.options, consolidated=False) | {"scenarios": shown["scenarios"]},
            limits=self.settings.limits,
            user_agent=(
                self.settings.user_agent if self.options.user_agent is None else self.options.user_agent
            ),
        )
        self.logger.log("debug", f"Making {self.vus_planned} VUs in {count} worker processes")
        self._tell(self._workers[0], protocol.Prepare(count, pickle.dumps(plan)))
        for worker in self._workers[1:]:
            self._watch_worker(worker)
        self.display.start(self)
        self._next_second = time.monotonic() + 1
        self._next_frame = time.monotonic()
        self._pump(lambda: all(worker.ready for worker in self._workers))

    def _play(self) -> ExitCode | None:
        """setup, scenarios, teardown; what ended it early, None if nothing did."""
        if self.paused and not self._resumed():
            return self.cause
        self.started = time.monotonic()
        self._next_judgement = self.started + THRESHOLDS_EVERY
        if "setup" in self.test.exports and not self.options.no_setup:
            self.phase = "setup"
            if not self._run_setup():
                return self.cause
        if self.cause is None:
            self.phase = "running"
            self._play_scenarios()
        if "teardown" in self.test.exports and not self.options.no_teardown:
            self.phase = "teardown"
            self._run_teardown()
        return self.cause

    def _resumed(self) -> bool:
        """Wait until the test is no longer paused; False if it is not to begin at all."""
        self.phase = "paused"
        if self._service is None:
            self.logger.log(
                "warning", "The test is paused, and only the REST API (--address) resumes it"
            )
        self.logger.log("debug", "Execution is paused, waiting for resume or interrupt...")
        self._pump(lambda: not self.paused or self.cause is not None)
        return self.cause is None

    def _run_setup(self) -> bool:
        """False if there is to be no teardown."""
        timeout = self.options.setup_timeout or STAGE_TIMEOUT
        done = self._run_stage("setup", None, timeout)
        if done is None or self.cause is not None:
            return False  # interrupted, or it has aborted the test
        if done.timed_out:
            self._ending = _stage_timed_out("setup", timeout, ExitCode.SETUP_TIMEOUT)
            return False
        if done.error is not None:
            self._ending = stage_failure(done)
            return False
        if done.result is not None:
            if failure := _marshal_failure(done.result):
                self._ending = JsrunnerError(failure)
                return False
            self.setup_data = done.result
        return True

    def _run_teardown(self) -> None:
        timeout = self.options.teardown_timeout
        timeout = STAGE_TIMEOUT if timeout is None else timeout
        done = None
        if timeout > 0:
            done = self._run_stage("teardown", self.setup_data, timeout)
            if done is None:
                return
        if self._ending is not None:
            pass  # what it has done wrong is not told then
        elif done is None or done.timed_out:
            self._ending = _stage_timed_out("teardown", timeout, ExitCode.TEARDOWN_TIMEOUT)
        elif done.error is not None:
            self._ending = stage_failure(done)

    def _run_stage(
        self,
        name: str,
        argument: bytes | None,
        timeout: float,
        *,
        wanted: bool = True,
    ) -> protocol.StageDone | None:
        """None if there is no worker (any more) to run it."""
        self._stage = None
        self._in_stage = True
        if wanted:
            self.logger.log("debug", f"Running {name}()")
        worker = next((one for one in self._workers if not one.gone), None)
        if worker is None:
            self._in_stage = False
            return None
        self._tell(worker, protocol.RunStage(StageName(name), argument, timeout, wanted))
        limit = time.monotonic() + timeout + PATIENCE

        def over() -> bool:
            if self._stage is not None or worker.gone:
                return True
            latest = limit
            if name == "setup" and self._interrupted_at is not None:
                latest = min(limit, self._interrupted_at + PATIENCE)
            if time.monotonic() > latest:
                self._kill(worker, f"{name}() did not end within its time")
                return True
            return False

        self._pump(over)
        self._in_stage = False
        return self._stage

    def _play_scenarios(self) -> None:
        start = protocol.Start(time.monotonic() + 0.002, self.setup_data)
        self.played_since = start.at
        for worker in self._workers:
            self._tell(worker, start)
        latest = start.at + max(plan.latest_end for plan in self.test.plans.values())

        def over() -> bool:
            late = latest if self._interrupted_at is None else self._interrupted_at
            if time.monotonic() > late + PATIENCE:
                for worker in self._workers:
                    if not worker.finished and not worker.gone:
                        self._kill(worker, "it did not stop when it was told to")
            return all(worker.finished or worker.gone for worker in self._workers)

        self._pump(over)
        if self._scenario_log is not None:
            self._scenario_log.update()
        self._record_dropped()

    def _record_dropped(self) -> None:
        """dropped_iterations of scenarios whose VUs share a number of them."""
        for (name, plan), counts in zip(self.test.plans.items(), self._counts, strict=True):
            budget = plan.iterations
            if not isinstance(budget, Shared):
                continue
            dropped = budget.count - counts.total(board.STARTED)
            if dropped > 0 and self._interrupted_at is None:
                tags = dict(self.options.tags or {})
                if "scenario" in self.options.enabled_system_tags():
                    tags["scenario"] = name
                self._record({"dropped_iterations": dropped}, tags)

    # -- the end -----------------------------------------------------------------------------------

    def _close_outputs(self) -> None:
        for output in self._outputs:
            output.end()
        for output, config in zip(self._outputs, self.settings.outputs, strict=False):
            output.close()
            if not self._outputs_closed:
                self.logger.log("debug", f"Output stopped: {config.description}")
        self._outputs_closed = True
        self._hear_outputs()

    def _hear_outputs(self) -> None:
        """Log what the outputs have to say."""
        for output in self._outputs:
            while output.news:
                self.logger.log(*output.news.popleft())

    def _conclude(self, cause: ExitCode | None) -> ExitCode:
        """Thresholds, summary, exit code."""
        self.phase = "ended"
        elapsed = time.monotonic() - self.started
        self.display.stop()
        if self.settings.linger and not self._signals:
            self._linger()
        crossed: tuple[str, ...] = ()
        if not self.settings.no_thresholds:
            self.store.add_thresholds(self._registry)
            crossed = self.thresholds.evaluate(self.store, elapsed, final=True).crossed
        if not any(count.total(board.COMPLETED) for count in self._counts) and cause is None:
            self.logger.log(
                "warning",
                "No script iterations fully finished, consider making the test duration longer",
            )
        self._report_lateness()
        self._report_handshakes()
        if self.settings.summary_mode != "disabled":
            self.summary = self._report().tell(self._summary_data(elapsed))
        self._close_outputs()
        self._make_calls()  # a signal may have come meanwhile
        ending = self._ending
        if ending is not None and ending is not self._failure and str(ending):
            self.reason = str(ending)
            self.logger.log("error", self.reason, **ending.log_fields)
        if self._failure is not None:
            raise self._failure
        if ending is not None:
            return ending.exit_code
        if self.marked_failed:
            return self._failed_because("test run was marked as failed", ExitCode.MARKED_AS_FAILED)
        if crossed:
            names = ", ".join(crossed)
            reason = f"thresholds on metrics '{names}' have been crossed"
            return self._failed_because(reason, ExitCode.THRESHOLDS_FAILED)
        return ExitCode.SUCCESS

    def _failed_because(self, reason: str, code: ExitCode) -> ExitCode:
        self.reason = reason
        self.logger.log("error", reason)
        return code

    def _linger(self) -> None:
        self._lingering = True
        text = "The test is done, but --linger was enabled, so it waits for Ctrl+C to continue..."
        self.logger.log("debug", text)
        if not self.settings.quiet:
            print(text, flush=True)
        self._pump(lambda: not self._lingering)

    def _report_lateness(self) -> None:
        late = self.lateness.percentile(99)
        if late > LATE:
            self.logger.log(
                "warning",
                f"This machine could not keep the planned arrival rate: 1 % of the iterations "
                f"started {late:.0f} ms late or more (at most {self.lateness.max:.0f} ms)",
            )

    def _report_handshakes(self) -> None:
        """Say why not a single WebSocket session was opened: k6/ws itself tells only the script."""
        failed = sum(worker.failed_handshakes for worker in self._workers)
        attempts = self.store.sink("ws_sessions")
        if failed and isinstance(attempts, CounterSink) and attempts.count <= failed:
            self.logger.log(
                "info",
                f"No WebSocket session was opened: {failed} of {failed} handshakes failed, "
                f"the first one with: {self._handshake_failure}",
            )

    def _summary_data(self, elapsed: float) -> SummaryData:
        return build(
            self.store,
            self.thresholds,
            trend_stats=self.options.trend_stats(),
            time_unit=self.options.summary_time_unit or "",
            duration=elapsed,
            setup_data=self.setup_data,
        )

    def _report(self) -> Report:
        def ask(argument: bytes, timeout: float) -> protocol.StageDone | None:
            wanted = "handleSummary" in self.test.exports
            return self._run_stage("handleSummary", argument, timeout, wanted=wanted)

        return Report(
            self.settings,
            self.logger,
            script=self.script.text if self.settings.machine_readable else "",
            timeout=self.options.handle_summary_timeout,
            is_callable=self.test.exports.get("handleSummary", "function") == "function",
            ask=ask,
        )

    # -- messages ----------------------------------------------------------------------------------

    def watch(self, source: HasFileno, handle: Callable[[], None]) -> None:
        """Call `handle` in the run's own thread whenever `source` is readable.

        Args:
            source: An object with `fileno()`, such as a socket.
            handle: Reads what is there, or calls `unwatch`; must not block.
        """
        self._selector.register(source, selectors.EVENT_READ, handle)

    def unwatch(self, source: HasFileno) -> None:
        """End what `watch` has begun."""
        self._selector.unregister(source)

    def _lose_companion(self) -> None:
        assert self._companion is not None
        self.unwatch(self._companion)
        self._fail(self._companion.failure())

    def _watch_worker(self, worker: Worker) -> None:
        self.watch(worker.stream, partial(self._read, worker))

    @staticmethod
    def _tell(worker: Worker, message: protocol.Message) -> None:
        with contextlib.suppress(OSError):  # reading will tell that it is gone
            send(worker.stream, message)

    def _pump(self, over: Callable[[], bool]) -> None:
        """Handle messages and seconds until `over()`. Raises the failure that ends the run."""
        while not over():
            if self._failure is not None and self.phase == "init":
                raise self._failure
            now = time.monotonic()
            due = min(self._next_second, self._next_judgement, self._next_frame, now + 0.5)
            for key, _ in self._selector.select(max(due - now, 0)):
                key.data()
            self._make_calls()
            self._tick(time.monotonic())
        if self._failure is not None and self.phase == "init":
            raise self._failure

    def _make_calls(self) -> None:
        """What `call_soon` was asked for."""
        while not self._calls.empty():
            self._calls.get()()

    def _read(self, worker: Worker) -> None:
        try:
            data = worker.stream.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self.unwatch(worker.stream)
            if not worker.gone:
                worker.gone = True
                self._lose(worker)
            return
        for message in worker.reader.feed(data):
            self._handle(worker, message)

    def _handle(self, worker: Worker, message: protocol.Message) -> None:
        match message:
            case protocol.Snapshot():
                self._merge(worker, message)
            case protocol.Log(once=True, text=text) if text in self._said_once:
                pass
            case protocol.Log():
                if message.once:
                    self._said_once.add(message.text)
                self.logger.log(message.level, message.text, message.time, **message.fields)
            case protocol.Secret():
                self.logger.redact(message.value)
            case protocol.Initialized():
                worker.vus = message.vus
                self.logger.log("debug", f"Worker {worker.number} has made {worker.vus} VUs")
            case protocol.Forked():
                worker.process_id = message.process_id
            case protocol.Ready():
                worker.ready = True
            case protocol.Finished():
                worker.finished = True
            case protocol.StageDone():
                self._stage = message
            case protocol.Loaded():
                self._loaded = message
            case protocol.WorkerFailed():
                error_class = (
                    ScriptError if message.exit_code == ExitCode.SCRIPT_EXCEPTION else JsrunnerError
                )
                self._fail(error_class(message.text, exit_code=message.exit_code, hint=message.hint))
            case protocol.Abort():
                self._stop(JsrunnerError(message.text, exit_code=ExitCode.SCRIPT_ABORTED))
            case protocol.MarkFailed():
                self.logger.log("error", message.text)
                self.marked_failed = True

    def _merge(self, worker: Worker, snapshot: protocol.Snapshot) -> None:
        """Add a worker's measurements to the run's."""
        for number, name, type_, contains, tags, first in snapshot.series:
            worker.series[number] = self._series(Metric(name, type_, contains), tags, first)
        for number, delta in snapshot.deltas:
            worker.series[number].merge(delta)
        if self._mergers:
            deltas = [(worker.series[number], delta) for number, delta in snapshot.deltas]
            for merger in self._mergers:
                merger.merge(deltas)
        for writer, lines in zip(self._writers, snapshot.lines, strict=True):
            writer.write(lines)
        self.lateness.extend(array("d", snapshot.lateness))
        worker.sessions_open = snapshot.sessions_open
        worker.failures = snapshot.iteration_failures
        worker.failed_handshakes = snapshot.failed_handshakes
        self._handshake_failure = self._handshake_failure or snapshot.handshake_failure
        worker.reports += 1
        worker.reported = time.monotonic()
        if warning := self.store.cardinality_warning():
            self.logger.log("warning", warning)

    def _series(self, metric: Metric, tags: dict[str, str], first: float) -> Series:
        """Return a series of the run; outputs hear of a metric that has none yet."""
        if metric.name not in self._introduced:
            self._introduced.add(metric.name)
            thresholds = self.thresholds.thresholds.get(metric.name, ())
            submetrics = self.store.submetrics(metric.name)
            for output in self._outputs:
                output.introduce(metric, thresholds, submetrics)
        return self.store.series(metric, tags, first)

    def _record(self, values: Mapping[str, float], tags: dict[str, str]) -> None:
        """Record a sample of each of these built-in metrics, counters or gauges, as of now."""
        now = time.time()
        samples = [(self._series(BUILTIN[name], tags, now), value) for name, value in values.items()]
        deltas: list[tuple[Series, Any]] = [
            (series, value if series.metric.type == "counter" else (value, value, value))
            for series, value in samples
        ]
        for series, delta in deltas:
            series.merge(delta)
        for merger in self._mergers:
            merger.merge(deltas)
        for writer, formatter in zip(self._writers, self._formatters(), strict=True):
            lines = (
                formatter.format(one.metric, tags, None).line(now, value) for one, value in samples
            )
            writer.write(b"".join(lines))

    # -- seconds -----------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        if now >= self._next_second:
            self._next_second += 1
            self._record_vus()
            self._hear_outputs()
        if now >= self._next_judgement:
            self._next_judgement += THRESHOLDS_EVERY
            self._judge(now)
        if now >= self._next_frame:
            self._next_frame = now + REFRESH
            self.display.update()
            if self._scenario_log is not None:
                self._scenario_log.update()

    def _record_vus(self) -> None:
        values = {"vus": self.vus_active(), "vus_max": self.vus_initialized()}
        self._record(values, dict(self.options.tags or {}))

    def vus_initialized(self) -> int:
        return sum(worker.vus for worker in self._workers)

    def vus_active(self) -> int:
        return sum(counts.active for counts in self._counts)

    def counts(self) -> list[board.Counts]:
        """A scenario's counts, in the order of `scenarios`."""
        return self._counts

    def workers(self) -> list[Worker]:
        return self._workers

    def _judge(self, now: float) -> None:
        """Thresholds while the run goes on."""
        if self.settings.no_thresholds or self.phase not in ("setup", "running"):
            return
        verdict = self.thresholds.evaluate(self.store, now - self.started, final=False)
        if verdict.abort and self.cause is None:
            names = ", ".join(verdict.crossed)
            text = (
                f"thresholds on metrics '{names}' were crossed; at least one has abortOnFail "
                "enabled, stopping test prematurely"
            )
            self._stop(JsrunnerError(text, exit_code=ExitCode.THRESHOLDS_FAILED))

    # -- stopping ----------------------------------------------------------------------------------

    def _stop(self, error: JsrunnerError) -> None:
        """End all iterations now. As in k6 the error is told after the summary, and only the first."""
        self._ending = self._ending or error
        if self._interrupted_at is None:
            self._interrupted_at = time.monotonic()
            for worker in self._workers:
                if not worker.gone:
                    self._tell(worker, protocol.Interrupt())

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have the run's own thread call this soon. Any thread may ask for it."""
        self._calls.put(function)
        self._wakeup.wake()

    def stop_from_outside(self, reason: str, code: ExitCode) -> None:
        """End the run early: teardown and the summary still come.

        Args:
            reason: The text of the error that is logged.
            code: The run's exit code, unless the run is already ending for another reason.
        """
        if self.phase == "ended" or self.cause is not None:
            return
        self._stop_for(reason, code)

    def run_again(self, name: str) -> None:
        """Run setup or teardown besides the test. Raises JsrunnerError with what went wrong."""
        if name not in self.test.exports:
            return
        if self.phase == "init":
            raise JsrunnerError(f"{name}() cannot run before there are VUs")
        if self._in_stage:
            raise JsrunnerError(f"{name}() cannot run now: a setup() or teardown() is running")
        setup = name == "setup"
        timeout = self.options.setup_timeout if setup else self.options.teardown_timeout
        timeout = timeout or STAGE_TIMEOUT
        done = self._run_stage(name, None if setup else self.setup_data, timeout)
        if done is None:
            raise JsrunnerError("there is no worker to run it")
        if setup and self.cause is not None:
            raise JsrunnerError("the test was stopped")
        if done.timed_out:
            raise JsrunnerError(f"{name}() execution timed out after {timeout:.0f} seconds")
        if done.error is not None:
            raise JsrunnerError(done.error)
        if setup:
            if done.result is not None and (failure := _marshal_failure(done.result)):
                raise JsrunnerError(failure)
            self.setup_data = done.result

    def _fail(self, error: JsrunnerError) -> None:
        """The run cannot be completed: stop it, and end with this error."""
        self._failure = self._failure or error
        if self._counts:
            self._stop(error)

    def _lose(self, worker: Worker) -> None:
        """A worker process has ended before its time."""
        if self._failure is not None:
            return  # it has said why
        name = self._name(worker)
        how = self._local.death(worker.process_id)
        self._fail(WorkerError(f"{name} died{how}: the run is not complete"))

    def _kill(self, worker: Worker, why: str) -> None:
        if worker.process_id:
            os.kill(worker.process_id, signal.SIGKILL)
        worker.gone = True
        self._fail(
            WorkerError(f"{self._name(worker)} was killed because {why}: the run is not complete")
        )

    def _name(self, worker: Worker) -> str:
        return f"worker {worker.number} of {len(self._workers)} (process {worker.process_id})"

    def _process_ids(self) -> list[int]:
        return [worker.process_id for worker in self._workers if worker.process_id]

    def _interrupt(self, name: str) -> None:
        """A signal: the first one stops the run, then come teardown and summary; the second ends it.

        Its handler calls, and may have come in the midst of anything: a log line, say.
        """
        if self._lingering:
            self._lingering = False
            return
        self._signals += 1
        if self._signals > 1:
            self.display.stop()
            self._local.kill(self._process_ids())
            os._exit(ExitCode.EXTERNAL_ABORT)
        self.call_soon(partial(self._stop_for_signal, name))

    def _stop_for_signal(self, name: str) -> None:
        text = f"test run was aborted because k6 received a '{name}' signal"
        self._stop_for(text, ExitCode.EXTERNAL_ABORT)

    def _stop_for(self, wish: str, code: ExitCode) -> None:
        """Stop the run, which may not have begun yet, for somebody who waits: it is told at once."""
        self.logger.log("error", wish)
        if self._ending is None:
            self.reason = wish
        error = JsrunnerError("", exit_code=code)
        self._stop(error)
        if self.phase == "init":
            self._fail(error)


def _marshal_failure(result: bytes) -> str | None:
    """Why what setup() has returned cannot be handed on."""
    data = json.loads(result)
    if isinstance(data, dict) and set(data) == {"$error"}:
        return f"error marshaling setup() data to JSON: {data['$error']}"
    return None


def _stage_timed_out(name: str, timeout: float, code: ExitCode) -> JsrunnerError:
    return JsrunnerError(
        f"{name}() execution timed out after {timeout:.0f} seconds",
        exit_code=code,
        hint=f"You can increase the time limit via the {name}Timeout option",
    )
