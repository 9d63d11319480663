"""Figures of records and summaries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from report_lines import lines

from jsrunner.errors import JsrunnerError
from jsrunner.record.lines import RecordError
from jsrunner.report.figures import figures_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_record(record: Callable[..., str]) -> None:
    found = figures_of([record(lines(seconds=30))])
    assert found["ws_msgs_received"].values == {"rate": 20}
    assert found["checks"].values == {"rate": 0.9}
    assert found["vus"].values == {"max": 3}
    times = found["my_time"]
    assert times.values["avg"] == 96
    assert times.values["med"] == pytest.approx(96.4, rel=0.01)
    assert times.values["p(99)"] == pytest.approx(128.5, rel=0.01)
    assert times.batches["avg"] == [96] * 14
    assert times.runs["avg"] == [96]


def test_runs_that_count_together(record: Callable[..., str]) -> None:
    found = figures_of([record(lines(seconds=30)), record(lines(seconds=10), "other.jsr")])
    assert found["ws_msgs_received"].values == {"rate": 20}
    assert len(found["my_time"].runs["avg"]) == 2
    assert len(found["my_time"].batches["avg"]) == 18


@pytest.mark.parametrize("is_newer", [False, True])
def test_a_summary_of_k6(tmp_path: Path, is_newer: bool) -> None:
    values = {"avg": 5.5, "med": 5, "p(95)": 9, "max": 10}
    metrics = {
        "my_time": {"type": "trend", "contains": "time", "values": values} if is_newer else values,
        "checks": {"passes": 3, "fails": 1, "value": 0.75},
        "iterations": {"count": 4, "rate": 2.5},
        "vus": {"value": 1, "min": 1, "max": 2},
        "my_time{a:b}": values,
    }
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"metrics": metrics}))
    found = figures_of([str(path)])
    assert {name: each.values for name, each in found.items()} == {
        "my_time": values, "checks": {"rate": 0.75}, "iterations": {"rate": 2.5}, "vus": {"max": 2},
    }  # fmt: skip
    assert found["my_time"].batches == {}


def test_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(JsrunnerError, match="neither a record nor k6's --summary-export"):
        figures_of([str(tmp_path / "other.json")])
    with pytest.raises(RecordError, match="no such file"):
        figures_of([str(tmp_path / "nothing")])
