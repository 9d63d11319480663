"""Distribution of the workers' messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.inbox import Inbox
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.errors import ExitCode, JsrunnerError, ScriptError
from jsrunner.messages import protocol

if TYPE_CHECKING:
    from conftest import Records


class Receiver:
    """Stands for the collector and for the stages."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    def add(self, worker: int, message: protocol.WorkerSnapshot) -> None:
        self.received.append((worker, message))

    def end(self, message: protocol.StageDone) -> None:
        self.received.append(message)


@pytest.fixture
def state() -> RunState:
    return RunState(phase=Phase.RUNNING)


@pytest.fixture
def stopping(state: RunState, log: Records) -> Stopping:
    return Stopping(state, log, interrupt=lambda: None)


@pytest.fixture
def inbox(state: RunState, stopping: Stopping, log: Records) -> Inbox:
    return Inbox(state, stopping, log)


def test_the_description_of_the_script(inbox: Inbox) -> None:
    assert inbox.loaded is None
    inbox.put(1, protocol.Loaded({}, None, None, []))
    assert inbox.loaded is not None


def test_snapshots_and_stages(inbox: Inbox) -> None:
    receiver: Any = Receiver()
    inbox.collector = inbox.stages = receiver
    snapshot = protocol.WorkerSnapshot([], [], [], 0, b"", 0, 0)
    inbox.put(2, snapshot)
    inbox.put(1, protocol.StageDone(None, None))
    assert receiver.received == [(2, snapshot), protocol.StageDone(None, None)]


def test_records_of_the_log(inbox: Inbox, log: Records) -> None:
    inbox.put(1, protocol.Log("info", "one", 1, {"source": "console"}))
    inbox.put(2, protocol.Log("info", "one", 2, {}))
    for worker in (1, 2):
        inbox.put(worker, protocol.Log("warning", "of the run", 3, {}, once=True))
    inbox.put(1, protocol.Secret("word"))
    assert log.records == [
        ("info", "one", {"source": "console"}), ("info", "one", {}), ("warning", "of the run", {}),
    ]  # fmt: skip
    assert log.secrets == ["word"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(ExitCode.SCRIPT_EXCEPTION, ScriptError), (ExitCode.INTERNAL_ERROR, JsrunnerError)],
)
def test_a_worker_that_cannot_go_on(
    inbox: Inbox, stopping: Stopping, code: ExitCode, kind: type
) -> None:
    inbox.put(1, protocol.WorkerFailed("no", code, "hint"))
    failure = stopping.failure
    assert type(failure) is kind
    assert (str(failure), failure.exit_code, failure.hint) == ("no", code, "hint")  # type: ignore[union-attr]


def test_what_the_script_says_of_the_test(
    inbox: Inbox, stopping: Stopping, state: RunState, log: Records
) -> None:
    inbox.put(1, protocol.MarkFailed("bad"))
    assert state.is_marked_failed
    assert log.texts("error") == ["bad"]
    assert stopping.error is None
    inbox.put(1, protocol.Abort("worse"))
    assert stopping.error is not None
    assert (str(stopping.error), stopping.error.exit_code) == ("worse", ExitCode.SCRIPT_ABORTED)
    assert stopping.failure is None
