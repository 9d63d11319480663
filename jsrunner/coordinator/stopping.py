"""Why a run ends before its time, and since when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jsrunner.coordinator.state import Phase
from jsrunner.errors import ExitCode, JsrunnerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.state import RunState


class Stopping:
    """The early end of one run. Used in the coordinator's thread only.

    A run is *stopped* when its iterations are interrupted; teardown and summary still come. A run has
    *failed* when it cannot be completed: it is stopped, too, and ends with an exception.
    """

    def __init__(self, state: RunState, log: RunLog, interrupt: Callable[[], None]) -> None:
        """Make the early end of a run that has none yet; `interrupt` stops all iterations."""
        self._state = state
        self._log = log
        self._interrupt = interrupt
        #: The first error of all, which decides the exit code. Its text is logged after the summary.
        self.error: JsrunnerError | None = None
        #: Why the run cannot be completed.
        self.failure: JsrunnerError | None = None
        #: When the iterations were interrupted, by time.monotonic; None if they were not.
        self.since: float | None = None
        #: Why the run was stopped from outside, which was logged at once.
        self.request = ""

    def end_with(self, error: JsrunnerError) -> None:
        """Have the run end with this error, unless there is one already; interrupt nothing."""
        self.error = self.error or error

    def stop(self, error: JsrunnerError) -> None:
        """Interrupt all iterations, and have the run end with this error."""
        self.end_with(error)
        if self.since is None:
            self.since = time.monotonic()
            self._interrupt()

    def fail(self, error: JsrunnerError) -> None:
        """Stop the run, which cannot be completed because of this error."""
        self.failure = self.failure or error
        self.stop(error)

    def stop_for(self, reason: str, code: ExitCode) -> None:
        """Stop the run at somebody's request. The reason is logged at once.

        Args:
            reason: The text of the error.
            code: The run's exit code, unless the run ends with another error already.
        """
        self._log.log("error", reason)
        if self.error is None:
            self.request = reason
        error = JsrunnerError("", exit_code=code)
        if self._state.phase is Phase.INIT:
            self.fail(error)
        else:
            self.stop(error)

    def raise_failure(self) -> None:
        """Raise the failure of a run that has not begun: there is nothing to tear down or to sum up."""
        if self.failure is not None and self._state.phase is Phase.INIT:
            raise self.failure
