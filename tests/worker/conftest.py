"""A worker inside the test's process: its VUs run a scenario there."""

from __future__ import annotations

import json
import time
from array import array
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE

from jsrunner.messages.board import Board
from jsrunner.messages.plan import Machine, Share, Test, WorkerPlan
from jsrunner.messages.protocol import Log
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.scenario import Assignment, Scenario
from jsrunner.worker.vus import load, new_vu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.worker.scenario_vu import ScenarioVU

EVERYTHING = Striping(None, None)


class Worker:
    """A worker's process with a script and one scenario, on one of `machines` machines.

    Args:
        folder: The folder of the script.
        source: The script.
        config: The scenario.
        machines: The number of machines that take part in the run.
        options: Further options of the test.
    """

    def __init__(
        self, folder: Path, source: str, config: ExecutorConfig, machines: int, options: Options
    ) -> None:
        path = folder / "script.js"
        path.write_text(source)
        self.sent: list[Any] = []
        self.process = Process(
            ScriptBundle(str(path)), environment={}, secrets=SecretSources({}), send=self.sent.append
        )
        load(self.process)
        plan = config.plan(EVERYTHING)
        share = Share(tuple(range(1, plan.vus + 1)), {config.name: tuple(range(plan.vus))})
        test = Test(
            options=options,
            scenarios={config.name: config},
            plans={config.name: plan},
            striping=EVERYTHING,
            exports={},
            max_vus=plan.vus,
        )
        self.board = Board(1)
        self.board.open(1)
        counts = self.board.view(0, 0)
        self.process.counts.append(counts)
        worker_plan = WorkerPlan(test=test, shares=(share,) * machines, machines=(1,) * machines)
        self.process.configure(Machine(worker_plan, 0), self.board)
        self.scenario = Scenario(self.process, config, plan, counts)
        self._series: dict[int, str] = {}

    def new_vu(self, number: int = 1) -> ScenarioVU:
        """Make a VU, which has run its init code."""
        return new_vu(self.process, number)

    def play(self, vu: ScenarioVU, index: int = 0, setup_data: bytes | None = None) -> Assignment:
        """Let a VU iterate as the scenario's VU `index` until it has no more iterations."""
        assignment = Assignment(self.scenario, index)
        end = time.monotonic() + DEADLINE
        vu.activate(assignment, setup_data, end)
        vu.iterate(stop_at=end, hard_stop=end)
        vu.deactivate()
        return assignment

    def logged(self, level: str = "info") -> list[Any]:
        """Return the texts of a level that were sent to the coordinator; numbers of the script as JSON."""
        texts = [one.text for one in self.sent if isinstance(one, Log) and one.level == level]
        return [json.loads(text) if text[:1] in "[{" else text for text in texts]

    def samples(self) -> dict[str, Any]:
        """Return the sum or the values of each metric's samples since the last call."""
        series, deltas, _ = self.process.recorder.collect()
        self._series |= {one.number: one.metric for one in series}
        return {
            self._series[number]: list(array("d", delta)) if isinstance(delta, bytes) else delta
            for number, delta in deltas
        }


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Make workers, whose boards are closed afterwards."""
    made: list[Worker] = []

    def make(
        source: str, config: ExecutorConfig, *, machines: int = 1, options: Options | None = None
    ) -> Worker:
        made.append(Worker(tmp_path, source, config, machines, options or Options()))
        return made[-1]

    yield make
    for one in made:
        one.board.close()
