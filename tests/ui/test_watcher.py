"""Rates from reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.ui.watcher import RateMeter


def test_nothing_is_known_before_the_first_report() -> None:
    meter = RateMeter(5.0, (0.0,))
    assert meter.rates(1) is None
    meter.report(1, 6.0, (100.0,))
    assert meter.rates(1) == (100.0,)


@given(
    st.integers(1, 8),
    st.lists(st.floats(0.001, 0.999), min_size=8, max_size=8, unique=True),
    st.integers(1, 1000),
    st.integers(3, 20),
)
def test_a_steady_rate_is_exact_whatever_the_phases(
    reporters: int, phases: list[float], rate: int, seconds: int
) -> None:
    meter = RateMeter(0.0, (0.0, 0.0))
    total = 0.0
    for second in range(1, seconds + 1):
        for phase in sorted(phases[:reporters]):
            total += rate if second > 1 else rate * phase
            meter.report(1, second - 1 + phase, (total, 2 * total))
    found = meter.rates(reporters)
    assert found is not None
    assert found == pytest.approx((rate * reporters, 2 * rate * reporters))


def test_a_change_is_seen_within_the_span() -> None:
    meter = RateMeter(0.0, (0.0,))
    for second in range(1, 11):
        meter.report(1, float(second), (1000.0 * second,))
    for second in range(11, 13):
        meter.report(1, float(second), (10_000.0,))
    assert meter.rates(1) == (0.0,)


def test_reports_that_are_seen_together_count_each() -> None:
    meter = RateMeter(0.0, (0.0,))
    for second in range(1, 6):
        meter.report(2, float(second), (20.0 * second,))
    assert meter.rates(2) == (20.0,)
