"""The summary as JSON: for `--summary-export` and for the script's handleSummary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsrunner.summary.model import Check, Group, MetricSummary, SummaryData


def export(described: dict[str, Any]) -> dict[str, Any]:
    """What --summary-export writes, of what handleSummary was given (and may have changed).

    In `thresholds` true means failed, as in k6.
    """
    found: dict[str, Any] = {
        "root_group": _group_map(described["root_group"]),
        "metrics": {name: _flat(one) for name, one in described["metrics"].items()},
    }
    if "setup_data" in described:
        found["setup_data"] = described["setup_data"]
    return found


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    values = dict(one["values"])
    if one["type"] == "rate" and "rate" in values:
        values["value"] = values.pop("rate")
    if "thresholds" in one:
        values["thresholds"] = {
            source: not result["ok"] for source, result in one["thresholds"].items()
        }
    return values


def _group_map(group: dict[str, Any]) -> dict[str, Any]:
    return {
        **group,
        "groups": {one["name"]: _group_map(one) for one in group["groups"]},
        "checks": {one["name"]: one for one in group["checks"]},
    }


def _check(one: Check) -> dict[str, Any]:
    return {
        "name": one.name,
        "path": one.path,
        "id": one.id,
        "passes": one.passes,
        "fails": one.fails,
    }


def _group_list(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "path": group.path,
        "id": group.id,
        "groups": [_group_list(one) for one in group.groups.values()],
        "checks": [_check(one) for one in group.checks.values()],
    }


def handle_summary_data(
    data: SummaryData, *, no_color: bool, stdout_tty: bool, stderr_tty: bool
) -> dict[str, Any]:
    """The argument of handleSummary."""
    found: dict[str, Any] = {
        "root_group": _group_list(data.root),
        "options": {
            "summaryTrendStats": list(data.trend_stats),
            "summaryTimeUnit": data.time_unit,
            "noColor": no_color,
        },
        "state": {
            "isStdOutTTY": stdout_tty,
            "isStdErrTTY": stderr_tty,
            "testRunDurationMs": data.duration * 1000,
        },
        "metrics": {one.name: _described(one) for one in data.total.metrics},
    }
    if data.setup_data is not None:
        found["setup_data"] = json.loads(data.setup_data)
    return found


def _described(one: MetricSummary) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": one.metric.type,
        "contains": one.metric.contains,
        "values": dict(one.values),
    }
    if one.thresholds:
        found["thresholds"] = {each.source: {"ok": each.ok} for each in one.thresholds}
    return found
