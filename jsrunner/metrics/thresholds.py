"""Thresholds: `metric{tag:value}: ["p(95)<200", ...]` read, checked, and judged.

Grammar and texts are k6's. `aggregation operator value`: the aggregation is count, rate, value, avg,
min, max, med or p(N); the value a number as Go writes it.
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

#: In the order in which k6 looks for them.
_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "===": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_SUPPORTED: Final = {
    "counter": ("count", "rate"),
    "gauge": ("value",),
    "rate": ("rate",),
    "trend": ("avg", "min", "max", "med", "p"),
}
_WORDS: Final = frozenset({"count", "rate", "value", "avg", "min", "max", "med"})
_HIGH_CARDINALITY: Final = ("vu", "iter")

_INVALID: Final = "unable to validate threshold expressions"


class Threshold(Struct):
    """One expression on one metric or sub-metric."""

    source: str
    aggregation: str
    operator: str
    value: float
    abort_on_fail: bool = False
    delay_abort_eval: float = 0.0
    #: Whether it failed when it was judged last; None before that.
    failed: bool | None = None

    def holds(self, sink: Sink, elapsed: float) -> bool:
        return _OPERATORS[self.operator](sink.value_of(self.aggregation, elapsed), self.value)


class Submetric(Struct):
    """`name{tag:value,...}`: the samples of a metric that have these tags."""

    name: str
    metric: str
    tags: dict[str, str]

    @property
    def suffix(self) -> str:
        return self.name[len(self.metric) + 1 : -1]


class Verdict(Struct, frozen=True):
    """Names of the metrics whose thresholds failed, sorted; whether that ends the run now."""

    crossed: tuple[str, ...]
    abort: bool


class Sinks(Protocol):
    """Where the judged figures are."""

    def sink(self, key: str) -> Sink | None: ...


class ThresholdSet(Struct):
    """All thresholds of a run by the key that the script gave, e.g. `ws_ping{room:a}`."""

    thresholds: dict[str, list[Threshold]] = field(default_factory=dict)
    submetrics: dict[str, Submetric] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def validate(self, registry: Registry) -> None:
        """Raises ConfigError for a metric that there is none of, or a wrong aggregation."""
        for key, thresholds in self.thresholds.items():
            metric = registry.get(self.metric_name(key))
            if metric is None:
                raise ConfigError(
                    f"invalid threshold defined on {key}; reason: no metric name {quote(key)} found"
                )
            for one in thresholds:
                _check_aggregation(one, key, metric)

    def metric_name(self, key: str) -> str:
        submetric = self.submetrics.get(key)
        return submetric.metric if submetric else key

    def evaluate(self, sinks: Sinks, elapsed: float, *, final: bool) -> Verdict:
        """Judge all. Before the end metrics without samples are passed over."""
        crossed, abort = [], False
        for key, thresholds in self.thresholds.items():
            sink = sinks.sink(key)
            if sink is None or (sink.empty and not final):
                continue
            passes_empty = sink.empty and isinstance(sink, RateSink)
            failed = False
            for one in thresholds:
                one.failed = not passes_empty and not one.holds(sink, elapsed)
                if one.failed:
                    failed = True
                    if one.abort_on_fail and elapsed > one.delay_abort_eval:
                        abort = True
            if failed:
                crossed.append(key)
        return Verdict(tuple(sorted(crossed)), abort)


def _check_aggregation(one: Threshold, key: str, metric: Metric) -> None:
    supported = _SUPPORTED[metric.type]
    method = "p" if one.aggregation.startswith("p(") else one.aggregation
    if method not in supported:
        raise ConfigError(
            f"invalid threshold {quote(one.source)} applied on metric {key}; reason: unsupported "
            f"aggregation method {method} on metric of type {metric.type}. supported aggregation "
            f"methods for this metric are: {', '.join(supported)}"
        )


def parse_thresholds(raw: Mapping[str, Sequence[Any]]) -> ThresholdSet:
    """Read the option `thresholds`: key -> list of texts or {threshold, abortOnFail, delayAbortEval}.

    Raises ConfigError.
    """
    found = ThresholdSet()
    for given, entries in raw.items():
        key = given
        submetric = _parse_key(given)
        if submetric is not None:
            key = submetric.name
            found.submetrics[key] = submetric
            for tag in _HIGH_CARDINALITY:
                if tag in submetric.tags:
                    found.warnings.append(
                        f"The high-cardinality '{tag}' metric tag was made non-indexable in k6 "
                        f"v0.41.0, so thresholds like '{given}' that are based on it won't work "
                        "correctly."
                    )
        found.thresholds.setdefault(key, []).extend(_parse_entry(entry) for entry in entries)
    return found


def scenario_of(key: str) -> str | None:
    """Return the scenario that a key of the option `thresholds` filters by, None if it filters by none.

    A key that cannot be parsed filters by none.
    """
    try:
        submetric = _parse_key(key)
    except ConfigError:
        return None
    return submetric.tags.get("scenario") if submetric else None


def _parse_entry(entry: str | Mapping[str, Any]) -> Threshold:
    if isinstance(entry, str):
        return parse_expression(entry)
    one = parse_expression(entry.get("threshold") or "")
    one.abort_on_fail = entry.get("abortOnFail") or False
    delay = entry.get("delayAbortEval")
    one.delay_abort_eval = 0.0 if delay is None else parse_duration(delay)
    return one


def parse_expression(source: str) -> Threshold:
    """`p(95) < 200` -> Threshold. Raises ConfigError with k6's text."""
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
    return Threshold(source, left, sign, value)


def _split(source: str) -> tuple[str, str, str]:
    """(operator, what stands left and right of it); all empty if there is no operator with a right."""
    for sign in _OPERATORS:
        left, _, right = source.partition(sign)
        if right:
            return sign, left.strip(), right.strip()
    return "", "", ""


def _check_method(method: str) -> None:
    """Raises ValueError if it is no aggregation."""
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
    """`name{tag:value}` -> Submetric, a plain name -> None. Raises ConfigError."""

    def wrong(what: str, reason: str) -> ConfigError:
        return ConfigError(
            f"{_INVALID}; reason: parsing metric name failed, metric {quote(what)} {reason}"
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
