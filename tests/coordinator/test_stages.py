"""setup, teardown and handleSummary; the test plays the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.stages import StageRunner, stage_failure
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.coordinator.workers import Workers
from jsrunner.errors import ExitCode, JsrunnerError, ScriptError
from jsrunner.messages.protocol import RunStage, StageDone, StageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import PlayedTransport, Records

    from jsrunner.coordinator.loop import Loop
    from jsrunner.messages.plan import Test


class Staged:
    """Stages of a test whose one worker ends each of them as `done` says."""

    def __init__(self, test: Test, transport: PlayedTransport, loop: Loop, log: Records) -> None:
        self.done: StageDone | None = StageDone(None, None)
        self.state = RunState(phase=Phase.RUNNING)
        self.stopping = Stopping(self.state, log, interrupt=lambda: None)
        self.workers = Workers(transport, loop, log, hear=lambda *_: None, fail=self.stopping.fail)
        self.workers.start(1)
        self._worker = transport.connections[0]
        self.stages = StageRunner(test, self.state, self.workers, self.stopping, log, self._wait)
        self.commands: list[Any] = []
        self.busy: list[bool] = []

    def _wait(self, is_over: Callable[[], bool]) -> None:
        self.commands += self._worker.told()
        self.busy.append(self.stages.is_busy)
        if self.done is None:
            self.workers.kill(self.workers.playing()[0], "of the test")
        else:
            self.stages.end(self.done)
        assert is_over()


@pytest.fixture
def staged(
    transport: PlayedTransport, loop: Loop, log: Records, make_test: Callable[..., Test]
) -> Callable[..., Staged]:
    """`staged(exports=..., **options)`."""

    def make(exports: tuple[str, ...] = ("default", "setup", "teardown"), **options: Any) -> Staged:
        return Staged(make_test(exports, **options), transport, loop, log)

    return make


@pytest.mark.parametrize(
    ("exports", "options", "wanted"),
    [
        (("default",), {}, (False, False)),
        (("default", "setup"), {}, (True, False)),
        (("default", "setup", "teardown"), {}, (True, True)),
        (("default", "setup", "teardown"), {"no_setup": True}, (False, True)),
        (("default", "setup", "teardown"), {"no_teardown": True}, (True, False)),
    ],
)
def test_what_a_test_wants(
    staged: Callable[..., Staged],
    exports: tuple[str, ...],
    options: dict[str, bool],
    wanted: tuple[bool, bool],
) -> None:
    stages = staged(exports, **options).stages
    assert (stages.wants_setup(), stages.wants_teardown()) == wanted


def test_the_data_of_setup_is_kept_and_handed_to_teardown(
    staged: Callable[..., Staged], log: Records
) -> None:
    run = staged(setup_timeout=5.0)
    run.done = StageDone(None, b'{"a":1}')
    run.stages.run_setup()
    assert run.state.setup_data == b'{"a":1}'
    run.done = StageDone(None, None)
    run.stages.run_teardown()
    assert run.commands == [
        RunStage(StageName.SETUP, None, 5.0),
        RunStage(StageName.TEARDOWN, b'{"a":1}', 60.0),
    ]
    assert log.texts("debug") == ["Running setup()", "Running teardown()"]
    assert run.busy == [True, True]
    assert not run.stages.is_busy


def test_setup_that_returns_nothing_leaves_no_data(staged: Callable[..., Staged]) -> None:
    run = staged()
    run.state.setup_data = b"1"
    run.stages.run_setup()
    assert run.state.setup_data is None


@pytest.mark.parametrize(
    ("done", "text", "code"),
    [
        (StageDone("Error: x\n\tat setup", None), "Error: x\n\tat setup", ExitCode.SCRIPT_EXCEPTION),
        (StageDone("rejected", None, is_rejection=True), "rejected", ExitCode.GENERIC),
        (
            StageDone(None, None, timed_out=True),
            "setup() execution timed out after 60 seconds",
            ExitCode.SETUP_TIMEOUT,
        ),
        (
            StageDone(None, b'{"$error":"json: no"}'),
            "error marshaling setup() data to JSON: json: no",
            ExitCode.GENERIC,
        ),
        (None, "the worker that was to run setup() is lost", ExitCode.GENERIC),
    ],
)
def test_setup_that_fails(
    staged: Callable[..., Staged], done: StageDone | None, text: str, code: ExitCode
) -> None:
    run = staged()
    run.done = done
    with pytest.raises(JsrunnerError) as failure:
        run.stages.run_setup()
    assert (str(failure.value), failure.value.exit_code) == (text, code)
    assert run.state.setup_data is None


def test_setup_of_a_run_that_was_stopped_meanwhile(staged: Callable[..., Staged]) -> None:
    run = staged()
    run.stopping.stop(JsrunnerError("first"))
    with pytest.raises(JsrunnerError, match="the test was stopped"):
        run.stages.run_setup()


@pytest.mark.parametrize("timeout", [0.0, 2.0])
def test_teardown_that_takes_too_long(staged: Callable[..., Staged], timeout: float) -> None:
    """With the timeout 0 it is not even begun, as in k6."""
    run = staged(teardown_timeout=timeout)
    run.done = StageDone(None, None, timed_out=True)
    with pytest.raises(JsrunnerError) as failure:
        run.stages.run_teardown()
    assert str(failure.value) == f"teardown() execution timed out after {timeout:.0f} seconds"
    assert failure.value.exit_code is ExitCode.TEARDOWN_TIMEOUT
    assert failure.value.hint == "You can increase the time limit via the teardownTimeout option"
    assert len(run.commands) == (timeout > 0)


def test_a_stage_that_nobody_wants_only_runs_the_init_code(
    staged: Callable[..., Staged], log: Records
) -> None:
    run = staged()
    run.stages.run(StageName.HANDLE_SUMMARY, b"{}", 1.0, wanted=False)
    assert run.commands == [RunStage(StageName.HANDLE_SUMMARY, b"{}", 1.0, wanted=False)]
    assert log.texts("debug") == []


def test_without_any_worker_no_stage_runs(staged: Callable[..., Staged]) -> None:
    run = staged()
    run.workers.kill(run.workers.playing()[0], "of the test")
    assert run.stages.run(StageName.SETUP, None, 1.0) is None
    assert run.busy == []


def test_an_exception_has_a_hint_and_a_rejection_has_none() -> None:
    exception = stage_failure(StageDone("x", None))
    assert isinstance(exception, ScriptError)
    assert exception.hint == "script exception"
    assert stage_failure(StageDone("x", None, is_rejection=True)).hint is None
