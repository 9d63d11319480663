"""Go's errors for texts that are not JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.modules.k6.http.json_errors import describe


@pytest.mark.parametrize(
    ("text", "line", "character", "error"),
    [
        ("x", 1, 1, "invalid character 'x' looking for beginning of value"),
        ('{"a" 1}', 1, 6, "invalid character '1' after object key"),
        ("{a", 1, 2, "invalid character 'a' looking for beginning of object key string"),
        ("[1 2]", 1, 4, "invalid character '2' after array element"),
        ('{"a":1 "b"', 1, 8, "invalid character '\"' after object key:value pair"),
        ("[1,\n x]", 2, 2, "invalid character 'x' looking for beginning of value"),
        ("1 1", 1, 3, "invalid character '1' after top-level value"),
        ("tru'", 1, 4, r"invalid character '\'' in literal true (expecting 'e')"),
        ("-x", 1, 2, "invalid character 'x' in numeric literal"),
        ("1.x", 1, 3, "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", 1, 3, "invalid character 'x' in exponent of numeric literal"),
        (r'"\x"', 1, 3, "invalid character 'x' in string escape code"),
        (r'"\u12x4"', 1, 6, r"invalid character 'x' in \u hexadecimal character escape"),
        ('"a\nb"', 2, 1, r"invalid character '\n' in string literal"),
    ],
)
def test_places(text: str, line: int, character: int, error: str) -> None:
    place = f"line {line}, character {character} "
    assert describe(text.encode()) == f"cannot parse json due to an error at {place}, error: {error}"


@pytest.mark.parametrize("text", ["", "[", '{"a"', '"abc', "[1,"])
def test_texts_that_end_too_soon(text: str) -> None:
    assert "unexpected end of JSON input" in describe(text.encode())


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("tr", "in literal true (expecting 'u')"),
        ("-", "in numeric literal"),
        ("[1.", "after decimal point in numeric literal"),
        ("1e", "in exponent of numeric literal"),
        ('"\\u12', r"in \u hexadecimal character escape"),
        ('"\\', "in string escape code"),
    ],
)
def test_scalars_that_end_too_soon(text: str, context: str) -> None:
    """k6's reader puts a space behind the text."""
    assert describe(text.encode()).endswith(f"error: invalid character ' ' {context}")


@given(st.text('[]{}",:1e.-tru fals\\n\n', max_size=20))
def test_whatever_is_wrong_is_described(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda word: 1 / 0)
    except (ValueError, ZeroDivisionError):
        assert describe(text.encode())
