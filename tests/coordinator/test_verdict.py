"""The exit code of a run, and what its log says in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.collector import Totals
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.coordinator.verdict import explain_handshakes, verdict, warn_of_start_lags
from jsrunner.errors import SCRIPT_EXCEPTION, ExitCode, JsrunnerError, ScriptError
from jsrunner.metrics.registry import BUILTIN
from jsrunner.metrics.sinks import TrendSink
from jsrunner.metrics.store import Store
from jsrunner.metrics.thresholds import ThresholdSet

if TYPE_CHECKING:
    from conftest import Records


@pytest.fixture
def state() -> RunState:
    return RunState(phase=Phase.ENDED)


@pytest.fixture
def stopping(state: RunState, log: Records) -> Stopping:
    return Stopping(state, log, interrupt=lambda: None)


def test_a_run_that_has_passed(state: RunState, stopping: Stopping, log: Records) -> None:
    assert verdict(stopping, state, (), log) == (ExitCode.SUCCESS, "")
    assert log.records == []


def test_crossed_thresholds(state: RunState, stopping: Stopping, log: Records) -> None:
    text = "thresholds on metrics 'a, b' have been crossed"
    assert verdict(stopping, state, ("a", "b"), log) == (ExitCode.THRESHOLDS_FAILED, text)
    assert log.texts("error") == [text]


def test_a_mark_counts_more_than_thresholds(state: RunState, stopping: Stopping, log: Records) -> None:
    state.is_marked_failed = True
    code, reason = verdict(stopping, state, ("a",), log)
    assert (code, reason) == (ExitCode.MARKED_AS_FAILED, "test run was marked as failed")


def test_an_early_end_counts_more_than_a_mark(
    state: RunState, stopping: Stopping, log: Records
) -> None:
    state.is_marked_failed = True
    stopping.end_with(ScriptError("thrown", hint=SCRIPT_EXCEPTION))
    assert verdict(stopping, state, ("a",), log) == (ExitCode.SCRIPT_EXCEPTION, "thrown")
    fields = {"hint": SCRIPT_EXCEPTION, "source": "stacktrace"}
    assert log.records == [("error", "thrown", fields)]


def test_a_wish_is_the_reason_and_not_logged_again(
    state: RunState, stopping: Stopping, log: Records
) -> None:
    stopping.stop_for("enough", ExitCode.EXTERNAL_ABORT)
    assert verdict(stopping, state, (), log) == (ExitCode.EXTERNAL_ABORT, "enough")
    assert log.texts("error") == ["enough"]


def test_a_failure_is_raised_for_whoever_logs_it(
    state: RunState, stopping: Stopping, log: Records
) -> None:
    stopping.fail(JsrunnerError("a worker died"))
    with pytest.raises(JsrunnerError, match="a worker died"):
        verdict(stopping, state, (), log)
    assert log.records == []


def test_a_failure_after_another_error_comes_after_it(
    state: RunState, stopping: Stopping, log: Records
) -> None:
    stopping.stop(JsrunnerError("aborted"))
    stopping.fail(JsrunnerError("a worker died"))
    with pytest.raises(JsrunnerError, match="a worker died"):
        verdict(stopping, state, (), log)
    assert log.texts("error") == ["aborted"]


class Measured:
    """Stands for a collector."""

    def __init__(self, failed_handshakes: int = 0, attempts: int = 0) -> None:
        self.start_lags = TrendSink()
        self.store = Store(ThresholdSet(), system_tags=frozenset())
        self.handshake_failure = "refused"
        self._failed = failed_handshakes
        if attempts:
            self.store.series(BUILTIN["ws_sessions"], {}).merge(float(attempts))

    def totals(self) -> Totals:
        return Totals(0, self._failed, 0, 0, 0.0, {})


@pytest.mark.parametrize(("lag", "warned"), [(5.0, False), (50.0, True)])
def test_start_lags(log: Records, lag: float, warned: bool) -> None:
    measured: Any = Measured()
    for _ in range(100):
        measured.start_lags.add(lag)
    warn_of_start_lags(measured, log)
    assert bool(log.texts("warning")) is warned


@pytest.mark.parametrize(
    ("failed", "attempts", "explained"), [(0, 3, False), (2, 3, False), (3, 3, True), (0, 0, False)]
)
def test_handshakes_are_explained_if_all_have_failed(
    log: Records, failed: int, attempts: int, explained: bool
) -> None:
    measured: Any = Measured(failed, attempts)
    explain_handshakes(measured, log)
    assert log.texts("info") == (
        [
            "No WebSocket session was opened: 3 of 3 handshakes failed, the first one with: refused"
        ] if explained else []
    )  # fmt: skip
