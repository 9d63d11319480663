"""`jsrunner run`: flags, files and variables."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process

    Run = Callable[..., Process]

SHOW = """
import exec from 'k6/execution';
export default function () {
  const { vus, iterations, scenarios, userAgent, tags } = exec.test.options;
  console.log(JSON.stringify([Object.values(scenarios)[0].vus, Object.values(scenarios)[0].iterations, userAgent]));
}
"""


def shown(done: Process) -> list[object]:
    assert done.code == 0, done.stderr
    found: list[object] = json.loads(done.messages("info")[0])
    return found


@pytest.mark.slow
def test_layers(run: Run, tmp_path: Path) -> None:
    """defaults < config file < script < environment < flags"""
    config = tmp_path / "c.json"
    config.write_text('{"vus": 2, "iterations": 20, "userAgent": "config"}')
    script = "export const options = { iterations: 30, userAgent: 'script' };" + SHOW
    assert shown(run(SHOW, "--config", str(config))) == [2, 20, "config"]
    assert shown(run(SHOW, env={"K6_CONFIG": str(config)})) == [2, 20, "config"]
    assert shown(run(script, "-c", str(config))) == [2, 30, "script"]
    environment = {"K6_ITERATIONS": "40", "K6_USER_AGENT": "env"}
    assert shown(run(script, "-c", str(config), env=environment)) == [2, 40, "env"]
    flags = ("-c", str(config), "-i", "50", "--user-agent", "flag")
    assert shown(run(script, *flags, env=environment)) == [2, 50, "flag"]


def test_variables_of_the_script(run: Run) -> None:
    script = (
        "export default function () { console.log(__ENV.A, __ENV.B, __ENV.EMPTY, __ENV.FROM_OUTSIDE); }"
    )
    done = run(
        script, "-e", "A=1=2", "--env", "B=x", "-e", "EMPTY=", env={"FROM_OUTSIDE": "y", "B": "z"}
    )
    assert done.messages("info") == ["1=2 x  y"]
    done = run(script, "--include-system-env-vars=false", env={"FROM_OUTSIDE": "y"})
    assert done.messages("info") == ["undefined undefined undefined undefined"]


def test_script_on_standard_input(tmp_path: Path) -> None:
    (tmp_path / "lib.js").write_text("export const x = 5;")
    done = subprocess.run(
        [sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format", "raw", "-"],
        input="import { x } from './lib.js'; export default function () { console.log('x', x); }",
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip
    assert done.stderr == "x 5\n"


@pytest.mark.parametrize(
    ("format", "expected"),
    [("raw", "hi\n"), ("json", '"msg":"hi"'), ("text", "level=info msg=hi source=console\n")],
)
def test_log_formats(run: Run, format: str, expected: str) -> None:
    done = run("export default function () { console.log('hi'); }", "--log-format", format)
    assert expected in done.stderr


def test_log_and_console_go_to_files(run: Run, tmp_path: Path) -> None:
    done = run(
        "export default function () { console.log('mine'); throw new Error('not mine'); }",
        "--log-output", "file=log.txt", "--console-output", "console.txt",
    )  # fmt: skip
    assert done.stderr == ""
    assert "not mine" in (tmp_path / "log.txt").read_text()
    [record] = map(json.loads, (tmp_path / "console.txt").read_text().splitlines())
    assert record["msg"] == "mine"
    assert "source" not in record


@pytest.mark.parametrize(
    ("flags", "shows"),
    [
        ((), True),
        (("--summary-mode=full",), True),
        (("--summary-mode=disabled",), False),
        (("--no-summary",), False),
    ],
)
def test_summary_modes(run: Run, flags: tuple[str, ...], shows: bool) -> None:
    done = run("export default function () {}", *flags)
    assert done.code == 0
    assert ("iterations" in done.stdout) == shows


def test_no_thresholds(run: Run) -> None:
    script = "export const options = { thresholds: { iterations: ['count<1'] } }; export default function () {}"
    assert run(script).code == 99
    assert run(script, "--no-thresholds").code == 0
    assert run(script, env={"K6_NO_THRESHOLDS": "true"}).code == 0
    assert run(script, env={"K6_NO_THRESHOLDS": "maybe"}).code == 255


def test_help_lists_the_flags() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jsrunner", "run", "--help"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    for flag in ("--vus", "--duration", "--out", "--summary-export", "--workers", "--env"):
        assert flag in done.stdout
