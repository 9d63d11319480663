"""Bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.text import decode_bytewise


@given(st.text())
def test_text(text: str) -> None:
    assert decode_bytewise(text.encode("utf-8", "surrogatepass")).count("\ufffd") >= text.count(
        "\ufffd"
    )
    if text.isascii():
        assert decode_bytewise(text.encode()) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("aü€😀".encode(), "aü€😀"),
        (b"a\xffb", "a\ufffdb"),
        ("€".encode()[:2] + b"x", "\ufffd\ufffdx"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4),
        (b"\xc0\xaf", "\ufffd\ufffd"),
    ],
)
def test_each_wrong_byte_is_one_replacement(data: bytes, text: str) -> None:
    assert decode_bytewise(data) == text
    assert decode_bytewise(bytearray(data)) == text
