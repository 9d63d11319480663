"""Numbers of the summary (k6-surface SU-11 to SU-14), as JavaScript writes them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.summary import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (5, "5"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e15, "1000000000000000"),
        (2.0**53, "9007199254740992"),
        (1e16, "10000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1.25e-6, "0.00000125"),
        (1e-7, "1e-7"),
        (-2.5e-9, "-2.5e-9"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(value: float, text: str) -> None:
    assert units.number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_again(value: float) -> None:
    assert float(units.number(value)) == value


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (2.5, 0, "3"),
        (-2.5, 0, "-3"),
        (0.125, 2, "0.13"),
        (1.005, 2, "1.00"),  # which is a little less than it looks
        (1234.5, 2, "1234.50"),
        (1e20, 2, "100000000000000000000.00"),
        (1e21, 2, "1e+21"),
        (math.inf, 2, "Infinity"),
    ],
)
def test_fixed_decimals_round_halves_up(value: float, digits: int, text: str) -> None:
    assert units.fixed(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7.5, "7.5"),
        (1 / 3, "0.333333"),
        (2 / 3, "0.666667"),
        (0.0000004, "0"),
        (0.0000006, "0.000001"),
        (123456.7890123, "123456.789012"),
        (1e16, "10000000000000000"),
        (-3, "-3"),
    ],
)
def test_plain_numbers_have_up_to_six_decimals(value: float, text: str) -> None:
    assert units.plain(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0s"),
        (0.000001, "1ns"),
        (0.0009999, "999ns"),
        (0.001, "1µs"),
        (0.0123456, "12.34µs"),
        (0.99999, "999.99µs"),
        (1, "1ms"),
        (1.005, "1ms"),
        (12.5, "12.5ms"),
        (999.999, "999.99ms"),
        (1000, "1s"),
        (1234.5, "1.23s"),
        (59_999.99, "59.99s"),
        (60_000, "1m0s"),
        (60_001, "1m0s"),
        (90_500, "1m30s"),
        (3_599_999, "59m59s"),
        (3_600_000, "1h0m0s"),
        (3_723_000, "1h2m3s"),
        (360_000_000, "100h0m0s"),
        (-5, "-5000000ns"),
        (-1e303, "-Infinityns"),
        (math.inf, "Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_times_have_the_unit_that_fits(milliseconds: float, text: str) -> None:
    assert units.time(milliseconds) == text


@pytest.mark.parametrize(
    ("milliseconds", "unit", "text"),
    [
        (1234.5, "ms", "1234.50ms"),
        (1234.567, "ms", "1234.57ms"),
        (1234.5, "s", "1.23s"),
        (1235, "s", "1.24s"),
        (1.5, "us", "1500.00µs"),
        (0, "s", "0.00s"),
        (-5, "ms", "-5.00ms"),
    ],
)
def test_times_in_a_unit_of_choice(milliseconds: float, unit: str, text: str) -> None:
    assert units.time(milliseconds, unit) == text


@given(st.floats(0.001, 1e9))
def test_times_are_cut_never_rounded_up(milliseconds: float) -> None:
    text = units.time(milliseconds)
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?([\d.]+)(s|ms|µs)", text)
    assert parts is not None
    scale = {"s": 1000, "ms": 1, "µs": 0.001}[parts[4]]
    shown = int(parts[1] or 0) * 3_600_000 + int(parts[2] or 0) * 60_000 + float(parts[3]) * scale
    assert shown <= milliseconds * (1 + 1e-12)
    assert milliseconds - shown < (1000 if parts[2] else 0.0100001 * scale)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (9, "9 B"),
        (3.456789123, "3.456789123 B"),
        (10, "10 B"),
        (566, "566 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (9949, "9.9 kB"),
        (12_345, "12 kB"),
        (12_500, "13 kB"),
        (999_999, "1000 kB"),
        (1_000_000, "1.0 MB"),
        (5_600_000_000_000, "5.6 TB"),
        (1e30, "1000000 YB"),
        (-5, "-5 B"),
        (math.inf, "Infinity B"),
    ],
)
def test_bytes(size: float, text: str) -> None:
    assert units.data(size) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0.00%"),
        (1, "100.00%"),
        (0.5, "50.00%"),
        (6 / 7, "85.71%"),
        (2 / 3, "66.66%"),
        (0.99999, "99.99%"),
        (0.57, "56.99%"),  # 0.57 * 100 * 100 is 5699.999999999999
    ],
)
def test_rates_are_cut_to_two_decimals(rate: float, text: str) -> None:
    assert units.percent(rate) == text


@pytest.mark.parametrize(
    ("contains", "text"), [("default", "1500"), ("time", "1.5s"), ("data", "1.5 kB")]
)
def test_a_value_is_written_by_what_its_metric_contains(contains: str, text: str) -> None:
    assert units.value_of(1500, contains, "") == text


@given(st.floats())
def test_any_number_can_be_written(value: float) -> None:
    for contains in ("default", "time", "data"):
        for unit in ("", "ms"):
            assert units.value_of(value, contains, unit)
