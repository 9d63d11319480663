"""The end of a run in the log: the exit code with its reason, and hints that explain the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.errors import ExitCode
from jsrunner.metrics.sinks import CounterSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.coordinator.collector import Collector
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.state import RunState
    from jsrunner.coordinator.stopping import Stopping

#: Warn when the p99 start lag exceeds this many milliseconds.
_START_LAG_MS: Final = 10.0


def verdict(
    stopping: Stopping, state: RunState, crossed: Sequence[str], log: RunLog
) -> tuple[ExitCode, str]:
    """Log the reason why a run has not passed.

    Args:
        stopping: The reason of an early end, if there was one.
        state: The state, which says if the script has marked the run as failed.
        crossed: The metrics whose thresholds are crossed.
        log: Gets an error, unless that was logged when it happened.

    Returns:
        The exit code, and the reason in words: "" for a run that has passed.

    Raises:
        JsrunnerError: The run could not be completed.
    """
    if stopping.failure is not None:
        _log_error(stopping, log)
        raise stopping.failure
    if stopping.error is not None:
        return stopping.error.exit_code, _log_error(stopping, log)
    if state.is_marked_failed:
        code, reason = ExitCode.MARKED_AS_FAILED, "test run was marked as failed"
    elif crossed:
        code = ExitCode.THRESHOLDS_FAILED
        reason = f"thresholds on metrics '{', '.join(crossed)}' have been crossed"
    else:
        return ExitCode.SUCCESS, ""
    log.log("error", reason)
    return code, reason


def _log_error(stopping: Stopping, log: RunLog) -> str:
    """Log the reason of an early end, unless it is logged elsewhere. Return it in words."""
    error = stopping.error
    if error is None or error is stopping.failure or not str(error):
        return stopping.request
    log.log("error", str(error), **error.log_fields)
    return str(error)


def warn_of_start_lags(collector: Collector, log: RunLog) -> None:
    """Warn if iterations of arrival rates were started too late to call it the planned rate."""
    lags = collector.start_lags
    lag = lags.percentile(99)
    if lag > _START_LAG_MS:
        log.log(
            "warning",
            f"This machine could not keep the planned arrival rate: 1 % of the iterations "
            f"started {lag:.0f} ms late or more (at most {lags.max:.0f} ms)",
        )


def explain_handshakes(collector: Collector, log: RunLog) -> None:
    """Log why no WebSocket session at all was opened: k6/ws itself shows that only to the script."""
    failed = collector.totals().failed_handshakes
    attempts = collector.store.sink("ws_sessions")
    if failed and isinstance(attempts, CounterSink) and attempts.count <= failed:
        log.log(
            "info",
            f"No WebSocket session was opened: {failed} of {failed} handshakes failed, "
            f"the first one with: {collector.handshake_failure}",
        )
