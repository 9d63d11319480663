"""Records and reports of runs that a program starts: whole, stopped, failed, killed, abandoned."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from records import has_steps
from running import session_processes
from waiting import DEADLINE, until

import jsrunner
from jsrunner.record.reader import Record, read

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = jsrunner.Script.from_text("""
import { sleep } from 'k6';
export const options = { thresholds: { iterations: ['count>1e9'] } };
export default function () {
  if (__ITER === 0) console.warn('careful');
  sleep(0.05);
}
""")
LONG = {"vus": 2, "duration": "1h"}
#: Starts a run of the script in `script.js` that lasts an hour; prints the id of its process.
PROGRAM = """
import jsrunner
execution = jsrunner.start("script.js", options={"vus": 2, "duration": "1h"}, save="run.jsr")
print(execution.process_id, flush=True)
execution.wait()
"""


def iterations(record: Record) -> float:
    """The iterations of all steps."""
    return sum(
        row[0]
        for step in record.steps
        for number, row in step.rows.items()
        if record.series[number].metric == "iterations"
    )


def texts(record: Record) -> Sequence[str]:
    return [event["text"] for event in record.events if event["kind"] == "log"]


@pytest.mark.slow
def test_a_run_has_a_record_and_a_report(tmp_path: Path) -> None:
    log: list[str] = []
    result = jsrunner.run(
        SCRIPT, options={"vus": 2, "iterations": 20}, on_log=lambda record: log.append(record.text),
        save=tmp_path / "run.jsr", report=str(tmp_path / "run.html"),
    )  # fmt: skip
    record = read(str(tmp_path / "run.jsr"))
    assert record.end is not None
    assert record.end["code"] == result.exit_code == jsrunner.ExitCode.THRESHOLDS_FAILED
    assert record.end["reason"] == result.reason
    assert iterations(record) == 20
    assert record.run["options"]["scenarios"]["default"]["iterations"] == 20
    assert log.count("careful") == texts(record).count("careful") == 2
    page = (tmp_path / "run.html").read_text()
    assert page.startswith("<!doctype html>")
    assert '"code":99' in page


def test_a_report_without_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    jsrunner.run(SCRIPT, options={"iterations": 1}, report=tmp_path / "run.html")
    assert '"kind":"end"' in (tmp_path / "run.html").read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
def test_a_run_that_is_stopped_has_a_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "run.jsr"
    with jsrunner.start(SCRIPT, options=LONG, save=path) as execution:
        until(lambda: has_steps(path, 2), "two steps of the record")
        execution.stop()
        result = execution.wait(DEADLINE)
    end = read(str(path)).end
    assert end is not None
    assert end["code"] == jsrunner.ExitCode.EXTERNAL_ABORT
    assert end["reason"] == result.reason == "test run was stopped by the program that started it"


@pytest.mark.slow
def test_a_run_that_fails_has_a_whole_record(tmp_path: Path) -> None:
    script = jsrunner.Script.from_text("""
        export function setup() { throw new Error('no setup'); }
        export default function () {}
    """)
    result = jsrunner.run(script, save=tmp_path / "run.jsr", report=tmp_path / "run.html")
    end = read(str(tmp_path / "run.jsr")).end
    assert end is not None
    assert end["code"] == result.exit_code == jsrunner.ExitCode.SCRIPT_EXCEPTION
    assert "no setup" in end["reason"]
    assert "no setup" in (tmp_path / "run.html").read_text()


def test_a_script_that_does_not_load_has_neither(tmp_path: Path) -> None:
    script = jsrunner.Script.from_text("throw new Error('no init');")
    log: list[Any] = []
    with pytest.raises(jsrunner.ScriptError, match="no init"):
        jsrunner.run(script, save=tmp_path / "a.jsr", report=tmp_path / "a.html", on_log=log.append)
    assert list(tmp_path.iterdir()) == []
    assert log == []


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_its_record(tmp_path: Path) -> None:
    path = tmp_path / "run.jsr"
    with jsrunner.start(SCRIPT, options=LONG, save=path) as execution:
        until(lambda: has_steps(path, 2), "two steps of the record")
        execution.kill()
        with pytest.raises(jsrunner.WorkerError):
            execution.wait(DEADLINE)
    record = read(str(path))
    assert record.end is None
    assert not record.is_damaged
    assert iterations(record) > 0


@pytest.mark.slow
def test_a_program_that_is_killed_leaves_its_record(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT.text)
    root = str(Path(jsrunner.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        process = int(program.stdout.readline())
        until(lambda: has_steps(tmp_path / "run.jsr", 2), "two steps of the record")
        program.kill()
        program.communicate(timeout=DEADLINE)
    until(lambda: not session_processes(process), "the end of the run")
    record = read(str(tmp_path / "run.jsr"))
    assert record.end is not None
    assert record.end["reason"] == "test run was stopped because the program that started it has ended"
    assert iterations(record) > 0


def test_a_record_that_cannot_be_created_is_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "run.jsr"
    text = f"could not create the record: open {path}: no such file or directory"
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(SCRIPT, options={"iterations": 1}, save=path)
    assert str(caught.value) == text


def test_a_report_that_cannot_be_written_is_logged(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "run.html"
    log: list[str] = []
    result = jsrunner.run(
        SCRIPT, options={"iterations": 1}, report=path, on_log=lambda record: log.append(record.text)
    )
    assert result.exit_code == jsrunner.ExitCode.THRESHOLDS_FAILED
    assert log[-1] == f"could not write the report: open {path}: no such file or directory"


@pytest.mark.parametrize("argument", ["save", "report"])
@pytest.mark.parametrize("path", [7, "", ["run.jsr"], "\ud800"])
def test_what_is_no_path(argument: str, path: Any) -> None:
    with pytest.raises(jsrunner.UsageError, match=f"{argument} must be the path of a file, not "):
        jsrunner.start(SCRIPT, **{argument: path})
