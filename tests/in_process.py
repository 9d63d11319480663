"""A script whose setup() runs in this process, so that tests can look inside and interfere."""

from __future__ import annotations

import json
import time
import weakref
from array import array
from typing import TYPE_CHECKING, Any

import gevent
from waiting import DEADLINE

from jsrunner.messages.board import Board
from jsrunner.messages.plan import Machine, Test, WorkerPlan
from jsrunner.messages.protocol import Log, StageName
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.stage_vu import StageVU
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jsrunner.outputs.base import SampleFormatter


class Stage:
    """`run` calls setup() and sees it through; afterwards there is what came of it."""

    def __init__(
        self,
        folder: Path,
        source: str,
        *,
        environment: dict[str, str] | None = None,
        options: Options | None = None,
        formatters: tuple[SampleFormatter, ...] = (),
    ) -> None:
        path = folder / "script.js"
        path.write_text(source)
        said: list[Any] = []
        self._said = said
        self.process = Process(
            ScriptBundle(str(path)),
            environment=environment or {},
            secrets=SecretSources({}),
            send=said.append,
        )
        new_vu(self.process, 0)
        options = options or Options()
        plan = WorkerPlan(
            test=Test(
                options=options,
                scenarios={},
                plans={},
                striping=Striping(options.segment, options.segment_sequence),
                exports={},
                max_vus=1,
            ),
            shares=(),
            machines=(1,),
            formatters=formatters,
            user_agent="stage/1" if options.user_agent is None else options.user_agent,
        )
        board = Board(1)
        board.open(0)
        # Descriptors that are left open would add up to more than `select` takes.
        weakref.finalize(self, board.close)
        self.process.configure(Machine(plan, 0), board)
        self.vu = StageVU(self.process, StageName.SETUP)
        self.vu.initialize()
        self.failure: str | None = None
        self.result: Any = None
        self._series: dict[int, tuple[str, dict[str, str]]] = {}

    def run(self) -> Stage:
        try:
            with gevent.Timeout(DEADLINE):
                done = self.vu.run(None, time.monotonic() + DEADLINE)
            self.failure = "interrupted" if self.vu.interrupted else done.error
            self.result = None if done.result is None else json.loads(done.result)
        finally:
            self.vu.end()
        return self

    def start(self) -> gevent.Greenlet:
        """Run beside the test, which gives way by `until`."""
        return gevent.spawn(self.run)

    @staticmethod
    def until(condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            gevent.sleep(0.002)

    def logged(self, level: str | None = None) -> list[str]:
        """Return the script's console lines, or all lines of a level."""
        return [
            one.text
            for one in self._said
            if isinstance(one, Log)
            and (one.fields.get("source") == "console" if level is None else one.level == level)
        ]

    def samples(self) -> dict[str, list[tuple[dict[str, str], Any]]]:
        """Return the samples since the last call by metric: (tags, sum or values of a trend)."""
        series, deltas, _ = self.process.recorder.collect()
        for number, name, _kind, _contains, tags, _first in series:
            self._series[number] = (name, tags)
        found: dict[str, list[tuple[dict[str, str], Any]]] = {}
        for number, delta in deltas:
            name, tags = self._series[number]
            value = list(array("d", delta)) if isinstance(delta, bytes) else delta
            found.setdefault(name, []).append((tags, value))
        return found
