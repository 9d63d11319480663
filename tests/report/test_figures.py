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


def test_the_newer_schema_of_k6(tmp_path: Path) -> None:
    listed = [
        {"name": "my_time", "type": "trend", "contains": "time", "values": {"avg": 1, "p95": 2}},
        {"name": "iterations", "type": "counter", "contains": "default", "values": {"count": 30}},
        {"name": "ok", "type": "rate", "contains": "default", "values": {"rate": 0.5}},
    ]
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"config": {"duration": 10}, "results": {"metrics": listed}}))
    assert {name: (each.type, each.values) for name, each in figures_of([str(path)]).items()} == {
        "my_time": ("trend", {"avg": 1, "p(95)": 2}),
        "iterations": ("counter", {"rate": 3}),
        "ok": ("rate", {"rate": 0.5}),
    }


def test_summaries_and_records_count_together(record: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(
        json.dumps({"metrics": {"my_time": {"avg": 100, "med": 1}, "other": {"value": 3, "max": 4}}})
    )
    found = figures_of([record(lines()), str(path)])
    assert found["my_time"].runs["avg"] == [96, 100]
    assert found["my_time"].values["avg"] == 98
    assert found["my_time"].batches == {}
    assert found["other"].values == {"max": 4}
    path.write_text(json.dumps({"metrics": {"my_time": {"count": 1, "rate": 1}}}))
    with pytest.raises(JsrunnerError, match="the metric my_time has the types trend and counter"):
        figures_of([record(lines()), str(path)])


@pytest.mark.parametrize(
    "text", ["{", '{"metrics": 5}', '{"metrics": {"a": 5}}', '{"results": {}}', "{}" + "[" * 5000, '{"metrics": {"a": {"avg": 1e999}}}'],
)  # fmt: skip
def test_broken_summaries(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(
        JsrunnerError, match=r"could not read the summary .*: it is neither a record nor"
    ):
        figures_of([str(tmp_path / "a.json")])


def test_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(JsrunnerError, match="neither a record nor k6's --summary-export"):
        figures_of([str(tmp_path / "other.json")])
    with pytest.raises(RecordError, match="no such file"):
        figures_of([str(tmp_path / "nothing")])
