"""The summary as JSON, in k6's older schema, for `--summary-export` and handleSummary.

`machine` has the newer schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsrunner.json_types import JsonObject
    from jsrunner.summary.model import CheckSummary, Group, MetricSummary, SummaryData


def export(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON that `--summary-export` writes.

    Args:
        summary: The argument of handleSummary, which the script may have changed.

    Returns:
        The JSON. In its `thresholds` true means failed, as in k6.
    """
    exported: dict[str, Any] = {
        "root_group": _group_map(summary["root_group"]),
        "metrics": {name: _flat(metric) for name, metric in summary["metrics"].items()},
    }
    if "setup_data" in summary:
        exported["setup_data"] = summary["setup_data"]
    return exported


def _flat(metric: dict[str, Any]) -> dict[str, Any]:
    """Return a metric's values and thresholds in one object."""
    values = dict(metric["values"])
    if metric["type"] == "rate" and "rate" in values:
        values["value"] = values.pop("rate")
    if "thresholds" in metric:
        values["thresholds"] = {
            source: not result["ok"] for source, result in metric["thresholds"].items()
        }
    return values


def _group_map(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group with its groups and checks by name."""
    return {
        **group,
        "groups": {child["name"]: _group_map(child) for child in group["groups"]},
        "checks": {check["name"]: check for check in group["checks"]},
    }


def _check(check: CheckSummary) -> JsonObject:
    return {
        "name": check.name,
        "path": check.path,
        "id": check.id,
        "passes": check.passes,
        "fails": check.fails,
    }


def _group_list(group: Group) -> JsonObject:
    """Return a group with lists of its groups and checks."""
    return {
        "name": group.name,
        "path": group.path,
        "id": group.id,
        "groups": [_group_list(child) for child in group.groups.values()],
        "checks": [_check(check) for check in group.checks.values()],
    }


def handle_summary_data(
    data: SummaryData, *, no_color: bool, stdout_tty: bool, stderr_tty: bool
) -> JsonObject:
    """Return the argument of handleSummary.

    Args:
        data: The summary.
        no_color: True if colors are disabled.
        stdout_tty: True if standard output is a terminal.
        stderr_tty: True if standard error is a terminal.
    """
    summary: JsonObject = {
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
        "metrics": {metric.name: _metric(metric) for metric in data.total.metrics},
    }
    if data.setup_data is not None:
        summary["setup_data"] = json.loads(data.setup_data)
    return summary


def _metric(metric: MetricSummary) -> JsonObject:
    shown: JsonObject = {
        "type": metric.metric.type,
        "contains": metric.metric.contains,
        "values": dict(metric.values),
    }
    if metric.thresholds:
        shown["thresholds"] = {result.source: {"ok": result.ok} for result in metric.thresholds}
    return shown
