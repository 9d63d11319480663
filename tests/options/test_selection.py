"""`--scenario` and `--once`, as k6 2.3's documentation and release notes describe them.

There was no k6 2.3 to record: the expectations are from
https://grafana.com/docs/k6/v2.3.x/using-k6/scenarios/#run-selected-scenarios and the notes of v2.3.0.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]

ROOT = Path(__file__).parents[2]

THREE = (Path(__file__).parent / "three_scenarios.js").read_text()


def test_a_selected_scenario_keeps_its_load_and_thresholds_of_the_others_are_skipped(run: Run) -> None:
    done = run(THREE, "--scenario", "checkout")
    assert done.code == 0, done.stderr
    assert sorted(done.messages("info")) == [*["checkout at the till"] * 3, "setup"]
    assert done.messages("warning") == [
        "--scenario skipped thresholds for excluded scenarios: iterations{'scenario':'db'}; "
        "iterations{scenario:api}; these thresholds remain skipped even if another scenario emits "
        "matching tags"
    ]
    kept = "iterations{scenario:checkout} iterations{scenario:other} iterations{team:core}"
    assert done.stdout == kept


def test_several_scenarios_are_selected(run: Run) -> None:
    expected = ["api", "api", *["checkout at the till"] * 3, "setup"]
    assert sorted(run(THREE, "--scenario", "api,checkout").messages("info")) == expected
    assert sorted(run(THREE, "--scenario=checkout", "--scenario=api").messages("info")) == expected


def test_each_selected_scenario_runs_once(run: Run) -> None:
    script = THREE.replace("['count==3']", "['count==1']")
    done = run(script, "--scenario", "api,checkout", "--once")
    assert done.code == 0, done.stderr
    assert sorted(done.messages("info")) == ["api", "checkout at the till", "setup"]


LOADS = """
export const options = {
  vus: 4, iterations: 9, executionSegment: '0:1/2',
  scenarios: { only: { executor: 'shared-iterations', vus: 2, iterations: 4 } },
};
export default function () { console.log('ran'); }
"""


@pytest.mark.parametrize(
    ("flags", "ran", "overridden"),
    [
        (("--scenario", "only"), 2, "vus, iterations"),
        (("--once",), 1, "vus, iterations, executionSegment"),
    ],
)
def test_load_outside_of_scenarios_is_overridden(
    run: Run, tmp_path: Path, flags: tuple[str, ...], ran: int, overridden: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"duration": "1m"}')
    done = run(LOADS, *flags, "--config", str(config), env={"K6_STAGES": "1m:5"})
    assert done.code == 0, done.stderr
    assert done.messages("info") == ["ran"] * ran
    flag = flags[0]
    assert done.messages("warning") == [
        f'{flag} overrode duration in "config" configuration',
        f'{flag} overrode {overridden} in "script" configuration',
        f'{flag} overrode stages in "environment" configuration',
    ]


SHOW = """
import exec from 'k6/execution';
export function shown() {
  console.log(JSON.stringify([exec.scenario.name, __ENV.URL, exec.test.options.scenarios]));
}
export default shown;
"""


@pytest.mark.parametrize(
    "load",
    [
        {"executor": "shared-iterations", "vus": 8, "iterations": 1, "maxDuration": "1h"},
        {"executor": "per-vu-iterations", "vus": 8, "iterations": 20},
        {"executor": "constant-vus", "vus": 8, "duration": "30s", "startTime": "30s"},
        {"executor": "ramping-vus", "stages": [{"duration": "30s", "target": 16}]},
        {"executor": "constant-arrival-rate", "rate": 100, "duration": "30s", "preAllocatedVUs": 10},
        {"Executor": "ramping-arrival-rate", "stages": [{"duration": "30s", "target": 20}],
         "preAllocatedVUs": 10},
    ],
)  # fmt: skip
def test_once_keeps_what_a_scenario_does_and_replaces_when(run: Run, load: dict[str, Any]) -> None:
    kept = {
        "exec": "shown",
        "env": {"URL": "https://example.com"},
        "tags": {"team": "core"},
        "options": {"browser": {"type": "chromium"}},
    }
    options = json.dumps({"scenarios": {"ui": load | kept}})
    done = run(f"export const options = {options};{SHOW}", "--once")
    assert done.code == 0, done.stderr
    unset = dict.fromkeys(("startTime", "gracefulStop", "maxDuration"))
    once = {"executor": "shared-iterations", "vus": 1, "iterations": 1}
    assert [json.loads(text) for text in done.messages("info")] == [
        ["ui", "https://example.com", {"ui": kept | unset | once}]
    ]


@pytest.mark.parametrize(
    "options",
    [
        "{}",
        "{ scenarios: {} }",
        "{ scenarios: null }",
        "{ vus: 8 }",
        "{ vus: 8, duration: '30s' }",
        "{ vus: 8, iterations: 20 }",
        "{ stages: [{ duration: '30s', target: 8 }] }",
    ],
)
def test_once_without_scenarios_runs_default(run: Run, options: str) -> None:
    done = run(f"export const options = {options};{SHOW}", "--once")
    assert done.code == 0, done.stderr
    ((name, _, scenarios),) = [json.loads(text) for text in done.messages("info")]
    assert (name, list(scenarios)) == ("default", ["default"])
    assert scenarios["default"]["executor"] == "shared-iterations"


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (("--scenario=",), "--scenario requires at least one scenario name"),
        (("--scenario=,",), "--scenario requires at least one scenario name"),
        (
            ("--scenario=api,gone",),
            'scenario "gone" not found; available scenarios: api, checkout, db',
        ),
        (("--once",), "--once can run only with a single scenario, but got: api, checkout, db"),
        (("--scenario=api", "--vus=2"), "--scenario cannot be combined with --vus"),
        (("--scenario=api", "--duration=1s"), "--scenario cannot be combined with --duration"),
        (("--scenario=api", "-i", "2"), "--scenario cannot be combined with --iterations"),
        (("--scenario=api", "--stage=1s:2"), "--scenario cannot be combined with --stage"),
        (("--once", "-u", "1"), "--once cannot be combined with --vus"),
        (("--once", "-i", "0"), "--once cannot be combined with --iterations"),
        (
            ("--once", "--execution-segment=0:1/2"),
            "--once cannot be combined with --execution-segment",
        ),
        (
            ("--once", "--execution-segment-sequence=0,1"),
            "--once cannot be combined with --execution-segment-sequence",
        ),
    ],
)
def test_refusals(run: Run, flags: tuple[str, ...], error: str) -> None:
    done = run(THREE, *flags)
    assert done.code == 104
    assert done.messages("error") == [error]
    assert not done.messages("info")


def test_a_default_export_is_no_scenario_of_that_name(run: Run) -> None:
    done = run("export default function () {}", "--scenario", "default")
    assert done.code == 104
    assert done.messages("error") == [
        'scenario "default" not found; the script does not have any named scenario'
    ]


def test_wrong_thresholds_count_even_if_their_scenario_does_not_run(run: Run) -> None:
    script = THREE.replace(
        "'iterations{scenario:api}': ['count>0']", "'nope{scenario:api}': ['count>0']"
    )
    done = run(script, "--scenario", "checkout")
    assert done.code == 104
    assert 'no metric name "nope{scenario:api}" found' in done.messages("error")[0]


def test_once_needs_its_function(run: Run) -> None:
    script = "export const options = { vus: 2 }; export function api() {}"
    done = run(script, "--once")
    assert done.code == 104
    assert "executor default: function 'default' not found in exports" in done.messages("error")[0]


@pytest.mark.parametrize("name", ["once", "K6_ONCE", "K6_SCENARIO"])
def test_only_flags_select(run: Run, name: str) -> None:
    options = "{ vus: 2, once: true }" if name == "once" else "{ vus: 2 }"
    script = f"export const options = {options}; export default function () {{ console.log('ran'); }}"
    assert run(script, env={name: "true"}).messages("info") == ["ran", "ran"]


def test_an_archive_keeps_the_selection(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(THREE)
    done = subprocess.run(
        [sys.executable, "-m", "jsrunner", "archive", "--scenario", "api,checkout", "--once", "script.js"],
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "skipped thresholds for excluded scenarios: iterations{'scenario':'db'}" in done.stderr
    with tarfile.open(tmp_path / "archive.tar") as archive:
        file = archive.extractfile("metadata.json")
        assert file is not None
        options = json.loads(file.read())["options"]
    assert options["scenarios"]["api"] == {
        "executor": "shared-iterations", "vus": 1, "iterations": 1, "exec": "api",
        "tags": {"team": "core"},
    }  # fmt: skip
    assert options["vus"] is options["iterations"] is None
    assert "once" not in options
    assert "iterations{'scenario':'db'}" not in options["thresholds"]
    again = run(tmp_path / "archive.tar")
    assert sorted(again.messages("info")) == ["api", "checkout at the till", "setup"]
