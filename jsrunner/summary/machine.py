"""The summary as JSON, in k6's newer schema (`--new-machine-readable-summary`).

handleSummary and `--summary-export` get the same JSON. `export` has the older schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.summary.text import is_hidden
from jsrunner.version import K6_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.json_types import JsonObject, JsonValue
    from jsrunner.summary.model import SummaryData

#: The version of k6's schema.
SCHEMA: Final = "1.0.0"

#: The statistics of trends by their names in the schema.
_TREND: Final = {
    "avg": "avg",
    "max": "max",
    "med": "med",
    "min": "min",
    "p90": "p(90)",
    "p95": "p(95)",
}


def handle_summary_data(
    data: SummaryData, *, compact: bool, script: str, generated_at: str
) -> JsonObject:
    """Return the argument of handleSummary.

    Args:
        data: The summary.
        compact: True to leave out metrics that the compact summary hides.
        script: The text of the main script.
        generated_at: The time, formatted as in RFC 3339.
    """
    passes = sum(check.passes for check in data.total.checks)
    fails = sum(check.fails for check in data.total.checks)
    total = passes + fails
    return {
        "version": SCHEMA,
        "metadata": {
            "generated_at": generated_at,
            "k6_version": K6_VERSION,
        },
        "config": {"duration": data.duration, "execution": "local", "script": script},
        "results": {
            "checks": {
                "metrics": [
                    _metric("checks_total", "counter", "default", {"count": total}),
                    _metric("checks_failed", "rate", "default", _rate(fails, total)),
                    _metric("checks_succeeded", "rate", "default", _rate(passes, total)),
                ],
                "results": [
                    {"name": check.name, "passes": check.passes, "fails": check.fails}
                    for check in data.total.checks
                ],
            },
            "metrics": [
                _metric(
                    summary.name,
                    summary.metric.type,
                    summary.metric.contains,
                    _values(summary.metric.type, summary.values),
                )
                for summary in data.total.metrics
                if not is_hidden(summary.metric.name, full=not compact)
            ],
        },
    }


def _metric(name: str, type_: str, contains: str, values: Mapping[str, JsonValue]) -> JsonObject:
    return {"name": name, "type": type_, "contains": contains, "values": dict(values)}


def _rate(matches: float, total: float) -> dict[str, float]:
    return {"matches": matches, "total": total, "rate": matches / total if total else 0}


def _values(type_: str, values: Mapping[str, float]) -> dict[str, float | None]:
    if type_ == "counter":
        return {"count": values["count"]}
    if type_ == "gauge":
        return {name: values[name] for name in ("value", "min", "max")}
    if type_ == "rate":
        matches = values["passes"]
        return {"matches": matches, "total": matches + values["fails"], "rate": values["rate"]}
    return {name: values.get(stat) for name, stat in _TREND.items()}
