"""Every example runs against the bundled server as the README says, and all of its checks pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from waiting import DEADLINE

from jsrunner.errors import ExitCode

FOLDER = Path(__file__).parents[2] / "js_scripts"
NAMES = sorted(one.stem for one in FOLDER.glob("*.js"))


class Outcome(NamedTuple):
    exit_code: int
    output: str
    log: list[dict[str, str]]
    summary: dict[str, dict[str, Any]]

    def assert_passed(self) -> None:
        """Assert that the run has passed, but for thresholds of trends: how long things take depends on the machine."""
        crossed = [
            metric
            for metric, values in self.summary.items()
            if any(values.get("thresholds", {}).values())  # as in k6's export, true is crossed
        ]
        assert [metric for metric in crossed if "p(95)" not in self.summary[metric]] == []
        complaints = [record for record in self.log if record["level"] != "info"]
        assert self.exit_code == (ExitCode.THRESHOLDS_FAILED if crossed else 0), (self.output, self.log)
        assert len(complaints) == bool(crossed), complaints


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


@pytest.mark.parametrize("name", NAMES)
def test_script(name: str, tmp_path: Path) -> None:
    outcome = run(name, tmp_path)
    outcome.assert_passed()
    assert outcome.summary["checks"]["fails"] == 0
    assert outcome.summary["checks"]["passes"] > 0
    assert any(name in outcome.summary for name in ("ws_sessions", "grpc_req_duration"))
    if name == "custom_summary":
        assert_own_summary(outcome.output)


def test_the_server_serves_the_service_that_scripts_load() -> None:
    served = FOLDER.parent / "jsrunner" / "server" / "playground.proto"
    assert served.read_text() == (FOLDER / "data" / "playground.proto").read_text()


def assert_own_summary(output: str) -> None:
    """Assert that the script's summary is all that is printed."""
    assert output.startswith("\nWebSocket echo\n")
    assert "checks              rate==1 holds\n" in output
    assert "TOTAL RESULTS" not in output


def test_a_soak_takes_its_lengths_from_the_command_line(tmp_path: Path) -> None:
    words = ("-e", "VUS=2", "-e", "RAMP=100ms", "-e", "HOLD=1500ms", "-e", "SESSION=0.1")
    outcome = run("ramping_soak", tmp_path, *words)
    outcome.assert_passed()
    assert outcome.summary["vus_max"]["max"] == 2


def test_the_custom_summary_writes_the_file_that_is_wanted(tmp_path: Path) -> None:
    outcome = run("custom_summary", tmp_path, "-e", "SUMMARY_FILE=all.json")
    outcome.assert_passed()
    written = json.loads((tmp_path / "all.json").read_text())
    assert written["metrics"]["checks"]["values"]["rate"] == 1
