"""Every example runs against the bundled server as the README says, and all of its checks pass."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

FOLDER = Path(__file__).parents[2] / "js_scripts"
NAMES = sorted(one.stem for one in FOLDER.glob("*.js"))
DEADLINE = 60


class Outcome(NamedTuple):
    exit_code: int
    output: str
    log: list[dict[str, str]]
    summary: dict[str, dict[str, float]]


def run(name: str, folder: Path, *words: str) -> Outcome:
    export = folder / f"{name}.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "jsrunner", "run", "--with-server", "--quiet"),
            *("--log-format=json", f"--summary-export={export}", *words, FOLDER / f"{name}.js"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    log = [json.loads(line) for line in done.stderr.splitlines()]
    return Outcome(done.returncode, done.stdout, log, json.loads(export.read_text())["metrics"])


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """All scripts, some at a time: they wait more than they work."""
    folder = tmp_path_factory.mktemp("scripts")
    with ThreadPoolExecutor(3) as pool:
        yield {name: pool.submit(run, name, folder) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_script(name: str, outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes[name].result()
    assert outcome.exit_code == 0, (outcome.output, outcome.log)
    assert outcome.summary["checks"]["fails"] == 0
    assert outcome.summary["checks"]["passes"] > 0
    assert outcome.summary["ws_sessions"]["count"] > 0
    assert [one for one in outcome.log if one["level"] != "info"] == []


def test_a_soak_takes_its_lengths_from_the_command_line(tmp_path: Path) -> None:
    words = ("-e", "VUS=2", "-e", "RAMP=100ms", "-e", "HOLD=1500ms", "-e", "SESSION=0.1")
    outcome = run("ramping_soak", tmp_path, *words)
    assert outcome.exit_code == 0, (outcome.output, outcome.log)
    assert outcome.summary["vus_max"]["max"] == 2


def test_the_custom_summary_is_all_that_is_printed(outcomes: dict[str, Future[Outcome]]) -> None:
    output = outcomes["custom_summary"].result().output
    assert output.startswith("\nWebSocket echo\n")
    assert "checks              rate==1 holds\n" in output
    assert "TOTAL RESULTS" not in output


def test_the_custom_summary_writes_the_file_that_is_wanted(tmp_path: Path) -> None:
    outcome = run("custom_summary", tmp_path, "-e", "SUMMARY_FILE=all.json")
    assert outcome.exit_code == 0
    written = json.loads((tmp_path / "all.json").read_text())
    assert written["metrics"]["checks"]["values"]["rate"] == 1
