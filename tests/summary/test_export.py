"""The summary as JSON: for handleSummary and for --summary-export (k6-surface HS-01 to HS-03, SU-20 to
SU-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsrunner.summary.export import export, handle_summary_data

if TYPE_CHECKING:
    from collections.abc import Callable


def described(run: Any, **more: Any) -> dict[str, Any]:
    return handle_summary_data(run.summary(**more), no_color=True, stdout_tty=False, stderr_tty=True)


def test_what_handle_summary_is_given(measured: Callable[..., Any]) -> None:
    run = measured({"cc": ["count>1", "rate<0.1"], "rr{a:b}": []})
    for name, type_, contains in (
        ("cc", "counter", "data"),
        ("gg", "gauge", "default"),
        ("rr", "rate", "default"),
        ("tt", "trend", "time"),
    ):
        run.declare(name, type_, contains)
    run.add("cc", 5)
    run.add("gg", 3)
    run.add("rr", 1, 0)
    run.add("tt", 1, 2)
    run.check("fine", 2, 1, group="::g")
    found = described(run, trend_stats=("avg", "p(95)"), time_unit="ms", setup_data=b'{"a": 1}')
    assert found["options"] == {
        "summaryTrendStats": ["avg", "p(95)"],
        "summaryTimeUnit": "ms",
        "noColor": True,
    }
    assert found["state"] == {"isStdOutTTY": False, "isStdErrTTY": True, "testRunDurationMs": 10_000}
    assert found["setup_data"] == {"a": 1}
    assert found["metrics"]["cc"] == {
        "type": "counter",
        "contains": "data",
        "values": {"count": 5, "rate": 0.5},
        "thresholds": {"count>1": {"ok": True}, "rate<0.1": {"ok": False}},
    }
    assert found["metrics"]["gg"]["values"] == {"value": 3, "min": 3, "max": 3}
    assert found["metrics"]["rr"]["values"] == {"rate": 0.5, "passes": 1, "fails": 1}
    assert found["metrics"]["tt"] == {
        "type": "trend",
        "contains": "time",
        "values": {"avg": 1.5, "p(95)": 1.95},
    }
    assert found["metrics"]["rr{a:b}"]["values"] == {"rate": 0, "passes": 0, "fails": 0}
    assert found["root_group"] == {
        "name": "",
        "path": "",
        "id": "d41d8cd98f00b204e9800998ecf8427e",
        "checks": [],
        "groups": [
            {
                "name": "g",
                "path": "::g",
                "id": "652e756c89643c3ada0b451cbd88a9d3",
                "groups": [],
                "checks": [
                    {
                        "name": "fine",
                        "path": "::g::fine",
                        "id": "9f90c79f1d1ba8d2eeeb76e7ef231fc3",
                        "passes": 2,
                        "fails": 1,
                    }
                ],
            }
        ],
    }


def test_the_exported_summary_is_flat_and_true_means_failed(measured: Callable[..., Any]) -> None:
    run = measured({"rr": ["rate>0.9"], "cc": ["count>1"]})
    run.declare("cc", "counter")
    run.declare("rr", "rate")
    run.add("cc", 5)
    run.add("rr", 1, 0)
    run.check("fine", 2, 1, group="::g")
    found = export(described(run))
    assert found["metrics"]["cc"] == {"count": 5, "rate": 0.5, "thresholds": {"count>1": False}}
    assert found["metrics"]["rr"] == {
        "value": 0.5,
        "passes": 1,
        "fails": 1,
        "thresholds": {"rate>0.9": True},
    }
    group = found["root_group"]["groups"]["g"]
    assert group["checks"]["fine"]["passes"] == 2
    assert group["groups"] == {}
    assert "setup_data" not in found


def test_setup_data_is_told_if_there_is_some(measured: Callable[..., Any]) -> None:
    assert "setup_data" not in described(measured())
    assert described(measured(), setup_data=b"null")["setup_data"] is None
    assert export(described(measured(), setup_data=b"[1]"))["setup_data"] == [1]


def test_what_the_script_has_changed_is_exported_so(measured: Callable[..., Any]) -> None:
    found = described(measured())
    found["metrics"]["mine"] = {"type": "rate", "contains": "default", "values": {}}
    assert export(found)["metrics"]["mine"] == {}
