"""The end of a run before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.errors import ExitCode, JsrunnerError

if TYPE_CHECKING:
    from conftest import Records


class Stopped:
    """A run that may be stopped."""

    def __init__(self, log: Records, phase: Phase) -> None:
        self.state = RunState(phase=phase)
        self.interruptions = 0
        self.stopping = Stopping(self.state, log, self._interrupt)

    def _interrupt(self) -> None:
        self.interruptions += 1


@pytest.fixture
def running(log: Records) -> Stopped:
    return Stopped(log, Phase.RUNNING)


@pytest.fixture
def loading(log: Records) -> Stopped:
    return Stopped(log, Phase.INIT)


def test_a_run_that_nobody_stops(running: Stopped) -> None:
    running.stopping.raise_failure()
    assert running.stopping.error is None
    assert running.stopping.since is None


def test_the_first_error_counts_and_interrupts_once(running: Stopped) -> None:
    first, second = JsrunnerError("first"), JsrunnerError("second")
    running.stopping.stop(first)
    since = running.stopping.since
    running.stopping.stop(second)
    running.stopping.end_with(second)
    assert running.stopping.error is first
    assert (running.stopping.since, running.interruptions) == (since, 1)


def test_a_late_error_interrupts_nothing(running: Stopped) -> None:
    running.stopping.end_with(JsrunnerError("teardown has failed"))
    assert (running.stopping.since, running.interruptions) == (None, 0)


def test_a_failure_of_a_run_that_has_begun_waits_for_its_end(running: Stopped) -> None:
    error = JsrunnerError("a worker died")
    running.stopping.fail(error)
    running.stopping.raise_failure()
    assert running.stopping.failure is running.stopping.error is error
    assert running.interruptions == 1


def test_a_failure_of_a_run_that_has_not_begun_is_raised(loading: Stopped) -> None:
    loading.stopping.fail(JsrunnerError("first"))
    loading.stopping.fail(JsrunnerError("second"))
    with pytest.raises(JsrunnerError, match="first"):
        loading.stopping.raise_failure()


def test_a_wish_is_logged_at_once(running: Stopped, log: Records) -> None:
    running.stopping.stop_for("enough", ExitCode.STOPPED_OVER_REST)
    assert log.texts("error") == ["enough"]
    assert running.stopping.request == "enough"
    assert running.stopping.failure is None
    assert running.stopping.error is not None
    assert running.stopping.error.exit_code is ExitCode.STOPPED_OVER_REST
    assert str(running.stopping.error) == ""  # it is not logged again


def test_a_wish_of_a_run_that_has_not_begun_fails_it(loading: Stopped) -> None:
    loading.stopping.stop_for("enough", ExitCode.EXTERNAL_ABORT)
    with pytest.raises(JsrunnerError) as failure:
        loading.stopping.raise_failure()
    assert failure.value.exit_code is ExitCode.EXTERNAL_ABORT


def test_a_wish_after_an_error_is_not_the_reason(running: Stopped) -> None:
    running.stopping.stop(JsrunnerError("thresholds"))
    running.stopping.stop_for("enough", ExitCode.EXTERNAL_ABORT)
    assert running.stopping.request == ""
