"""Thresholds: `metric{tag:value}: ["p(95)<200", ...]` read, checked, and judged.

Grammar and texts are k6's. `aggregation operator value`: the aggregation is count, rate, value, avg,
min, max, med or p(N); the value a number as Go writes it.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.errors import ConfigError
from jsrunner.options.duration import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.metrics.registry import Metric, Registry
    from jsrunner.metrics.sinks import Sink

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "===": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_OPERATOR = re.compile("|".join(map(re.escape, _OPERATORS)))
_PERCENTILE = re.compile(r"p\((.*)\)\Z", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?\Z|[+-]?(inf|infinity|nan)\Z", re.I)
_SUPPORTED: Final = {
    "counter": ("count", "rate"),
    "gauge": ("value",),
    "rate": ("rate",),
    "trend": ("avg", "min", "max", "med", "p(N)"),
}
_WORDS: Final = frozenset({"count", "rate", "value", "avg", "min", "max", "med"})
_HIGH_CARDINALITY: Final = ("vu", "iter")

INVALID: Final = "unable to validate threshold expressions"


@dataclass(slots=True)
class Threshold:
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


@dataclass(slots=True)
class Submetric:
    """`name{tag:value,...}`: the samples of a metric that have these tags."""

    name: str
    metric: str
    tags: dict[str, str]

    @property
    def suffix(self) -> str:
        return self.name[len(self.metric) + 1 : -1]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Names of the metrics whose thresholds failed, sorted; whether that ends the run now."""

    crossed: tuple[str, ...]
    abort: bool


class Sinks(Protocol):
    """Where the judged figures are."""

    def sink(self, key: str) -> Sink | None: ...


@dataclass(slots=True)
class ThresholdSet:
    """All thresholds of a run by the key that the script gave, e.g. `ws_ping{room:a}`."""

    thresholds: dict[str, list[Threshold]] = field(default_factory=dict)
    submetrics: dict[str, Submetric] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def validate(self, registry: Registry) -> None:
        """Raises ConfigError for a metric that there is none of, or a wrong aggregation."""
        for key, thresholds in self.thresholds.items():
            name = self.metric_name(key)
            metric = registry.get(name)
            if metric is None:
                raise ConfigError(
                    f'invalid threshold defined on {key}; reason: no metric name "{name}" found'
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
            passes_empty = sink.empty and self._is_rate(thresholds)
            failed = False
            for one in thresholds:
                one.failed = not passes_empty and not one.holds(sink, elapsed)
                if one.failed:
                    failed = True
                    if one.abort_on_fail and elapsed >= one.delay_abort_eval:
                        abort = True
            if failed:
                crossed.append(key)
        return Verdict(tuple(sorted(crossed)), abort)

    @staticmethod
    def _is_rate(thresholds: list[Threshold]) -> bool:
        return all(one.aggregation == "rate" for one in thresholds)


def _check_aggregation(one: Threshold, key: str, metric: Metric) -> None:
    supported = _SUPPORTED[metric.type]
    known = one.aggregation in supported or (
        one.aggregation.startswith("p(") and metric.type == "trend"
    )
    if not known:
        method = "p" if one.aggregation.startswith("p(") else one.aggregation
        raise ConfigError(
            f'invalid threshold "{one.source}" applied on metric {key}; reason: unsupported '
            f"aggregation method {method} on metric of type {metric.type}. supported aggregation "
            f"methods for this metric are: {', '.join(supported)}"
        )


def parse_thresholds(raw: Mapping[str, object]) -> ThresholdSet:
    """Read the option `thresholds`: key -> list of texts or {threshold, abortOnFail, ...}.

    Raises ConfigError.
    """
    found = ThresholdSet()
    for key, entries in raw.items():
        submetric = _parse_key(key)
        if submetric is not None:
            key = submetric.name
            found.submetrics[key] = submetric
            for tag in _HIGH_CARDINALITY:
                if tag in submetric.tags:
                    found.warnings.append(
                        f"The high-cardinality '{tag}' metric tag was made non-indexable in k6 "
                        f"v0.41.0, so thresholds like '{key}' that are based on it won't work "
                        "correctly."
                    )
        assert isinstance(entries, list)
        found.thresholds[key] = [_parse_entry(entry) for entry in entries]
    return found


def _parse_entry(entry: object) -> Threshold:
    if isinstance(entry, str):
        return parse_expression(entry)
    assert isinstance(entry, dict)
    one = parse_expression(str(entry.get("threshold", "")))
    one.abort_on_fail = bool(entry.get("abortOnFail", False))
    delay = entry.get("delayAbortEval")
    one.delay_abort_eval = parse_duration(delay) if delay is not None else 0.0
    return one


def parse_expression(source: str) -> Threshold:
    """`p(95) < 200` -> Threshold. Raises ConfigError with k6's text."""
    match = _OPERATOR.search(source)
    if match is None:
        raise ConfigError(
            f'failed parsing threshold expression "{source}"; reason: malformed threshold expression'
        )
    left, right = source[: match.start()].strip(), source[match.end() :].strip()
    prefix = f'failed parsing threshold expression\'s "{source}" left hand side; reason: '
    if percentile := _PERCENTILE.match(left):
        number = percentile[1]
        if not _NUMBER.match(number):
            raise ConfigError(
                f"{prefix}malformed percentile value; reason: strconv.ParseFloat: "
                f'parsing "{number}": invalid syntax'
            )
        if not 0 <= float(number) <= 100:
            raise ConfigError(f"{prefix}malformed percentile value, provide a number between 0 and 100")
        left = f"p({number})"
    elif left not in _WORDS:
        raise ConfigError(f"{prefix}failed parsing method from expression")
    if not _NUMBER.match(right):
        raise ConfigError(
            f'failed parsing threshold expresion\'s "{source}" right hand side; reason: '
            f'strconv.ParseFloat: parsing "{right}": invalid syntax'
        )
    return Threshold(source, left, match[0], float(right.replace("_", "")))


def _parse_key(key: str) -> Submetric | None:
    """`name{tag:value}` -> Submetric, a plain name -> None. Raises ConfigError."""

    def wrong(reason: str) -> ConfigError:
        return ConfigError(f'{INVALID}; reason: parsing metric name failed, metric "{key}" {reason}')

    opening, closing = key.count("{"), key.count("}")
    if not opening and not closing:
        return None
    if opening != closing:
        raise wrong("has unmatched opening/close curly brace")
    if not key.endswith("}"):
        raise wrong("lacks a closing curly brace in its last position")
    name, _, inside = key[:-1].partition("{")
    inside = inside.strip()
    tags: dict[str, str] = {}
    for pair in inside.split(",") if inside else ():
        tag, colon, value = pair.partition(":")
        tag, value = (part.strip(" '\"") for part in (tag, value))
        if not colon or not tag:
            raise wrong("tag expression is malformed")
        tags[tag] = value
    return Submetric(f"{name}{{{inside}}}", name, tags)
