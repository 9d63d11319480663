"""The summary in k6's newer schema (k6-surface HS-04, HS-05, SU-23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.summary.machine import handle_summary_data
from jsrunner.version import K6_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2026-01-02T03:04:05Z"


def described(run: Any, *, compact: bool = True, **more: Any) -> dict[str, Any]:
    return handle_summary_data(run.summary(**more), compact=compact, script="x.js", generated_at=NOW)


@pytest.fixture
def run(measured: Callable[..., Any]) -> Any:
    run = measured({"cc": ["count>1"]})
    for name, type_ in (("cc", "counter"), ("gg", "gauge"), ("rr", "rate"), ("tt", "trend")):
        run.declare(name, type_, "default")
    run.add("cc", 5)
    run.add("gg", 3, 1)
    run.add("rr", 1, 0)
    run.add("tt", 1, 2)
    run.check("fine", 2, 1, group="::g")
    return run


def test_frame(run: Any) -> None:
    found = described(run)
    assert {key: found[key] for key in ("version", "metadata", "config")} == {
        "version": "1.0.0",
        "metadata": {"generated_at": NOW, "k6_version": K6_VERSION},
        "config": {"duration": 10, "execution": "local", "script": "x.js"},
    }


def test_checks(run: Any) -> None:
    found = described(run)["results"]["checks"]
    assert found["results"] == [{"name": "fine", "passes": 2, "fails": 1}]
    assert [(one["name"], one["type"], one["values"]) for one in found["metrics"]] == [
        ("checks_total", "counter", {"count": 3}),
        ("checks_failed", "rate", {"matches": 1, "total": 3, "rate": 1 / 3}),
        ("checks_succeeded", "rate", {"matches": 2, "total": 3, "rate": 2 / 3}),
    ]


def test_no_checks(measured: Callable[..., Any]) -> None:
    found = described(measured())["results"]["checks"]
    assert found["results"] == []
    assert found["metrics"][1]["values"] == {"matches": 0, "total": 0, "rate": 0}


def test_values(run: Any) -> None:
    found = described(run, trend_stats=("avg", "p(95)", "p(12)"))
    values = {one["name"]: one["values"] for one in found["results"]["metrics"]}
    assert values["cc"] == {"count": 5}
    assert values["gg"] == {"value": 1, "min": 1, "max": 3}
    assert values["rr"] == {"matches": 1, "total": 2, "rate": 0.5}
    nothing = dict.fromkeys(("max", "med", "min", "p90"))
    assert values["tt"] == {"avg": 1.5, "p95": 1.95, **nothing}


@pytest.mark.parametrize("compact", [True, False])
def test_what_the_modes_hide(measured: Callable[..., Any], compact: bool) -> None:
    run = measured()
    for name in ("http_req_waiting", "http_req_duration", "group_duration"):
        run.declare(name, "trend", "time")
        run.add(name, 1)
    names = {one["name"] for one in described(run, compact=compact)["results"]["metrics"]}
    assert {"http_req_duration", "group_duration", "http_req_waiting"} & names == (
        {"http_req_duration"} if compact else {"http_req_duration", "http_req_waiting"}
    )
