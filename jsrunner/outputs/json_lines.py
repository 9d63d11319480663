"""The output `--out json=file`: a line of JSON for each metric and each sample.

The format is k6's: https://grafana.com/docs/k6/latest/results-output/real-time/json/
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

import orjson

from jsrunner.options.duration import format_duration
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.file import FileOutput, is_stdout
from jsrunner.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.metrics.thresholds import Submetric, ThresholdCondition


class _JsonWriter:
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
    """The formatter of points: {"metric", "type": "Point", "data": {time, value, tags, metadata}}."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _JsonWriter:
        """Make the writer of a series."""
        name = orjson.dumps(metric.name)
        after = b',"tags":' + orjson.dumps(tags, option=orjson.OPT_SORT_KEYS)
        if metadata:
            after += b',"metadata":' + orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS)
        return _JsonWriter(b'{"metric":%b,"type":"Point","data":{"time":' % name, after + b"}}\n")


def number(value: float) -> bytes:
    """Format a number as Go's encoding/json does: 1, 0.00001, 1e+21.

    Args:
        value: The number. Infinity and NaN, which JSON does not have, become null.
    """
    if not isfinite(value):
        return b"null"
    if value == int(value) and abs(value) < 2**53:
        return b"%d" % value
    text = orjson.dumps(value)
    if b"e" not in text:
        return text.removesuffix(b".0")
    if 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(text.decode()):f}".encode()
    mantissa, _, exponent = text.partition(b"e")
    return b"%be%+d" % (mantissa.removesuffix(b".0"), int(exponent))


def introduce(
    metric: Metric, thresholds: Sequence[ThresholdCondition], submetrics: Sequence[Submetric]
) -> bytes:
    """Return the line before a metric's first sample.

    Args:
        metric: The metric.
        thresholds: The metric's thresholds.
        submetrics: The metric's sub-metrics.
    """
    return (
        orjson.dumps(
            {
                "type": "Metric",
                "data": {
                    "name": metric.name,
                    "type": metric.type,
                    "contains": metric.contains,
                    "thresholds": [_threshold(threshold) for threshold in thresholds],
                    "submetrics": [
                        {"name": submetric.name, "suffix": submetric.suffix, "tags": submetric.tags}
                        for submetric in submetrics
                    ]
                    or None,
                },
                "metric": metric.name,
            }
        )
        + b"\n"
    )


def _threshold(threshold: ThresholdCondition) -> object:
    """Return k6's JSON of a threshold: only its expression, unless it may abort the run."""
    if not threshold.abort_on_fail:
        return threshold.source
    delay = format_duration(threshold.delay_abort_eval) if threshold.delay_abort_eval else None
    return {"threshold": threshold.source, "abortOnFail": True, "delayAbortEval": delay}


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Return the output.

    Args:
        argument: The path behind `json=`.
        environment: The environment, which has no settings of this output.
    """
    return OutputConfig(
        "json(stdout)" if is_stdout(argument) else f"json ({argument})",
        lambda system_tags: FileOutput(argument, JsonFormatter(), introduce=introduce),
        to_stdout=is_stdout(argument),
    )
