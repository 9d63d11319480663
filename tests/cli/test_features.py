"""Feature flags, and settings that change what a run shows, in real runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

ENV = """
export const options = {
  scenarios: { s: { executor: 'per-vu-iterations', iterations: 2, env: { WHERE: 'scenario' } } },
};
export default function () {
  let error = 'none';
  try { __ENV.A = 'changed'; } catch (e) { error = e.name; }
  console.log(error, __ENV.A, __ENV.WHERE, Object.isFrozen(__ENV));
}
"""


def test_frozen_environment(run: Run) -> None:
    done = run(ENV, "-e", "A=given", "--features", "freeze-env")
    assert done.code == 0
    assert done.messages("info") == [
        "Experimental feature enabled",
        *["TypeError given scenario true"] * 2,
    ]
    done = run(ENV, "-e", "A=given")
    assert done.messages("info") == ["none changed scenario false"] * 2


TAGS = """
import { Counter } from 'k6/metrics';
const counter = new Counter('counter');
export const options = { tags: { a: 'script', b: 'script' } };
export default function () { counter.add(1); }
"""


def tags_of(path: Path) -> dict[str, str]:
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["type"] == "Point" and record["metric"] == "counter":
            found: dict[str, str] = record["data"]["tags"]
            return {key: value for key, value in found.items() if key not in ("scenario", "group")}
    raise AssertionError("no sample")


def test_merged_run_tags(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run(TAGS, "-o", f"json={out}", "--tag", "b=flag")
    assert tags_of(out) == {"b": "flag"}
    run(TAGS, "-o", f"json={out}", "--tag", "b=flag", env={"K6_FEATURES": "merge-run-tags"})
    assert tags_of(out) == {"a": "script", "b": "flag", "k6_feature_merge_run_tags": "true"}


def test_unknown_features_are_only_told(run: Run) -> None:
    done = run(TAGS, "--features", "zz,native-histograms", "--features", "zz")
    assert done.code == 0
    (record,) = [one for one in done.records() if one["level"] == "error"]
    del record["time"]
    assert record == {
        "level": "error", "msg": "Unknown feature flag", "feature": "zz", "outcome": "unknown",
        "source": "cli",
    }  # fmt: skip


def test_features_of_the_configuration(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"features": ["zz"], "tags": {"c": "config"}}))
    done = run(TAGS, "--config", str(config))
    assert [one["source"] for one in done.records() if one["level"] == "error"] == ["json"]
    done = run(TAGS, "--config", str(config), "--features", "")
    assert done.messages() == []


SUMMARY = """
import { check } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const all = [new Counter('cc'), new Gauge('gg'), new Rate('rr'), new Trend('tt')];
export const options = { iterations: 2, summaryTrendStats: ['avg', 'p(95)'] };
export default function () {
  for (const one of all) one.add(1);
  check(__ITER, { first: (number) => number === 0 });
}
"""
HANDLE = "export function handleSummary(data) { return { 'data.json': JSON.stringify(data) }; }"


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_newer_summary(run: Run, tmp_path: Path, how: str) -> None:
    flags = ["--summary-export", "export.json"]
    env = {"K6_NEW_MACHINE_READABLE_SUMMARY": "1"} if how == "variable" else {}
    done = run(SUMMARY + HANDLE, *flags, *(["--new-machine-readable-summary"] * (not env)), env=env)
    assert done.code == 0
    data = json.loads((tmp_path / "data.json").read_text())
    exported = json.loads((tmp_path / "export.json").read_text())
    assert data["version"] == exported["version"] == "1.0.0"
    assert exported == data
    assert set(data["metadata"]) == {"generated_at", "k6_version"}
    assert data["config"]["execution"] == "local"
    assert data["config"]["script"] == SUMMARY + HANDLE
    assert 0 < data["config"]["duration"] < DEADLINE
    checks = data["results"]["checks"]
    assert checks["results"] == [{"name": "first", "passes": 1, "fails": 1}]
    assert checks == exported["results"]["checks"]
    assert {one["name"]: one["values"] for one in checks["metrics"]} == {
        "checks_total": {"count": 2},
        "checks_failed": {"matches": 1, "total": 2, "rate": 0.5},
        "checks_succeeded": {"matches": 1, "total": 2, "rate": 0.5},
    }
    metrics = {one["name"]: one for one in data["results"]["metrics"]}
    assert "checks" not in metrics
    assert metrics["cc"] == {
        "name": "cc",
        "type": "counter",
        "contains": "default",
        "values": {"count": 2},
    }
    assert metrics["gg"]["values"] == {"value": 1, "min": 1, "max": 1}
    assert metrics["rr"]["values"] == {"matches": 2, "total": 2, "rate": 1}
    nothing = dict.fromkeys(("max", "med", "min", "p90"))
    assert metrics["tt"]["values"] == {"avg": 1, "p95": 1, **nothing}
    assert metrics["iteration_duration"]["contains"] == "time"


def test_summary_beyond_recognition(run: Run, tmp_path: Path) -> None:
    handle = "export function handleSummary(data) { delete data.metrics; return { stdout: 'mine' }; }"
    done = run(SUMMARY + handle, "--summary-export", "export.json")
    assert done.code == 0
    assert done.stdout == "mine"
    assert done.said("could not write export.json")
    assert not (tmp_path / "export.json").exists()
