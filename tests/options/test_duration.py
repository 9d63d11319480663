"""Durations: k6's two ways to read them, and Go's way to write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.options.duration import (
    format_duration,
    format_fixed,
    parse_duration,
    parse_go_duration,
)

HALF_A_CENTURY_NS = 50 * 365 * 86400 * 10**9
NANOSECONDS = st.integers(min_value=-HALF_A_CENTURY_NS, max_value=HALF_A_CENTURY_NS)


def close(seconds: float, nanoseconds: int) -> bool:
    """Equal but for what a float of seconds cannot hold."""
    return abs(seconds * 1e9 - nanoseconds) <= max(1, abs(nanoseconds) * 1e-15)


@given(NANOSECONDS)
def test_what_is_written_is_read_again(nanoseconds: int) -> None:
    text = format_duration(nanoseconds / 1e9)
    assert close(parse_go_duration(text), nanoseconds)
    assert parse_duration(text) == parse_go_duration(text)


@given(NANOSECONDS)
def test_it_is_written_as_go_writes_it(nanoseconds: int) -> None:
    text = format_duration(nanoseconds / 1e9)
    number = r"[0-9]+(\.[0-9]*[1-9])?"
    assert re.fullmatch(rf"0s|-?({number}(ns|µs|ms)|([0-9]+h[0-9]+m|[0-9]+m)?{number}s)", text)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["h", "m", "s", "ms", "us", "ns"]))),
    st.sampled_from(["", "-", "+"]),
)
def test_parts_add_up(parts: list[tuple[int, str]], sign: str) -> None:
    sizes = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    text = sign + "".join(f"{number}{unit}" for number, unit in parts)
    total = sum(number * sizes[unit] for number, unit in parts)
    if not parts or total >= 2**63:
        with pytest.raises(ValueError, match=r"invalid duration"):
            parse_go_duration(text)
    else:
        assert close(parse_go_duration(text), -total if sign == "-" else total)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_duration, parse_go_duration):
        try:
            assert isinstance(parse(text), float)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - nothing else may be raised


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1500, 1.5),
        (0.5, 0.0005),
        ("1500", 1.5),
        ("1e3", 1.0),
        ("-250", -0.25),
        ("1m30s", 90.0),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("2h45m", 9900.0),
        ("500us", 0.0005),
        ("500µs", 0.0005),
        ("500μs", 0.0005),
        ("1d", 86400.0),
        ("1d12h", 129600.0),
        ("-1d12h", -129600.0),
        ("0", 0.0),
        ("+5s", 5.0),
    ],
)
def test_durations_of_the_script(value: object, seconds: float) -> None:
    assert parse_duration(value) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'time: invalid duration ""'),
        ("abc", 'time: invalid duration "abc"'),
        ("--5s", 'time: invalid duration "--5s"'),
        ("-+5s", 'time: invalid duration "-+5s"'),
        (".s", 'time: invalid duration ".s"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("5s3", 'time: missing unit in duration "5s3"'),
        ("1h5 m", 'time: unknown unit " m" in duration "1h5 m"'),
        ("٣s", 'time: invalid duration "\\xd9\\xa3s"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
        ("1.5d", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        ("1d-5h", "invalid time format '-5h'"),
        ("1d5", 'time: missing unit in duration "5"'),
        ("1d 5h", 'time: invalid duration " 5h"'),
    ],
)
def test_what_is_no_duration(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + re.escape(reason) + "$"):
        parse_duration(text)


def test_the_command_line_wants_units_and_knows_no_days() -> None:
    with pytest.raises(ValueError, match=r'^time: missing unit in duration "1500"$'):
        parse_go_duration("1500")
    with pytest.raises(ValueError, match=r'^time: unknown unit "d" in duration "1d"$'):
        parse_go_duration("1d")
    assert parse_go_duration("0") == parse_go_duration("-0") == 0


@pytest.mark.parametrize("value", [1e300, -1e300, float("nan"), "1e300", "inf", "NaN", 9223372036855])
def test_what_64_bits_cannot_hold_is_their_lowest_number(value: object) -> None:
    assert format_duration(parse_duration(value)) == "-2562047h47m16.854775808s"


def test_a_number_that_is_too_large_for_a_float() -> None:
    with pytest.raises(ValueError, match=r"'10*' is not a valid duration value"):
        parse_duration(10**400)


@pytest.mark.parametrize("value", [True, None, [], {}])
def test_no_value_for_a_duration(value: object) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1e-9, "1ns"),
        (1.5e-6, "1.5µs"),
        (0.5, "500ms"),
        (0.0015, "1.5ms"),
        (1, "1s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (5400.25, "1h30m0.25s"),
        (86400, "24h0m0s"),
        (-1, "-1s"),
        (-0.25, "-250ms"),
    ],
)
def test_how_durations_are_written(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "longest", "text"),
    [
        (2.04, 5, "2.0s"),
        (2.0, 31, "02.0s"),
        (2.0, 60, "0m02.0s"),
        (81.75, 90, "1m21.8s"),
        (9.97, 9, "10.0s"),
        (2.0, 86400, "0d00h00m02.0s"),
        (93784.5, 9223372036.8, "000001d02h03m04.5s"),
        (2.0, 630, "00m02.0s"),
        (71.3, 3600, "0h01m11.3s"),
        (71.3, 36000, "00h01m11.3s"),
        (0.3, 1, "0.3s"),  # 0.3 * 10 is a little less than 3
        (-0.1, 5, "0.0s"),
        (75.0, 5, "1m15.0s"),
        (3700.0, 60, "1h01m40.0s"),
    ],
)
def test_durations_of_one_width(seconds: float, longest: float, text: str) -> None:
    assert format_fixed(seconds, longest) == text


@given(st.floats(0, 1), st.floats(0.1, 400_000))
def test_all_that_are_no_longer_than_the_longest_have_one_width(part: float, longest: float) -> None:
    assert len(format_fixed(part * longest, longest)) == len(format_fixed(longest, longest))
