"""Sinks: k6's figures (ME-14, ME-15), sums over processes, and the buckets of long runs."""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.metrics import sinks
from jsrunner.metrics.sinks import WIDTH, CounterSink, GaugeSink, RateSink, TrendSink, new_sink

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = st.floats(-1e12, 1e12) | st.integers(-1000, 1000).map(float)
SAMPLES = st.lists(NUMBERS, max_size=30)
KINDS = pytest.mark.parametrize("kind", [CounterSink, GaugeSink, RateSink, TrendSink])
STATS = ("avg", "min", "med", "max", "p(90)", "p(99.99)", "count", "sum")


class ShortTrend(TrendSink):
    """A trend that keeps no more than ten values."""

    __slots__ = ()
    exact_limit = 10


def filled(kind: type[sinks.Sink], values: list[float]) -> sinks.Sink:
    sink = kind()
    for value in values:
        sink.add(value)
    return sink


def figures(sink: sinks.Sink) -> dict[str, float]:
    return {**sink.format(10.0, STATS), "empty": sink.empty}


def same(first: sinks.Sink, second: sinks.Sink) -> bool:
    one, other = figures(first), figures(second)
    scale = 1e-9 * max([1.0, *map(abs, one.values())])
    return one.keys() == other.keys() and all(
        math.isclose(one[key], other[key], rel_tol=1e-9, abs_tol=scale) for key in one
    )


def merged(*parts: sinks.Sink) -> sinks.Sink:
    total = type(parts[0])()
    for part in parts:
        total.merge(part)  # type: ignore[arg-type]
    return total


# -- what each kind says ---------------------------------------------------------------------------


def test_kinds_by_their_names() -> None:
    assert [type(new_sink(one)) for one in ("counter", "gauge", "rate", "trend")] == [
        CounterSink,
        GaugeSink,
        RateSink,
        TrendSink,
    ]


def test_a_counter_sums_and_its_rate_is_per_second() -> None:
    sink = filled(CounterSink, [3, -1, 0.5])
    assert sink.format(5.0) == {"count": 2.5, "rate": 0.5}
    assert (sink.value_of("count", 5.0), sink.value_of("rate", 5.0)) == (2.5, 0.5)
    assert sink.format(0.0) == {"count": 2.5, "rate": 0.0}


def test_a_counter_of_nothing_but_zeros_is_not_empty() -> None:
    assert CounterSink().empty
    assert not filled(CounterSink, [0.0]).empty
    assert not merged(CounterSink(), filled(CounterSink, [0.0])).empty


def test_a_gauge_keeps_the_last_the_least_and_the_most() -> None:
    sink = filled(GaugeSink, [5, -2, 3])
    assert sink.format(1.0) == {"value": 3, "min": -2, "max": 5}
    assert sink.value_of("value", 1.0) == 3
    assert GaugeSink().format(1.0) == {"value": 0, "min": 0, "max": 0}


def test_the_gauge_that_is_merged_last_has_the_last_value() -> None:
    first, second = filled(GaugeSink, [1, 9]), filled(GaugeSink, [5])
    assert merged(first, second).format(1.0) == {"value": 5, "min": 1, "max": 9}
    assert merged(second, first).format(1.0) == {"value": 9, "min": 1, "max": 9}
    assert merged(first, GaugeSink()).format(1.0)["value"] == 9


def test_a_rate_counts_what_is_not_zero() -> None:
    sink = filled(RateSink, [1, 0, 0.5, -1])
    assert sink.format(1.0) == {"rate": 0.75, "passes": 3, "fails": 1}
    assert sink.value_of("rate", 1.0) == 0.75
    assert RateSink().format(1.0) == {"rate": 0, "passes": 0, "fails": 0}


def test_a_trend_has_the_figures_that_are_asked_for() -> None:
    sink = filled(TrendSink, [3, 1, 2])
    assert sink.format(1.0, ("avg", "p(50)", "count")) == {"avg": 2, "p(50)": 2, "count": 3}
    assert sink.value_of("med", 1.0) == 2
    assert (sink.min, sink.max, sink.sum) == (1, 3, 6)


def test_a_trend_of_nothing_is_zero() -> None:
    assert TrendSink().format(1.0, STATS) == dict.fromkeys(STATS, 0)
    assert TrendSink().empty


# -- merging ---------------------------------------------------------------------------------------


@KINDS
@given(first=SAMPLES, second=SAMPLES, third=SAMPLES)
def test_merging_is_associative(
    kind: type[sinks.Sink], first: list[float], second: list[float], third: list[float]
) -> None:
    one, two, three = (filled(kind, values) for values in (first, second, third))
    assert same(merged(merged(one, two), three), merged(one, merged(two, three)))


@KINDS
@given(first=SAMPLES, second=SAMPLES)
def test_merging_is_commutative_but_for_a_gauges_last_value(
    kind: type[sinks.Sink], first: list[float], second: list[float]
) -> None:
    one, two = filled(kind, first), filled(kind, second)
    both, turned = merged(one, two), merged(two, one)
    if isinstance(both, GaugeSink) and isinstance(turned, GaugeSink):
        turned.value = both.value
    assert same(both, turned)


@KINDS
@given(values=SAMPLES)
def test_an_empty_sink_changes_nothing(kind: type[sinks.Sink], values: list[float]) -> None:
    sink = filled(kind, values)
    assert same(merged(sink, kind()), sink)
    assert same(merged(kind(), sink), sink)


@KINDS
@given(first=SAMPLES, second=SAMPLES)
def test_merging_is_as_if_one_had_seen_all(
    kind: type[sinks.Sink], first: list[float], second: list[float]
) -> None:
    assert same(merged(filled(kind, first), filled(kind, second)), filled(kind, first + second))


@pytest.mark.parametrize(
    "sizes", [(3, 4, 2), (3, 4, 4), (12, 2, 2), (2, 12, 2), (2, 2, 12), (11, 11, 11)]
)
def test_folded_and_exact_trends_merge_in_any_way(sizes: tuple[int, int, int]) -> None:
    values = [[(number + 1) * 1.7**part for number in range(size)] for part, size in enumerate(sizes)]
    one, two, three = (filled(ShortTrend, part) for part in values)
    left, right = merged(merged(one, two), three), merged(three, merged(one, two))
    inner = merged(one, merged(two, three))
    assert isinstance(left, ShortTrend)
    assert left.is_exact == (sum(sizes) <= 10)
    assert same(left, right)
    assert same(left, inner)
    assert same(left, filled(ShortTrend, [value for part in values for value in part]))


# -- percentiles -----------------------------------------------------------------------------------


def k6_percentile(values: list[float], percent: float) -> float:
    """i = p/100·(n-1), linear between the neighbours (ME-15)."""
    ordered = sorted(values)
    position = percent / 100 * (len(ordered) - 1)
    low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
    return low + (high - low) * (position - math.floor(position))


@given(st.lists(NUMBERS, min_size=1, max_size=50), st.floats(0, 100))
def test_percentiles_are_exactly_k6s(values: list[float], percent: float) -> None:
    sink = filled(TrendSink, values)
    assert isinstance(sink, TrendSink)
    assert sink.is_exact
    assert sink.percentile(percent) == k6_percentile(values, percent)


@given(st.lists(st.lists(NUMBERS, max_size=10), max_size=5))
def test_figures_may_be_asked_for_in_between(batches: list[list[float]]) -> None:
    sink, seen = TrendSink(), []
    for batch in batches:
        sink.extend(array("d", batch))
        seen += batch
        if seen:
            assert sink.percentile(37) == k6_percentile(seen, 37)
            assert (sink.min, sink.max, sink.count) == (min(seen), max(seen), len(seen))


def test_infinite_values_have_figures() -> None:
    sink = filled(TrendSink, [1, math.inf, math.inf])
    assert [sink.value_of(stat, 1.0) for stat in ("min", "med", "max", "p(99)", "avg")] == [
        1,
        math.inf,
        math.inf,
        math.inf,
        math.inf,
    ]
    assert filled(TrendSink, [1, math.inf]).value_of("p(0)", 1.0) == 1
    opposite = filled(TrendSink, [-math.inf, math.inf])
    assert math.isnan(opposite.value_of("avg", 1.0))
    assert math.isnan(filled(CounterSink, [-math.inf, math.inf]).value_of("count", 1.0))


def test_sums_beyond_the_largest_number_are_infinite() -> None:
    sink = TrendSink()
    sink.extend(array("d", [sys.float_info.max, sys.float_info.max]))
    assert sink.sum == math.inf


# -- buckets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spread",
    [
        lambda number: 1 + number / 7,
        lambda number: 1.07**number / 1000,
        lambda number: -(1.07**number),
        lambda number: (number - 150) * 3.3,
    ],
)
@pytest.mark.parametrize("percent", [0, 1, 10, 50, 90, 99, 99.9, 100])
def test_a_folded_trend_is_right_within_half_a_buckets_width(
    spread: Callable[[int], float], percent: float
) -> None:
    values = [spread(number) for number in range(301)]
    sink = filled(ShortTrend, values)
    assert isinstance(sink, ShortTrend)
    assert not sink.is_exact
    position = percent / 100 * 300
    neighbours = sorted(values)[math.floor(position)], sorted(values)[math.ceil(position)]
    allowed = WIDTH / 2 * max(map(abs, neighbours)) * (1 + 1e-9)
    assert abs(sink.percentile(percent) - k6_percentile(values, percent)) <= allowed
    assert (sink.count, sink.min, sink.max) == (301, min(values), max(values))
    assert sink.avg == pytest.approx(sum(values) / 301)


@given(
    st.floats(sys.float_info.min, sys.float_info.max)
    | st.floats(1e-6, 3.6e6)
    | st.floats(-sys.float_info.max, -sys.float_info.min)
)
def test_a_buckets_middle_is_near_its_values(value: float) -> None:
    middle = sinks._middle(sinks._bucket(value))
    assert math.isclose(middle, value, rel_tol=WIDTH / 2 * (1 + 1e-9) + 1e-12)


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2))
def test_buckets_keep_the_order_of_their_values(values: list[float]) -> None:
    low, high = (sinks._middle(sinks._bucket(value)) for value in sorted(values))
    assert low <= high


def test_zero_and_infinity_have_buckets_of_their_own() -> None:
    for value in (0.0, math.inf, -math.inf):
        assert sinks._middle(sinks._bucket(value)) == value
    assert sinks._bucket(-0.0) == sinks._bucket(0.0)


def test_a_folded_trend_of_all_signs() -> None:
    values = [-math.inf, -5.0, -5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 7.0, math.inf]
    sink = filled(ShortTrend, values)
    assert isinstance(sink, ShortTrend)
    assert not sink.is_exact
    assert [sink.percentile(percent) for percent in (0, 10, 50, 90, 100)] == [
        -math.inf,
        pytest.approx(-5, rel=WIDTH / 2),
        0,
        pytest.approx(7, rel=WIDTH / 2),
        math.inf,
    ]


def test_figures_never_lie_outside_of_what_was_seen() -> None:
    sink = filled(ShortTrend, [3.0] * 11)
    assert sink.format(1.0, ("min", "med", "max", "p(99.9)")) == {
        "min": 3,
        "med": 3,
        "max": 3,
        "p(99.9)": 3,
    }


@given(st.lists(st.floats(allow_nan=False), min_size=11, max_size=40))
def test_values_are_counted_in_their_buckets_one_by_one_or_together(values: list[float]) -> None:
    together = ShortTrend()
    together.extend(array("d", values))
    assert together._buckets == Counter(map(sinks._bucket, values))
    assert filled(ShortTrend, values)._buckets == together._buckets  # type: ignore[union-attr]
