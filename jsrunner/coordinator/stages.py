"""The script's functions that run once per test: setup, teardown, handleSummary."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from jsrunner.errors import SCRIPT_EXCEPTION, ExitCode, JsrunnerError, ScriptError
from jsrunner.messages.protocol import RunStage, StageDone, StageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.state import RunState
    from jsrunner.coordinator.stopping import Stopping
    from jsrunner.coordinator.workers import Workers
    from jsrunner.messages.plan import Test

#: k6's default timeout of setup and teardown, in seconds.
_TIMEOUT: Final = 60.0
#: Seconds that a worker gets beyond a stage's timeout, or after an interruption, before it is killed:
#: native code that computes for long cannot be interrupted.
PATIENCE: Final = 10.0
_TIMEOUT_CODES: Final = {
    StageName.SETUP: ExitCode.SETUP_TIMEOUT,
    StageName.TEARDOWN: ExitCode.TEARDOWN_TIMEOUT,
}


def stage_failure(done: StageDone) -> JsrunnerError:
    """Return the error of a stage that has ended with an exception or a rejection."""
    if done.is_rejection:  # to k6 it is no exception
        return JsrunnerError(done.error or "")
    return ScriptError(done.error or "", hint=SCRIPT_EXCEPTION)


class StageRunner:
    """Runs stages of one test, one at a time, each on the first worker that is alive."""

    def __init__(
        self,
        test: Test,
        state: RunState,
        workers: Workers,
        stopping: Stopping,
        log: RunLog,
        wait: Callable[[Callable[[], bool]], None],
    ) -> None:
        """Make the stages of a test; `wait(is_over)` runs the loop meanwhile."""
        self._test = test
        self._state = state
        self._workers = workers
        self._stopping = stopping
        self._log = log
        self._wait = wait
        self._done: StageDone | None = None
        #: True if a stage is running.
        self.is_busy = False

    def wants_setup(self) -> bool:
        """Return True if the test begins with setup()."""
        return "setup" in self._test.exports and not self._test.options.no_setup

    def wants_teardown(self) -> bool:
        """Return True if the test ends with teardown()."""
        return "teardown" in self._test.exports and not self._test.options.no_teardown

    def run_setup(self) -> None:
        """Run setup() and keep its data in the run's state.

        Raises:
            JsrunnerError: It has failed, has taken too long, or was stopped with the run.
        """
        timeout = self._test.options.setup_timeout or _TIMEOUT
        done = self.run(StageName.SETUP, None, timeout)
        if done is not None and self._stopping.error is not None:
            raise JsrunnerError("the test was stopped")
        _check(StageName.SETUP, done, timeout)
        assert done is not None
        if done.result is not None:
            _check_data(done.result)
        self._state.setup_data = done.result

    def run_teardown(self) -> None:
        """Run teardown() with setup's data.

        Raises:
            JsrunnerError: It has failed, or has taken too long.
        """
        timeout = self._test.options.teardown_timeout
        timeout = _TIMEOUT if timeout is None else timeout
        done: StageDone | None = StageDone(None, None, timed_out=True)
        if timeout > 0:
            done = self.run(StageName.TEARDOWN, self._state.setup_data, timeout)
        _check(StageName.TEARDOWN, done, timeout)

    def run(
        self, stage: StageName, argument: bytes | None, timeout: float, *, wanted: bool = True
    ) -> StageDone | None:
        """Run a stage to its end.

        Args:
            stage: The function.
            argument: The argument as JSON; None for none.
            timeout: Seconds until the stage is interrupted.
            wanted: True to call the function, False to run only the init code.

        Returns:
            The outcome; None if no worker is left to run the stage.
        """
        self._done = None
        if wanted:
            self._log.log("debug", f"Running {stage.value}()")
        worker = self._workers.first_alive()
        if worker is None:
            return None
        worker.send(RunStage(stage, argument, timeout, wanted))
        limit = time.monotonic() + timeout + PATIENCE

        def is_over() -> bool:
            if self._done is not None or worker.is_gone:
                return True
            latest = limit
            if stage is StageName.SETUP and self._stopping.since is not None:
                latest = min(limit, self._stopping.since + PATIENCE)
            if time.monotonic() > latest:
                self._workers.kill(worker, f"{stage.value}() did not end within its time")
                return True
            return False

        self.is_busy = True
        self._wait(is_over)
        self.is_busy = False
        return self._done

    def end(self, done: StageDone) -> None:
        """Note how the stage that runs has ended."""
        self._done = done


def _check(stage: StageName, done: StageDone | None, timeout: float) -> None:
    """Raise the JsrunnerError of a stage that has not ended well."""
    name = stage.value
    if done is None:
        raise JsrunnerError(f"the worker that was to run {name}() is lost")
    if done.timed_out:
        raise JsrunnerError(
            f"{name}() execution timed out after {timeout:.0f} seconds",
            exit_code=_TIMEOUT_CODES[stage],
            hint=f"You can increase the time limit via the {name}Timeout option",
        )
    if done.error is not None:
        raise stage_failure(done)


def _check_data(result: bytes) -> None:
    """Raise a JsrunnerError if the result of setup() cannot be passed to the VUs."""
    data = json.loads(result)
    if isinstance(data, dict) and set(data) == {"$error"}:
        raise JsrunnerError(f"error marshaling setup() data to JSON: {data['$error']}")
