"""The phases of whole runs, as a display sees them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from waiting import DEADLINE

ROOT = Path(__file__).parent.parent.parent

PROGRAM = """
import contextlib, sys
from jsrunner.coordinator.run import Run
from jsrunner.coordinator.settings import RunSettings
from jsrunner.options.model import Options
from jsrunner.script.script import ScriptBundle
from jsrunner.ui.log import Logger

class Display:
    phases = []
    def start(self, view):
        self.view = view
        self.note("start")
    def update(self):
        self.note("update")
    def stop(self):
        if hasattr(self, "view"):
            self.note("stop")
    def note(self, call):
        if (call, self.view.phase.value) not in self.phases:
            self.phases.append((call, self.view.phase.value))

@contextlib.contextmanager
def service(control):
    assert control.view.test.max_vus == 1
    if control.view.is_paused:
        resume = lambda: control.resume() if control.phase == "paused" else control.call_soon(resume)
        control.call_soon(resume)
    yield

display = Display()
run = Run(
    ScriptBundle.at("script.js"), config=None, flags=Options(paused="paused" in sys.argv),
    settings=RunSettings(silent=True, quiet=True), logger=Logger(), display=display, service=service,
)
print(int(run.execute()), *(f"{call}:{phase}" for call, phase in display.phases))
"""

SCRIPT = """
import { sleep } from 'k6';
export function setup() { sleep(1); }
export default function () { sleep(1); }
export function teardown() { sleep(1); }
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("paused",)], ids=["at-once", "paused"])
def test_phases_in_order(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    done = subprocess.run(
        [sys.executable, "program.py", *words], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE,
        check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    code, *notes = done.stdout.split()
    phases = [note.removeprefix("update:") for note in notes if note.startswith("update:")]
    assert code == "0"
    assert notes[0] == "start:init"
    assert "stop:ended" in notes
    expected = ["init", "paused", "setup", "running", "teardown", "ended"]
    assert phases == [phase for phase in expected if phase in phases]
    assert {"setup", "running", "teardown"} <= set(phases)
