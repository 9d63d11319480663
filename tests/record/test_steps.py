"""Aggregation within a step."""

from __future__ import annotations

from array import array

import pytest

from jsrunner.metrics.registry import Metric
from jsrunner.metrics.store import MergedSeries
from jsrunner.record.sketch import percentile, unpack
from jsrunner.record.steps import Step


@pytest.mark.parametrize(
    ("type_", "deltas", "figures"),
    [
        ("counter", [1.0, 2.5], [3.5]),
        ("rate", [(1, 2), (0, 3)], [1, 5]),
        ("gauge", [(5, 5, 6), (2, 1, 3)], [2, 1, 6]),
    ],
)
def test_deltas_add_up(type_: str, deltas: list[object], figures: list[float]) -> None:
    step, series = Step(), MergedSeries(Metric("m", type_), {}, [], None)
    for delta in deltas:
        step.add(7, series, delta)
    assert list(step.rows()) == [[7, *figures]]


def test_a_trend_has_a_sketch() -> None:
    step, series = Step(), MergedSeries(Metric("m", "trend"), {}, [], None)
    step.add(0, series, b"")
    assert list(step.rows()) == []
    for values in ([1.0, 2.0], [100.0]):
        step.add(0, series, array("d", values).tobytes())
    ((number, count, total, least, most, packed),) = step.rows()
    assert (number, count, total, least, most) == (0, 3, 103, 1, 100)
    assert percentile(unpack(packed), 50) == pytest.approx(2, rel=0.004)


def test_a_long_step_keeps_no_values() -> None:
    """A step of hours has the figures of all values, and the memory of some."""
    step, series = Step(), MergedSeries(Metric("m", "trend"), {}, [], None)
    values = array("d", range(1, 1001))
    for _ in range(500):
        step.add(0, series, values.tobytes())
    assert sum(len(part.values) for part in step._parts.values()) < 20_000
    ((_, count, total, least, most, packed),) = step.rows()
    assert (count, total, least, most) == (500_000, 500 * 500_500, 1, 1000)
    assert percentile(unpack(packed), 50) == pytest.approx(500, rel=0.004)
    assert unpack(packed).total() == 500_000
