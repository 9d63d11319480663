"""Sketches: how near their percentiles are, and that they add up."""

from __future__ import annotations

import math
from array import array
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.metrics.sinks import TrendSink
from jsrunner.record.sketch import coarse, count_values, merged, middle, pack, percentile, unpack

VALUES = st.lists(
    st.one_of(st.just(0.0), st.floats(1e-6, 1e9), st.floats(-1e9, -1e-6)), min_size=1, max_size=200
)


@given(VALUES)
def test_a_sketch_counts_each_value_near_its_place(values: list[float]) -> None:
    sketch = count_values(array("d", values))
    assert sketch.total() == len(values)
    for value in values:
        (bucket,) = count_values(array("d", [value]))
        assert middle(bucket) == pytest.approx(value, rel=0.004)


@given(VALUES, st.sampled_from((0, 50, 90, 95, 99, 100)))
def test_percentiles_are_those_of_the_sink(values: list[float], percent: int) -> None:
    sink = TrendSink()
    sink.extend(array("d", values))
    exact = sink.percentile(percent)
    scale = max(map(abs, values))
    assert percentile(count_values(array("d", values)), percent) == pytest.approx(
        exact, abs=0.004 * scale
    )


@given(VALUES)
def test_a_coarse_sketch_is_near(values: list[float]) -> None:
    sketch = coarse(count_values(array("d", values)))
    assert sketch.total() == len(values)
    for percent in (0, 100):
        exact = min(values) if percent == 0 else max(values)
        assert percentile(sketch, percent) == pytest.approx(exact, rel=0.02)


@given(VALUES, VALUES)
def test_sketches_add_up(first: list[float], second: list[float]) -> None:
    apart = merged((count_values(array("d", first)), count_values(array("d", second))))
    assert apart == count_values(array("d", first + second))


@given(st.dictionaries(st.integers(0, 65535), st.integers(1, 1 << 40)))
def test_packing_keeps_a_sketch(sketch: dict[int, int]) -> None:
    assert unpack(pack(sketch)) == Counter(sketch)


@pytest.mark.parametrize("packed", [[1], [-1, 1], [70_000, 1], [5, -1]])
def test_what_is_no_sketch_is_refused(packed: list[int]) -> None:
    with pytest.raises(ValueError, match="a sketch has"):
        unpack(packed)


def test_infinities_and_numbers_beyond_single_precision() -> None:
    sketch = count_values(array("d", [math.inf, 1e300, -math.inf]))
    assert coarse(sketch) == sketch
    assert percentile(sketch, 100) == math.inf
    assert percentile(sketch, 0) == -math.inf


def test_nothing_has_the_percentile_0() -> None:
    assert percentile({}, 95) == 0
