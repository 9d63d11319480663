"""The end of a run after the death of its program or of one of its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from running import kill_session, session_processes
from waiting import DEADLINE, until

import jsrunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPT = """
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
const ends = new Counter('ends');
export const options = { vus: 2, duration: '1h' };
export default () => sleep(0.05);
export const teardown = () => ends.add(1);
"""
#: Its arguments are a script and a file; it says the process of its run when the scenarios go on.
BEGIN = """
import os, signal, sys
import jsrunner
execution = jsrunner.start(sys.argv[1], outputs=[f"json={sys.argv[2]}"])
for snapshot in execution.snapshots():
    if snapshot.phase == "running":
        break
print(execution.process_id, flush=True)
"""


class Program:
    """A program with a run."""

    def __init__(self, folder: Path, rest: str) -> None:
        (folder / "script.js").write_text(SCRIPT)
        self.samples = folder / "samples.json"
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + rest, folder / "script.js", self.samples],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.run = int(self.process.stdout.readline())

    def ends_with_teardown(self) -> None:
        """Assert that the run comes to a graceful end, and that nothing is left of it."""
        until(lambda: not session_processes(self.run), "the end of the run")
        lines = [json.loads(line) for line in self.samples.read_text().splitlines()]
        assert [line["data"].get("value") for line in lines if line["metric"] == "ends"] == [None, 1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    programs: list[Program] = []

    def start(rest: str) -> Program:
        programs.append(Program(tmp_path, rest))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()
        kill_session(program.run)


def test_a_program_that_is_killed(start: Callable[[str], Program]) -> None:
    program = start("execution.wait()")
    program.process.kill()
    program.ends_with_teardown()


def test_a_program_that_ends(start: Callable[[str], Program]) -> None:
    program = start("os._exit(0)")
    program.ends_with_teardown()


def test_a_program_that_ends_as_usual(start: Callable[[str], Program]) -> None:
    program = start("sys.exit(7)")
    program.ends_with_teardown()
    assert program.process.wait(DEADLINE) == 7


def test_a_program_that_is_interrupted(start: Callable[[str], Program]) -> None:
    """By Ctrl+C, which the run itself must not get."""
    program = start("with execution: execution.wait()")
    program.process.send_signal(signal.SIGINT)
    program.ends_with_teardown()
    assert "KeyboardInterrupt" in program.process.communicate(timeout=DEADLINE)[1]


def test_a_program_that_has_forked_and_is_killed(start: Callable[[str], Program]) -> None:
    """The fork has inherited the socket, whose end is what the run waits for."""
    program = start(
        "child = os.fork()\n"
        "if not child:\n"
        "    del execution, snapshot\n"
        "    print('forked', flush=True)\n"
        "    signal.pause()\n"
        "print(child, flush=True)\n"
        "execution.wait()"
    )
    assert program.process.stdout is not None
    lines = {program.process.stdout.readline().strip() for _ in range(2)}
    (child,) = lines - {"forked"}
    try:
        program.process.kill()
        program.ends_with_teardown()
        assert Path(f"/proc/{child}").exists()
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_a_program_that_ignores_the_ends_of_its_children(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text("export default () => {}")
    program = (
        "import signal, sys, jsrunner\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "print(jsrunner.run(sys.argv[1]).passed)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "script.js"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.stdout == "True\n", done.stderr


def test_a_program_without_standard_streams(tmp_path: Path) -> None:
    """The numbers of its descriptors are those of the run's own standard streams."""
    (tmp_path / "script.js").write_text("export default () => console.log('seen');")
    program = (
        "import os, sys, jsrunner\n"
        "for number in range(3): os.close(number)\n"
        "result = jsrunner.run(sys.argv[1], samples=True)\n"
        "open('result', 'w').write(f'{result.passed} {result.log[0].text} {len(result.samples) > 0}')\n"
        "os._exit(0)"
    )
    command = [sys.executable, "-c", program, "script.js"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=DEADLINE)
    assert (tmp_path / "result").read_text() == "True seen True"


def test_no_interpreter_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    script = jsrunner.Script.from_text("export default () => {}")
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(jsrunner.WorkerError, match=r"sys\.executable names no Python interpreter"):
        jsrunner.start(script)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(jsrunner.WorkerError, match="could not start /nonexistent/python: no such file"):
        jsrunner.start(script)


@pytest.mark.parametrize("victim", [0, 1], ids=["coordinator", "worker"])
def test_a_process_of_the_run_is_killed(victim: int) -> None:
    script = jsrunner.Script.from_text(SCRIPT)
    with jsrunner.start(script, workers=1) as execution:
        until(lambda: execution.status == "running", "the scenarios")
        processes = session_processes(execution.process_id)
        assert processes[0] == execution.process_id
        os.kill(processes[victim], signal.SIGKILL)
        with pytest.raises(jsrunner.WorkerError, match="signal SIGKILL"):
            execution.wait(DEADLINE)
    until(lambda: not session_processes(execution.process_id), "the end of the run")


def test_a_program_that_does_not_read(tmp_path: Path) -> None:
    """A program that is stopped does not stop its run, whose samples are all there in the end."""
    (tmp_path / "script.js").write_text("""
        import { sleep } from 'k6';
        export const options = { vus: 2, iterations: 40 };
        export default () => { console.log('x'.repeat(50000)); sleep(0.02); };
    """)
    program = subprocess.Popen(
        [sys.executable, "-c", "import sys, jsrunner\n"
         "execution = jsrunner.start(sys.argv[1], on_log=lambda record: None, outputs=['json=' + sys.argv[2]])\n"
         "print(execution.process_id, flush=True)\n"
         "result = execution.wait()\n"
         "print(result.passed, len(result.log) + result.log_dropped)",
         tmp_path / "script.js", tmp_path / "samples.json"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    program.send_signal(signal.SIGSTOP)
    try:
        samples = tmp_path / "samples.json"
        until(
            lambda: samples.exists() and samples.read_text().count('"iterations"') >= 41, "all samples"
        )
    finally:
        program.send_signal(signal.SIGCONT)
    out, _ = program.communicate(timeout=DEADLINE)
    assert out == "True 40\n"
