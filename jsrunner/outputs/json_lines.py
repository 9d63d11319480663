"""`--out json=file`: a line of JSON for each metric and each sample, in k6's format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from jsrunner.outputs.base import OutputConfig, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.thresholds import ThresholdSet


class _Writer:
    __slots__ = ("_after", "_before")

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before = before
        self._after = after

    def line(self, time_s: float, value: float) -> bytes:
        return b'%b"%b","value":%b%b' % (
            self._before,
            rfc3339(time_s).encode(),
            number(value),
            self._after,
        )


class JsonFormatter:
    """Points: {"metric", "type": "Point", "data": {"time", "value", "tags", "metadata"}}."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _Writer:
        name = orjson.dumps(metric.name)
        after = b',"tags":' + orjson.dumps(tags, option=orjson.OPT_SORT_KEYS)
        if metadata:
            after += b',"metadata":' + orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS)
        return _Writer(b'{"metric":%b,"type":"Point","data":{"time":' % name, after + b"}}\n")


def number(value: float) -> bytes:
    """A number as Go's JSON writes it: 1, 0.5, 1e+21; what JSON cannot say is null."""
    if value == int(value) and abs(value) < 1e15 if value - value == 0 else False:
        return b"%d" % value
    text = orjson.dumps(value)
    if b"e" in text and b"e-" not in text:
        text = text.replace(b"e", b"e+")
    return text


def introduce(metric: Metric, thresholds: ThresholdSet) -> bytes:
    """The line that stands before a metric's first sample."""
    submetrics = [
        {"name": one.name, "suffix": one.suffix, "tags": one.tags}
        for one in thresholds.submetrics.values()
        if one.metric == metric.name
    ]
    return (
        orjson.dumps(
            {
                "type": "Metric",
                "data": {
                    "name": metric.name,
                    "type": metric.type,
                    "contains": metric.contains,
                    "thresholds": [one.source for one in thresholds.thresholds.get(metric.name, ())],
                    "submetrics": submetrics or None,
                },
                "metric": metric.name,
            }
        )
        + b"\n"
    )


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    shown = argument if argument not in ("", "-") else "stdout"
    return OutputConfig(f"json ({shown})", argument, JsonFormatter(), b"", introduce)
