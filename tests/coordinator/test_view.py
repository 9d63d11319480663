"""The run as others see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.collector import Collector
from jsrunner.coordinator.decide import Decision
from jsrunner.coordinator.outputs import OutputSet
from jsrunner.coordinator.planning import worker_plan
from jsrunner.coordinator.settings import RunSettings
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.coordinator.view import RunView
from jsrunner.coordinator.workers import Workers
from jsrunner.errors import JsrunnerError
from jsrunner.messages import board, protocol
from jsrunner.metrics.registry import Registry
from jsrunner.metrics.thresholds import ThresholdSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import PlayedTransport, Records

    from jsrunner.coordinator.loop import Loop
    from jsrunner.messages.plan import Test


class Parts:
    """The parts of a run that its view shows."""

    def __init__(self, test: Test, transport: PlayedTransport, loop: Loop, log: Records) -> None:
        self.loop = loop
        self.state = RunState()
        self.stopping = Stopping(self.state, log, interrupt=lambda: None)
        self.workers = Workers(transport, loop, log, hear=self._hear, fail=self.stopping.fail)
        decision = Decision(test, ThresholdSet(), Registry())
        self.collector = Collector(decision, OutputSet((), log), log)
        self.view = RunView(
            script_name="script.js",
            outputs=["json (out.json)"],
            test=test,
            state=self.state,
            workers=self.workers,
            collector=self.collector,
            stopping=self.stopping,
        )

    def _hear(self, worker: int, message: Any) -> None:
        self.collector.add(worker, message)


@pytest.fixture
def parts(
    make_test: Callable[..., Test], transport: PlayedTransport, loop: Loop, log: Records
) -> Parts:
    return Parts(make_test(vus=3), transport, loop, log)


def test_the_state_as_it_is_now(parts: Parts) -> None:
    view, state = parts.view, parts.state
    assert (view.phase, view.is_paused, view.is_marked_failed) == (Phase.INIT, False, False)
    assert (view.scenarios_started, view.setup_data, view.planned_vus) == (None, None, 0)
    state.phase, state.is_paused, state.is_marked_failed = Phase.RUNNING, True, True
    state.started, state.scenarios_started, state.setup_data, state.planned_vus = 1.0, 2.0, b"3", 4
    assert (view.phase, view.is_paused, view.is_marked_failed) == (Phase.RUNNING, True, True)
    assert (view.started, view.scenarios_started) == (1.0, 2.0)
    assert (view.setup_data, view.planned_vus) == (b"3", 4)


def test_an_error_stops_it(parts: Parts) -> None:
    assert not parts.view.is_stopping
    parts.stopping.end_with(JsrunnerError("x"))
    assert parts.view.is_stopping


def test_workers_and_what_they_measure(parts: Parts, transport: PlayedTransport) -> None:
    view = parts.view
    parts.workers.start(2)
    machines = parts.workers.keep(2, len(view.test.scenarios))
    parts.workers.prepare(worker_plan(view.test, RunSettings(), machines=machines, formatters=()))
    first, second = transport.connections
    first.tell(protocol.Initialized(2))
    second.tell(
        protocol.Initialized(1),
        protocol.WorkerSnapshot([], [], [], sessions_open=5, lateness=b"", iteration_failures=0,
                          failed_handshakes=0),
    )  # fmt: skip
    transport.board.view(0, 1).add(board.ACTIVE)
    parts.loop.run_until(lambda: view.totals().snapshots == 1 and view.initialized_vus == 3)
    assert (view.worker_count, view.active_vus, len(view.counts)) == (2, 1, 1)
    assert view.totals().sessions_open == 5
    assert view.store is parts.collector.store
    assert view.thresholds is parts.collector.thresholds
