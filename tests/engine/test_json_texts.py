"""Errors of JSON.parse for texts that are not JSON, as recorded from k6."""

from __future__ import annotations

import pytest

from jsrunner.engine import json_texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Unexpected end of JSON input (EOF)"),
        (" \n", "Unexpected end of JSON input (EOF)"),
        ('{"a" ', "Unexpected end of JSON input (EOF)"),
        ('{"', "unexpected EOF"),
        ("undefined", "invalid character 'u' looking for beginning of value"),
        ("<html>", "invalid character '<' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{{", "invalid character '{'"),
        ('["a"}', "invalid character '}' after array element"),
        ('{"a"1', "invalid character '1' after object key"),
        ('{"a":1 "b"', "invalid character '\"' after object key:value pair"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (r'{"\u00}', r"invalid character '}' in \u hexadecimal character escape"),
        (r'{"a\1', "invalid character '1' in string escape code"),
        ('"\n', r"invalid character '\n' in string literal"),
        ("[1.5e}", "invalid character '}' in exponent of numeric literal"),
        ("[-]", "invalid character ']' in numeric literal"),
        ("[tru1", "invalid character '1' in literal true (expecting 'e')"),
        ("{}}", "Unexpected token at the end: <nil>"),
        ('"a" nul', "Unexpected token at the end: <nil>"),
        ('"a"[', "Unexpected token at the end: ["),
        ('"a"true', "Unexpected token at the end: true"),
        (r'{} "\u00e9"', "Unexpected token at the end: é"),
        ('"a"-0', "Unexpected token at the end: -0"),
        ('"a"1.50', "Unexpected token at the end: 1.5"),
        ('"a"1000000', "Unexpected token at the end: 1e+06"),
        ('"a"10000001', "Unexpected token at the end: 1.0000001e+07"),
        ('"a"0.00000011', "Unexpected token at the end: 1.1e-07"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert json_texts.describe(text) == expected


def test_half_a_surrogate_pair() -> None:
    assert json_texts.describe('"\ud800" "\udc00"') == "Unexpected token at the end: \ufffd"


def test_nesting_needs_no_stack() -> None:
    text = "[" * 200_000 + "}"
    assert json_texts.describe(text) == "invalid character '}' looking for beginning of value"
