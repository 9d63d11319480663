"""Steering a run. (Over HTTP: tests/rest; from a program: tests/api.)"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.control import RunControl
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages.protocol import StageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Records

    from jsrunner.coordinator.loop import Loop
    from jsrunner.messages.plan import Test


class Seen:
    """Stands for the view of a run."""

    def __init__(self, test: Test) -> None:
        self.test = test


class Staged:
    """Stands for the stages of a run."""

    def __init__(self) -> None:
        self.is_busy = False
        self.run: list[str] = []

    def run_setup(self) -> None:
        self.run.append("setup")

    def run_teardown(self) -> None:
        self.run.append("teardown")


@pytest.fixture
def state() -> RunState:
    return RunState(phase=Phase.RUNNING)


@pytest.fixture
def stopping(state: RunState, log: Records) -> Stopping:
    return Stopping(state, log, interrupt=lambda: None)


@pytest.fixture
def stages() -> Any:
    return Staged()


@pytest.fixture
def control(
    loop: Loop,
    state: RunState,
    stopping: Stopping,
    stages: Any,
    log: Records,
    make_test: Callable[..., Test],
) -> RunControl:
    control = RunControl(loop, state, stopping, log)
    seen: Any = Seen(make_test(("default", "setup", "teardown")))
    control.view, control.stages = seen, stages
    return control


def test_sockets_and_calls_are_handled_by_the_loop(loop: Loop, control: RunControl) -> None:
    handled: list[bytes] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        control.watch(ours, lambda: handled.append(ours.recv(10)))
        theirs.sendall(b"data")
        loop.run_until(lambda: bool(handled))
        control.unwatch(ours)
        theirs.sendall(b"more")
        control.call_soon(lambda: handled.append(b"called"))
        loop.run_until(lambda: len(handled) > 1)
    assert handled == [b"data", b"called"]


def test_a_pause_is_noted_until_it_ends(control: RunControl, state: RunState) -> None:
    control.pause()
    assert state.is_paused
    control.resume()
    assert not state.is_paused


def test_the_first_stop_counts(control: RunControl, stopping: Stopping, log: Records) -> None:
    control.stop("enough", ExitCode.STOPPED_OVER_REST)
    control.stop("really", ExitCode.EXTERNAL_ABORT)
    assert log.texts("error") == ["enough"]
    assert stopping.error is not None
    assert stopping.error.exit_code is ExitCode.STOPPED_OVER_REST


def test_a_run_that_is_over_is_not_stopped(
    control: RunControl, state: RunState, stopping: Stopping
) -> None:
    state.phase = Phase.ENDED
    control.stop("enough", ExitCode.STOPPED_OVER_REST)
    assert stopping.error is None


def test_setup_data_is_replaced(control: RunControl, state: RunState) -> None:
    control.replace_setup_data(b"[1]")
    assert state.setup_data == b"[1]"


def test_stages_run_besides_the_test(control: RunControl, stages: Any) -> None:
    control.run_stage(StageName.SETUP)
    control.run_stage(StageName.TEARDOWN)
    assert stages.run == ["setup", "teardown"]


def test_a_stage_that_the_script_does_not_have(control: RunControl, stages: Any) -> None:
    control.view.test.exports.pop("setup")
    control.run_stage(StageName.SETUP)
    assert stages.run == []


def test_stages_that_cannot_run_now(control: RunControl, state: RunState, stages: Any) -> None:
    stages.is_busy = True
    with pytest.raises(JsrunnerError, match=r"setup\(\) cannot run now"):
        control.run_stage(StageName.SETUP)
    state.phase = Phase.INIT
    with pytest.raises(JsrunnerError, match=r"teardown\(\) cannot run before there are VUs"):
        control.run_stage(StageName.TEARDOWN)
    assert stages.run == []
