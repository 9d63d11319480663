"""Thresholds: parser, check and evaluation of `metric{tag:value}: ["p(95)<200", ...]`.

The grammar and the error texts are k6's. An expression is `aggregation operator value`. The aggregation
is count, rate, value, avg, min, max, med or p(N); the value is a number as Go's strconv parses it.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import Struct, field

from jsrunner.errors import ConfigError
from jsrunner.metrics.sinks import RateSink
from jsrunner.options.duration import parse_duration
from jsrunner.options.numbers import parse_float, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jsrunner.metrics.registry import Metric, Registry
    from jsrunner.metrics.sinks import Sink

#: The operators in the order in which k6 searches for them.
_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "===": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
#: The aggregations by type of metric; `p` stands for p(N).
_SUPPORTED: Final = {
    "counter": ("count", "rate"),
    "gauge": ("value",),
    "rate": ("rate",),
    "trend": ("avg", "min", "max", "med", "p"),
}
_WORDS: Final = frozenset({"count", "rate", "value", "avg", "min", "max", "med"})
#: The system tags that are metadata of samples, so that no sub-metric can filter by them.
_HIGH_CARDINALITY: Final = ("vu", "iter")

_INVALID: Final = "unable to validate threshold expressions"


class ThresholdCondition(Struct):
    """An expression on a metric or sub-metric, with the result of its last evaluation."""

    #: The expression, e.g. `p(95)<200`.
    source: str
    aggregation: str
    operator: str
    value: float
    #: True if the run ends when the expression fails.
    abort_on_fail: bool = False
    #: Seconds from the start of the run before which a failure does not end it.
    delay_abort_eval: float = 0.0
    #: True if the last evaluation failed; None before the first.
    failed: bool | None = None

    def holds(self, sink: Sink, elapsed: float) -> bool:
        """Return True if the expression is true.

        Args:
            sink: The sink of the metric or sub-metric.
            elapsed: Seconds since the start of the run.
        """
        return _OPERATORS[self.operator](sink.value_of(self.aggregation, elapsed), self.value)


class Submetric(Struct):
    """A sub-metric: the samples of a metric that have certain tags."""

    #: The name with the tags: `metric{tag:value,...}`.
    name: str
    #: The name of the metric.
    metric: str
    tags: dict[str, str]

    @property
    def suffix(self) -> str:
        """The text between the braces of the name."""
        return self.name[len(self.metric) + 1 : -1]


class Verdict(Struct, frozen=True):
    """The result of an evaluation of all thresholds."""

    #: The sorted names of the metrics and sub-metrics with a threshold that failed.
    crossed: tuple[str, ...]
    #: True if the run has to end now.
    abort: bool


class SinkLookup(Protocol):
    """A container of sinks, which thresholds are evaluated with."""

    def sink(self, key: str) -> Sink | None:
        """Return the sink of a metric or sub-metric, or None if there is none."""


class ThresholdSet(Struct):
    """All thresholds of a run."""

    #: The thresholds by metric or sub-metric, e.g. `ws_ping{room:a}`.
    thresholds: dict[str, list[ThresholdCondition]] = field(default_factory=dict)
    #: The sub-metrics that have thresholds, by name.
    submetrics: dict[str, Submetric] = field(default_factory=dict)
    #: Warnings for the log.
    warnings: list[str] = field(default_factory=list)

    def validate(self, registry: Registry) -> None:
        """Check the thresholds against the metrics of the run.

        Args:
            registry: The metrics.

        Raises:
            ConfigError: There is no such metric, or its type has no such aggregation.
        """
        for key, thresholds in self.thresholds.items():
            metric = registry.get(self.metric_name(key))
            if metric is None:
                raise ConfigError(
                    f"invalid threshold defined on {key}; reason: no metric name {quote(key)} found"
                )
            for threshold in thresholds:
                _check_aggregation(threshold, key, metric)

    def metric_name(self, key: str) -> str:
        """Return the name of the metric that a metric or sub-metric belongs to."""
        submetric = self.submetrics.get(key)
        return submetric.metric if submetric else key

    def evaluate(self, sinks: SinkLookup, elapsed: float, *, final: bool) -> Verdict:
        """Evaluate all thresholds.

        Args:
            sinks: The sinks of the metrics and sub-metrics.
            elapsed: Seconds since the start of the run.
            final: True if the run has ended. Only then metrics without samples are evaluated.
        """
        crossed, abort = [], False
        for key, thresholds in self.thresholds.items():
            sink = sinks.sink(key)
            if sink is None or (sink.empty and not final):
                continue
            passes_empty = sink.empty and isinstance(sink, RateSink)
            failed = False
            for threshold in thresholds:
                threshold.failed = not passes_empty and not threshold.holds(sink, elapsed)
                if threshold.failed:
                    failed = True
                    if threshold.abort_on_fail and elapsed > threshold.delay_abort_eval:
                        abort = True
            if failed:
                crossed.append(key)
        return Verdict(tuple(sorted(crossed)), abort)


def _check_aggregation(threshold: ThresholdCondition, key: str, metric: Metric) -> None:
    """Raise ConfigError if metrics of that type have no such aggregation."""
    supported = _SUPPORTED[metric.type]
    method = "p" if threshold.aggregation.startswith("p(") else threshold.aggregation
    if method not in supported:
        raise ConfigError(
            f"invalid threshold {quote(threshold.source)} applied on metric {key}; reason: unsupported "
            f"aggregation method {method} on metric of type {metric.type}. supported aggregation "
            f"methods for this metric are: {', '.join(supported)}"
        )


def parse_thresholds(option: Mapping[str, Sequence[Any]]) -> ThresholdSet:
    """Parse the option `thresholds`.

    Args:
        option: Lists of entries by metric or sub-metric. An entry is a text, or {threshold,
            abortOnFail, delayAbortEval}.

    Raises:
        ConfigError: A name or an expression is wrong. The text is k6's.
    """
    parsed = ThresholdSet()
    for name, entries in option.items():
        key = name
        submetric = _parse_key(name)
        if submetric is not None:
            key = submetric.name
            parsed.submetrics[key] = submetric
            for tag in _HIGH_CARDINALITY:
                if tag in submetric.tags:
                    parsed.warnings.append(
                        f"The high-cardinality '{tag}' metric tag was made non-indexable in k6 "
                        f"v0.41.0, so thresholds like '{name}' that are based on it won't work "
                        "correctly."
                    )
        parsed.thresholds.setdefault(key, []).extend(_parse_entry(entry) for entry in entries)
    return parsed


def scenario_of(key: str) -> str | None:
    """Return the scenario by which a threshold filters.

    Args:
        key: The metric or sub-metric, as the option `thresholds` has it.

    Returns:
        The scenario's name; None if there is no such filter, or if the key cannot be parsed.
    """
    try:
        submetric = _parse_key(key)
    except ConfigError:
        return None
    return submetric.tags.get("scenario") if submetric else None


def _parse_entry(entry: str | Mapping[str, Any]) -> ThresholdCondition:
    if isinstance(entry, str):
        return parse_expression(entry)
    threshold = parse_expression(entry.get("threshold") or "")
    threshold.abort_on_fail = entry.get("abortOnFail") or False
    delay = entry.get("delayAbortEval")
    threshold.delay_abort_eval = 0.0 if delay is None else parse_duration(delay)
    return threshold


def parse_expression(source: str) -> ThresholdCondition:
    """Parse an expression such as `p(95) < 200`.

    Raises:
        ConfigError: The text is no expression. The error's text is k6's.
    """
    sign, left, right = _split(source)
    if not sign:
        raise ConfigError(
            f"failed parsing threshold expression {quote(source)}; reason: malformed threshold "
            "expression"
        )
    try:
        _check_method(left)
    except ValueError as error:
        raise ConfigError(
            f"failed parsing threshold expression's {quote(source)} left hand side; reason: {error}"
        ) from None
    try:
        value = parse_float(right)
    except ValueError as error:
        raise ConfigError(
            f"failed parsing threshold expresion's {quote(source)} right hand side; reason: {error}"
        ) from None
    return ThresholdCondition(source, left, sign, value)


def _split(source: str) -> tuple[str, str, str]:
    """Split an expression into operator, left side and right side.

    All three are empty if there is no operator, or nothing on its right.
    """
    for sign in _OPERATORS:
        left, _, right = source.partition(sign)
        if right:
            return sign, left.strip(), right.strip()
    return "", "", ""


def _check_method(method: str) -> None:
    """Raise ValueError if the text is no aggregation."""
    if method in _WORDS:
        return
    if not (method.startswith("p(") and method.endswith(")")):
        raise ValueError("failed parsing method from expression")
    try:
        percent = parse_float(method[2:-1])
    except ValueError as error:
        raise ValueError(f"malformed percentile value; reason: {error}") from None
    if not 0 <= percent <= 100:
        raise ValueError("malformed percentile value, provide a number between 0 and 100")


def _parse_key(key: str) -> Submetric | None:
    """Parse a key of the option `thresholds`.

    Returns:
        The sub-metric of `name{tag:value}`; None for a plain name.

    Raises:
        ConfigError: The key is neither.
    """

    def wrong(text: str, reason: str) -> ConfigError:
        return ConfigError(
            f"{_INVALID}; reason: parsing metric name failed, metric {quote(text)} {reason}"
        )

    opening, closing = key.find("{"), key.rfind("}")
    if opening < 0 and closing < 0:
        return None
    if opening < 0 or closing < 0:
        raise wrong(key, "has unmatched opening/close curly brace")
    if closing < opening:
        raise wrong(key, "closing curly brace appears before opening one")
    if closing != len(key) - 1:
        raise wrong(key, "lacks a closing curly brace in its last position")
    name, inside = key[:opening], key[opening + 1 : closing]
    tags: dict[str, str] = {}
    for pair in inside.split(","):
        tag, _, value = pair.partition(":")
        if not value:
            raise wrong(pair, "tag expression is malformed")
        tags[tag.strip().strip("'\"")] = value.strip().strip("'\"")
    return Submetric(f"{name}{{{inside.strip()}}}", name, tags)
