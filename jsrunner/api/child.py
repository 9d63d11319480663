"""The process of a run that a program has started: the coordinator, steered by messages.

Called by process.py with a connected socket. Nothing here is imported in the program itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

from jsrunner.api.messages import (
    Begin,
    Ended,
    Frames,
    Logged,
    Message,
    Pause,
    Refused,
    Replied,
    Resume,
    Snapped,
    Stop,
    encode,
)  # fmt: skip
from jsrunner.api.records import LogRecord, Progress, Snapshot, Threshold
from jsrunner.coordinator.run import Run
from jsrunner.coordinator.settings import RunSettings
from jsrunner.coordinator.state import Phase
from jsrunner.errors import ConfigError, ExitCode, JsrunnerError
from jsrunner.options.numbers import quote
from jsrunner.options.parse import options_from_json
from jsrunner.options.selection import Selection
from jsrunner.outputs.registry import parse_output
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import parse_sources
from jsrunner.ui.log import Logger
from jsrunner.ui.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from jsrunner.api.sample_file import SampleFile
    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.recording import Recording
    from jsrunner.coordinator.view import RunView
    from jsrunner.options.model import Options
    from jsrunner.server.process import ServerProcess

STOPPED: Final = "test run was stopped by the program that started it"
_ABANDONED: Final = "test run was stopped because the program that started it has ended"

#: Seconds that a run gets for its end when the program has gone, before its processes are killed.
_ABANDONED_PATIENCE: Final = 15.0
#: Bytes that may wait for a program that does not read. Beyond them log records are dropped.
_OUTBOX_MAX: Final = 16 << 20
#: Seconds between snapshots, and the part of the time that making them may take: percentiles sort.
_SNAPSHOTS_EVERY: Final = 1.0
_SNAPSHOTS_SHARE: Final = 0.02


def main(descriptor: int) -> None:
    """Carry out the run that the first message describes; ends the process."""
    gc.disable()  # as `jsrunner run` does: imports leave no garbage
    os.register_at_fork(before=gc.freeze, after_in_parent=gc.enable)
    code = 1
    try:
        outbox = Outbox(socket.socket(fileno=descriptor))
        with contextlib.suppress(EOFError):  # the program has gone already
            outbox.finish(_carry_out(outbox))
            code = 0
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _carry_out(outbox: Outbox) -> Message:
    begin = outbox.begin()
    logger = Logger(output="stderr" if begin.prints_log else "none")
    logger.listeners.append(outbox.log)
    try:
        with _server(begin) as server:
            return _execute(begin, outbox, logger, server)
    except JsrunnerError as error:
        text, hint = logger.redacted(str(error)), error.hint and logger.redacted(error.hint)
        return Refused(type(error).__name__, text, int(error.exit_code), hint)
    except MemoryError:
        return Refused("JsrunnerError", "out of memory", int(ExitCode.INTERNAL_ERROR), None)
    finally:
        logger.close()


def _execute(begin: Begin, outbox: Outbox, logger: Logger, server: ServerProcess | None) -> Message:
    environment = dict(os.environ)
    if server is not None:
        environment |= server.trust
        os.environ.update(server.trust)
    options = _options(begin.options, logger)
    path = os.fsdecode(begin.path)
    script = ScriptBundle.at(path) if begin.source is None else ScriptBundle(path, source=begin.source)
    outputs = [parse_output(spec, environment) for spec in begin.outputs]
    samples = None
    if begin.samples is not None:
        from jsrunner.api.sample_file import SampleFile, sample_output

        samples = SampleFile(begin.samples)
        outputs.append(sample_output(samples))
    recording = _recording(begin, script, logger)
    if recording is not None:
        outputs.append(recording.output)
    scenarios = tuple(begin.scenarios) if begin.scenarios is not None else None
    run = Run(
        script,
        config=None,
        flags=options,
        settings=RunSettings(
            outputs=tuple(outputs),
            selection=Selection(scenario=scenarios, once=begin.once),
            no_thresholds=not begin.thresholds,
            silent=True,
            quiet=True,
            script_environment={
                **script.archived_variables,
                **environment,
                **(server.variables if server else {}),
                **begin.env,
            },
            environment=environment,
            secrets=parse_sources(begin.secrets, environment),
            workers=begin.workers,
            dask=begin.dask,
            dask_insecure=begin.dask_insecure,
            tolerate_loss=begin.tolerate_loss,
        ),
        logger=logger,
        display=SnapshotDisplay(outbox),
        companion=server,
        service=contextlib.nullcontext,  # the program may resume it
        observe=recording.observe if recording else None,
    )
    if begin.paused:
        run.control.pause()
    controls = Controls(run.control, outbox)
    run.control.watch(outbox, controls.read)
    run.control.call_soon(controls.read)  # requests may have come together with the first message
    try:
        code = recording.execute(run) if recording else run.execute()
    except JsrunnerError as error:
        if str(error):
            raise
        raise JsrunnerError(run.reason, exit_code=error.exit_code, hint=error.hint) from None
    return _ended(run, code, logger.redacted(run.reason), samples, outbox)


def _ended(run: Run, code: ExitCode, reason: str, samples: SampleFile | None, outbox: Outbox) -> Ended:
    summary = run.summary or {}
    duration = summary.get("state", {}).get("testRunDurationMs", 0.0) / 1000
    return Ended(
        exit_code=int(code),
        reason=reason,
        duration=duration,
        thresholds=tuple(_thresholds(run.view, duration)),
        summary=json.dumps(summary).encode(),
        series=samples.series if samples else {},
        records_lost=outbox.records_lost,
    )


def _thresholds(view: RunView, elapsed: float, *, final: bool = True) -> Iterator[Threshold]:
    """Yield the thresholds with their values; while the run goes on, those that have samples."""
    for key, thresholds in view.thresholds.thresholds.items():
        sink = view.store.sink(key)
        if sink is None or (sink.empty and not final):
            continue
        for threshold in thresholds:
            passed = not threshold.failed if final else threshold.holds(sink, elapsed)
            value = None if sink.empty else sink.value_of(threshold.aggregation, elapsed)
            yield Threshold(key, threshold.source.strip(), passed, value)


def _recording(begin: Begin, script: ScriptBundle, logger: Logger) -> Recording | None:
    """Return the recording of the run; None if the program wants neither a record nor a report."""
    if begin.save is None and begin.report is None:
        return None
    from jsrunner.coordinator.recording import Recording

    save, report = (None if path is None else os.fsdecode(path) for path in (begin.save, begin.report))
    return Recording(script, logger, save=save, report=report)


def _server(begin: Begin) -> AbstractContextManager[ServerProcess | None]:
    if not begin.server:
        return contextlib.nullcontext()
    from jsrunner.server.process import ServerProcess

    return ServerProcess()


def _options(data: bytes, logger: Logger) -> Options:
    """Read the options of a run. Raises ConfigError, which names the wrong option."""
    from jsrunner.executors.registry import scenarios_from_json

    try:
        options, unknown = options_from_json(json.loads(data))
        scenarios_from_json(options.scenarios or {})
    except ConfigError as error:
        text = f"{error.hint}: {error}" if error.hint else str(error)
        raise ConfigError(text, exit_code=error.exit_code, hint=error.hint) from None
    if unknown:
        logger.log(
            "warning",
            "There were unknown fields in the options of the run",
            error=f"json: unknown field {quote(min(unknown))}",
        )
    return options


class Outbox:
    """The run's end of the socket pair. Sending never waits, except for the last message."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._frames = Frames()
        self._pending = bytearray()
        self._requests: list[Message] = []
        #: Log records that were dropped because the program did not read.
        self.records_lost = 0

    def fileno(self) -> int:
        """Return the file descriptor of the socket to the program, for a selector."""
        return self._stream.fileno()

    def begin(self) -> Begin:
        """Return the first message; waits for it. Raises EOFError if the program has gone."""
        while not self._requests:
            self._requests += self.receive()
        first = self._requests.pop(0)
        assert isinstance(first, Begin)
        self._stream.setblocking(False)
        return first

    def receive(self) -> list[Message]:
        """Return the requests that have come, since `begin` without waiting.

        Raises:
            EOFError: The program has gone.
        """
        requests, self._requests = self._requests, []
        try:
            data = self._stream.recv(1 << 16)
        except BlockingIOError:
            return requests
        except OSError:
            data = b""
        if not data:
            raise EOFError
        return [*requests, *self._frames.requests(data)]

    def send(self, message: Message) -> None:
        """Send a message, or keep it until the program reads."""
        self._pending += encode(message)
        self.flush()

    def send_if_read(self, message: Message) -> None:
        """Send a message that only matters if the program reads now."""
        self.flush()
        if not self._pending:
            self.send(message)

    def log(self, level: str, text: str, moment: int, fields: dict[str, object]) -> None:
        """Send a record of the log."""
        if len(self._pending) > _OUTBOX_MAX:
            self.records_lost += 1
        else:
            self.send(Logged(LogRecord(level, text, moment, dict(fields))))

    def flush(self) -> None:
        """Send as much as the program takes."""
        try:
            while self._pending:
                del self._pending[: self._stream.send(self._pending)]
        except BlockingIOError:
            pass
        except OSError:  # the program has gone: reading says so
            self._pending.clear()

    def finish(self, message: Message) -> None:
        """Send the last message; waits until the program has read everything."""
        self._stream.setblocking(True)
        self.send(message)


class Controls:
    """Carries out the program's requests, in the run's own thread."""

    def __init__(self, control: RunControl, outbox: Outbox) -> None:
        self._control = control
        self._outbox = outbox

    def read(self) -> None:
        """Handle the requests that have come."""
        try:
            requests = self._outbox.receive()
        except EOFError:
            self._abandon()
            return
        for request in requests:
            match request:
                case Stop():
                    self._control.stop(STOPPED, ExitCode.EXTERNAL_ABORT)
                case Pause():
                    self._outbox.send(Replied(request.serial, self._pause()))
                case Resume():
                    self._control.resume()
                    self._outbox.send(Replied(request.serial, None))

    def _pause(self) -> str | None:
        """Return an error text, None if the run waits now: k6's executors cannot pause once started."""
        phase = self._control.phase
        if phase not in (Phase.INIT, Phase.PAUSED):
            return f"the run cannot be paused any more, it is in its phase {phase.value}"
        self._control.pause()
        return None

    def _abandon(self) -> None:
        """Stop the run because the program has gone; kill this process group if it then hangs.

        Nobody else is left who could kill it.
        """
        self._control.unwatch(self._outbox)
        signal.signal(signal.SIGALRM, _kill_all)
        signal.setitimer(signal.ITIMER_REAL, _ABANDONED_PATIENCE)
        self._control.stop(_ABANDONED, ExitCode.EXTERNAL_ABORT)


def _kill_all(number: int, frame: object) -> None:
    os.killpg(os.getpgid(0), signal.SIGKILL)


class SnapshotDisplay:
    """The display of the run: sends a snapshot once a second, and when the phase changes."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._phase: Phase | None = None
        self._due = 0.0
        self._watcher: Watcher | None = None

    def start(self, view: RunView) -> None:
        """Begin with the snapshots of a run, whose plans are known."""
        self._view = view
        self._watcher = Watcher(view)

    def update(self) -> None:
        """Send due messages. The run calls this method after `stop`, too."""
        now = time.monotonic()
        watcher = self._watcher
        if watcher is not None and (now >= self._due or self._view.phase is not self._phase):
            self._phase = self._view.phase
            self._outbox.send_if_read(Snapped(self._snapshot(watcher)))
            spent = time.monotonic() - now
            self._due = now + max(_SNAPSHOTS_EVERY, spent / _SNAPSHOTS_SHARE)
        else:
            self._outbox.flush()

    def stop(self) -> None:
        """Send the last snapshot, in which all is counted."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            self._outbox.send(Snapped(self._snapshot(watcher)))

    def _snapshot(self, watcher: Watcher) -> Snapshot:
        view = self._view
        state = watcher.state()
        begun = view.phase not in (Phase.INIT, Phase.PAUSED)
        elapsed = state.elapsed if begun else 0.0
        trend_stats = view.test.options.trend_stats()
        return Snapshot(
            phase=view.phase.value,
            elapsed=elapsed,
            vus=state.active,
            vus_max=state.initialized,
            iterations=state.complete,
            interrupted_iterations=state.interrupted,
            failed_iterations=state.failed_iterations,
            scenarios={
                scenario.name: Progress(scenario.status, scenario.progress)
                for scenario in state.scenarios
            },
            metrics={
                name: entry.sink.format(elapsed, trend_stats)
                for name, entry in view.store.entries.items()
            },
            thresholds=tuple(_thresholds(view, elapsed, final=False)),
        )
