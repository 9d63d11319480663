"""`jsrunner report`, and `--report` of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

SCRIPT = """
import { Trend } from 'k6/metrics';
const time = new Trend('my_time', true);
export const options = { thresholds: { my_time: ['p(95)<1'] } };
export default function () { time.add(5); }
"""


def jsrunner(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jsrunner", *words], capture_output=True, text=True, timeout=DEADLINE, check=False,
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
    )  # fmt: skip


def test_a_run_writes_its_report(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    (tmp_path / "tmp").mkdir()
    done = jsrunner(tmp_path, "run", "-q", "--report=r.html", "script.js", TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 99
    text = (tmp_path / "r.html").read_text()
    assert '"metric":"my_time"' in text
    assert '"code":99' in text
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_run_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    (tmp_path / "tmp").mkdir()
    flags = ("--report=r.html", "--out=nonsense")
    assert (
        jsrunner(tmp_path, "run", *flags, "script.js", TMPDIR=str(tmp_path / "tmp")).returncode == 255
    )
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_variable_of_k6_names_the_report(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    jsrunner(tmp_path, "run", "-q", "script.js", K6_WEB_DASHBOARD_EXPORT="r.html")
    assert (tmp_path / "r.html").is_file()


def test_a_report_that_cannot_be_written_is_logged(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    done = jsrunner(tmp_path, "run", "-q", "--report=missing/r.html", "script.js")
    assert done.returncode == 99
    assert "could not write the report: open missing/r.html: no such file or directory" in done.stderr


def test_a_run_that_throws_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(
        SCRIPT + "export function setup() { throw new Error('no setup'); }"
    )
    done = jsrunner(tmp_path, "run", "-q", "--report=r.html", "script.js")
    assert done.returncode == 107
    assert "no setup" in (tmp_path / "r.html").read_text()


def test_the_report_of_a_record(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    jsrunner(tmp_path, "run", "-q", "--save=run.jsr", "script.js")
    done = jsrunner(tmp_path, "report", "run.jsr", "-o", "r.html", "--baseline=run.jsr")
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote r.html\n", "")
    assert 'id="baseline"' in (tmp_path / "r.html").read_text()


def test_what_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    done = jsrunner(tmp_path, "report", "script.js")
    assert done.returncode == 255
    assert "could not read the record script.js: it is no record of jsrunner" in done.stderr
    assert jsrunner(tmp_path, "report").returncode == 255
