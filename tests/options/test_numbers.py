"""Numbers as Go's strconv reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.options.numbers import parse_float, parse_int, quote


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_whole_numbers_of_64_bits(number: int) -> None:
    assert parse_int(str(number)) == number


def test_a_plus_and_leading_zeros() -> None:
    assert parse_int("+07") == 7


@pytest.mark.parametrize("text", ["", "five", "1.5", " 1", "1_000", "٣", "0x10", "1\n"])
def test_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"^strconv\.ParseInt: parsing .*: invalid syntax$"):
        parse_int(text)


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "9" * 5000])
def test_more_than_64_bits(text: str) -> None:
    with pytest.raises(ValueError, match=r"value out of range$"):
        parse_int(text)


@given(st.floats(allow_nan=False))
def test_floats(number: float) -> None:
    assert parse_float(repr(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e3", 1000),
        (".5", 0.5),
        ("5.", 5),
        ("+1", 1),
        ("1_000.5", 1000.5),
        ("Infinity", math.inf),
        ("-inf", -math.inf),
    ],
)
def test_spellings(text: str, number: float) -> None:
    assert parse_float(text) == number


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(parse_float("NaN"))


@pytest.mark.parametrize("text", ["", ".", "1e", "1__0", "_1", "1_", "abc", "1 ", "٣", "-nan", "1,5"])
def test_no_float(text: str) -> None:
    with pytest.raises(ValueError, match=r"^strconv\.ParseFloat: parsing .*: invalid syntax$"):
        parse_float(text)


def test_too_large_a_float() -> None:
    with pytest.raises(ValueError, match=r'^strconv\.ParseFloat: parsing "1e999": value out of range$'):
        parse_float("1e999")


def test_quotes() -> None:
    assert quote('a "b"\n\\') == '"a \\"b\\"\\n\\\\"'
    assert quote("grüße") == '"grüße"'
