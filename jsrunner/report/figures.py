"""The figures of runs that are compared: of records, or of k6's exported summaries.

A record is also cut into batches, which are consecutive parts of equal length. A comparison estimates
the noise from the differences between the figures of the batches. A summary has no batches.
"""

from __future__ import annotations

import re
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import orjson
from msgspec import Struct, field

from jsrunner.errors import JsrunnerError
from jsrunner.metrics.registry import BUILTIN
from jsrunner.record.reader import join_rows, read
from jsrunner.record.sketch import percentile, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.record.reader import Record, RecordedStep

#: Statistics that are compared, by the metric's type.
STATISTICS: Final = {
    "trend": ("avg", "med", "p(90)", "p(95)", "p(99)", "max"),
    "counter": ("rate",),
    "rate": ("rate",),
    "gauge": ("max",),
}
#: Batches that a record is cut into, and the fewest steps that one may have.
_MOST_BATCHES: Final = 20
_FEWEST_STEPS: Final = 2
#: Steps of a record that figures are made of; further ones are merged.
_MOST_STEPS: Final = 2000
#: A percentile's name in k6's newer schema of summaries.
_PERCENTILE: Final = re.compile(r"\Ap(\d+)\Z")


class MetricFigures(Struct):
    """A metric of one or more runs."""

    type: str
    contains: str
    #: The statistics over all runs together.
    values: dict[str, float] = field(default_factory=dict)
    #: Each statistic in each batch of the runs, and in each whole run.
    batches: dict[str, list[float]] = field(default_factory=dict)
    runs: dict[str, list[float]] = field(default_factory=dict)


def figures_of(
    paths: Sequence[str], warn: Callable[[str], object] = lambda text: None
) -> dict[str, MetricFigures]:
    """Return the figures by metric of runs that count together.

    The values of several records are those of all samples together. Summaries have no samples: with a
    summary among the runs, a value is the mean of the runs' values.

    Args:
        paths: Records and summaries.
        warn: Called with a text about each record that is not whole.

    Raises:
        JsrunnerError: A file is neither a record nor a summary, or a metric has different types.
    """
    are_summaries = [_is_json(path) for path in paths]
    if not any(are_summaries):
        return _of_records([_read(path, warn) for path in paths])
    return _mean(
        [
            _of_summary(path) if is_summary else _of_records([_read(path, warn)])
            for path, is_summary in zip(paths, are_summaries, strict=True)
        ]
    )


def _read(path: str, warn: Callable[[str], object]) -> Record:
    record = read(path, most_steps=_MOST_STEPS)
    if record.flaw:
        warn(f"the record {path} {record.flaw}")
    return record


def _mean(runs: Sequence[Mapping[str, MetricFigures]]) -> dict[str, MetricFigures]:
    """Return the figures of single runs together: the means of their values."""
    metrics: dict[str, MetricFigures] = {}
    for run in runs:
        for name, single in run.items():
            figures = metrics.setdefault(name, MetricFigures(single.type, single.contains))
            _check_type(name, figures, single.type)
            for statistic, value in single.values.items():
                figures.runs.setdefault(statistic, []).append(value)
    for figures in metrics.values():
        figures.values = {name: fmean(listed) for name, listed in figures.runs.items()}
    return metrics


def _check_type(name: str, figures: MetricFigures, type_: str) -> None:
    if figures.type != type_:
        raise JsrunnerError(f"the metric {name} has the types {figures.type} and {type_}")


def _is_json(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(64).lstrip()[:1] == b"{"
    except OSError:
        return False


# -- summaries -------------------------------------------------------------------------------------


def _of_summary(path: str) -> dict[str, MetricFigures]:
    try:
        with open(path, "rb") as file:
            metrics = _listed(orjson.loads(file.read()))
        return {name: _exported(name, metric) for name, metric in metrics.items() if "{" not in name}
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise JsrunnerError(f"could not read the summary {path}: {reason}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        text = f"could not read the summary {path}: it is neither a record nor k6's --summary-export"
        raise JsrunnerError(text) from None


def _listed(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the metrics of a summary by name, also those of k6's newer schema, which is a list."""
    if "results" not in summary:
        metrics: dict[str, dict[str, Any]] = summary["metrics"]
        return metrics
    seconds = summary["config"]["duration"]
    listed = {}
    for metric in summary["results"]["metrics"]:
        values = {_PERCENTILE.sub(r"p(\1)", name): value for name, value in metric["values"].items()}
        if metric["type"] == "counter" and seconds > 0:
            values["rate"] = values["count"] / seconds
        listed[metric["name"]] = {**metric, "values": values}
    return listed


def _exported(name: str, metric: dict[str, Any]) -> MetricFigures:
    known = BUILTIN.get(name)
    values = dict(metric["values"]) if "values" in metric else dict(metric)
    if "p(95)" in values or "med" in values or "avg" in values:
        type_ = "trend"
    elif "passes" in values or metric.get("type") == "rate":
        type_ = "rate"
        values.setdefault("rate", values.get("value"))
    else:
        type_ = "counter" if "count" in values else "gauge"
    contains = metric.get("contains") or (known.contains if known else "default")
    kept = {
        statistic: float(values[statistic])
        for statistic in STATISTICS[type_]
        if isinstance(values.get(statistic), (int, float))
    }
    return MetricFigures(type_, contains, kept)


# -- records ---------------------------------------------------------------------------------------


def _of_records(records: Sequence[Record]) -> dict[str, MetricFigures]:
    metrics: dict[str, MetricFigures] = {}
    parts: dict[str, list[tuple[Sequence[Any], int]]] = {}
    for record in records:
        steps = [step for step in record.steps if step.rows]
        totals = _rows_by_metric(record, steps)
        for name, (type_, contains, row) in totals.items():
            figures = metrics.setdefault(name, MetricFigures(type_, contains))
            _check_type(name, figures, type_)
            seconds = sum(step.seconds for step in steps)
            parts.setdefault(name, []).append((row, seconds))
            for statistic, value in _statistics(type_, row, seconds).items():
                figures.runs.setdefault(statistic, []).append(value)
        for batch in _batches(steps):
            seconds = sum(step.seconds for step in batch)
            for name, (type_, _, row) in _rows_by_metric(record, batch).items():
                for statistic, value in _statistics(type_, row, seconds).items():
                    metrics[name].batches.setdefault(statistic, []).append(value)
    for name, listed in parts.items():
        rows, lengths = zip(*listed, strict=True)
        row, seconds = join_rows(metrics[name].type, rows), sum(lengths)
        metrics[name].values = _statistics(metrics[name].type, row, seconds)
    return metrics


def _batches(steps: Sequence[RecordedStep]) -> list[Sequence[RecordedStep]]:
    """Cut the steps into batches of the same number; the first and the last step are in none."""
    inner = steps[1:-1]
    count = min(_MOST_BATCHES, len(inner) // _FEWEST_STEPS)
    if not count:
        return []
    size = len(inner) // count
    return [inner[index * size : (index + 1) * size] for index in range(count)]


def _rows_by_metric(
    record: Record, steps: Sequence[RecordedStep]
) -> dict[str, tuple[str, str, Sequence[Any]]]:
    """Return type, contents and the figures of all series and steps together of each metric."""
    columns: dict[str, tuple[str, str, Sequence[Any]]] = {}
    rows: dict[str, list[Sequence[Any]]] = {}
    for step in steps:
        for number, row in step.rows.items():
            series = record.series[number]
            rows.setdefault(series.metric, []).append(row)
            columns.setdefault(series.metric, (series.type, series.contains, row))
    return {
        name: (type_, contains, join_rows(type_, rows[name]))
        for name, (type_, contains, _) in columns.items()
    }


def _statistics(type_: str, row: Sequence[Any], seconds: int) -> dict[str, float]:
    if type_ == "counter":
        return {"rate": row[0] / max(seconds, 1)}
    if type_ == "rate":
        return {"rate": row[0] / row[1] if row[1] else 0.0}
    if type_ == "gauge":
        return {"max": row[2]}
    count, total, _, most, packed = row
    sketch = unpack(packed)
    figures = {"avg": total / count, "med": percentile(sketch, 50), "max": most}
    return figures | {f"p({percent})": percentile(sketch, percent) for percent in (90, 95, 99)}
