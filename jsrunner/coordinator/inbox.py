"""The dispatch of workers' messages: each goes to the part of the run whose concern it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.errors import ExitCode, JsrunnerError, ScriptError
from jsrunner.messages import protocol

if TYPE_CHECKING:
    from jsrunner.coordinator.collector import Collector
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.stages import StageRunner
    from jsrunner.coordinator.state import RunState
    from jsrunner.coordinator.stopping import Stopping


class Inbox:
    """Hands the messages of one run's workers on, but for those of `workers.Workers` itself."""

    #: Set when the test is known: no worker has samples or runs stages before that.
    collector: Collector
    stages: StageRunner

    def __init__(self, state: RunState, stopping: Stopping, log: RunLog) -> None:
        self._state = state
        self._stopping = stopping
        self._log = log
        self._logged_once: set[str] = set()
        #: The description of the script, when its first init is done.
        self.loaded: protocol.Loaded | None = None

    def put(self, worker: int, message: protocol.WorkerMessage) -> None:
        """Hand on a message of the worker with this number."""
        match message:
            case protocol.WorkerSnapshot():
                self.collector.add(worker, message)
            case protocol.Log():
                self._relay(message)
            case protocol.Secret():
                self._log.redact(message.value)
            case protocol.StageDone():
                self.stages.end(message)
            case protocol.Loaded():
                self.loaded = message
            case protocol.WorkerFailed(text, code, hint):
                kind = ScriptError if code is ExitCode.SCRIPT_EXCEPTION else JsrunnerError
                self._stopping.fail(kind(text, exit_code=code, hint=hint))
            case protocol.Abort():
                error = JsrunnerError(message.text, exit_code=ExitCode.SCRIPT_ABORTED)
                self._stopping.stop(error)
            case protocol.MarkFailed():
                self._log.log("error", message.text)
                self._state.is_marked_failed = True

    def _relay(self, record: protocol.Log) -> None:
        """Log a worker's record. A record with `once` is logged only the first time."""
        if record.once:
            if record.text in self._logged_once:
                return
            self._logged_once.add(record.text)
        self._log.log(record.level, record.text, record.time, **record.fields)
