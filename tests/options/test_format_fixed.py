"""Durations of one width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import floats

from jsrunner.options.duration import format_fixed


@pytest.mark.parametrize(
    ("seconds", "longest", "text"),
    [
        (2.04, 5, "2.0s"),
        (2.0, 31, "02.0s"),
        (2.0, 60, "0m02.0s"),
        (81.79, 90, "1m21.7s"),
        (2.0, 630, "00m02.0s"),
        (71.3, 3600, "0h01m11.3s"),
        (71.3, 36000, "00h01m11.3s"),
        (0.3, 1, "0.3s"),  # 0.3 * 10 is a little less than 3
        (-0.1, 5, "0.0s"),
        (75.0, 5, "1m15.0s"),
        (3700.0, 60, "1h01m40.0s"),
    ],
)
def test_examples(seconds: float, longest: float, text: str) -> None:
    assert format_fixed(seconds, longest) == text


@given(floats(0, 1), floats(0.1, 400_000))
def test_all_that_are_no_longer_than_the_longest_have_one_width(part: float, longest: float) -> None:
    assert len(format_fixed(part * longest, longest)) == len(format_fixed(longest, longest))
