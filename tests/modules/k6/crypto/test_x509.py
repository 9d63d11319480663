"""k6/crypto/x509: what is no certificate (certificates: tests/compat)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.modules.k6.crypto.x509 import _decoded

if TYPE_CHECKING:
    from collections.abc import Callable


@given(
    st.binary(max_size=200), st.sampled_from(["CERTIFICATE", "X", ""]), st.sampled_from(["\n", "\r\n"])
)
def test_a_block_is_decoded(data: bytes, name: str, end: str) -> None:
    body = base64.encodebytes(data).decode()
    text = f"before\n-----BEGIN {name}-----\n{body}-----END {name}-----\nafter".replace("\n", end)
    assert _decoded(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-----BEGIN A-----",
        "-----BEGIN A-----\nAAAA\n-----END B-----",
        "-----BEGIN A-----\n!\n-----END A-----",
    ],
)
def test_what_is_no_block(text: str) -> None:
    assert _decoded(text.encode()) is None


def test_a_block_that_is_broken_is_passed_over() -> None:
    text = b"-----BEGIN A-----\n!\n-----END A-----\n-----BEGIN B-----\nname: x\n\nYQ==\n-----END B-----"
    assert _decoded(text) == b"a"


def test_many_beginnings_are_no_matter() -> None:
    assert _decoded(b"-----BEGIN A-----\n" * 100_000) is None


def test_texts_of_errors(run: Callable[..., list[str]]) -> None:
    assert run("""
        import x509 from 'k6/crypto/x509';
        for (const value of [undefined, [1], new Uint16Array(1), 5, {}, '-----BEGIN A-----\\nAAAA\\n-----END A-----']) {
          try { x509.parse(value); } catch (e) { console.log(String(e)); }
        }
    """) == [
        *["GoError: failed to decode certificate PEM file"] * 3,
        "TypeError: could not convert function call parameter 0: could not convert 5 to []uint8",
        "TypeError: could not convert function call parameter 0: cannot convert [object Object] to []uint8: "
        "not an array or iterable",
        "GoError: failed to parse certificate: x509: malformed certificate",
    ]
