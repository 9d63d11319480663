"""Content codings: there and back, and broken ones."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.content import CODINGS, DecodingError, decode, encode


@given(st.binary(min_size=0, max_size=500), st.lists(st.sampled_from(CODINGS), min_size=1, max_size=3))
def test_there_and_back(body: bytes, codings: list[str]) -> None:
    assert decode(encode(body, codings), codings) == body


def test_formats() -> None:
    assert gzip.decompress(encode(b"text", ["gzip"])) == b"text"
    assert zlib.decompress(encode(b"text", ["deflate"])) == b"text"
    assert gzip.decompress(zlib.decompress(encode(b"text", ["gzip", "deflate"]))) == b"text"


def test_unknown_codings_are_left_alone() -> None:
    assert decode(b"text", ["identity", "mine"]) == b"text"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_members(coding: str) -> None:
    assert decode(encode(b"one", [coding]) + encode(b"two", [coding]), [coding]) == b"onetwo"


@pytest.mark.parametrize(
    ("coding", "error"),
    [
        ("gzip", "gzip: invalid header"), ("deflate", "zlib: invalid header"),
        ("zstd", "invalid input: magic number mismatch"),
    ],
)  # fmt: skip
def test_what_is_no_such_coding(coding: str, error: str) -> None:
    with pytest.raises(DecodingError) as caught:
        decode(b"no such thing", [coding])
    assert str(caught.value) == error
    assert caught.value.is_known


def test_no_brotli() -> None:
    with pytest.raises(DecodingError) as caught:
        decode(b"\xff\xff no such thing", ["br"])
    assert caught.value.is_known


@pytest.mark.parametrize("coding", CODINGS)
def test_bodies_that_break_off(coding: str) -> None:
    with pytest.raises(DecodingError, match="unexpected EOF") as caught:
        decode(encode(bytes(range(256)) * 9, [coding])[:-3], [coding])
    assert not caught.value.is_known
    with pytest.raises(DecodingError, match="EOF"):
        decode(b"", [coding])


def test_wrong_checksums() -> None:
    body = bytearray(encode(b"text", ["gzip"]))
    body[-6] ^= 1
    with pytest.raises(DecodingError, match="gzip: invalid checksum"):
        decode(bytes(body), ["gzip"])


@given(st.binary(min_size=1, max_size=60), st.sampled_from(CODINGS))
def test_nothing_else_is_raised(body: bytes, coding: str) -> None:
    with contextlib.suppress(DecodingError):
        assert isinstance(decode(body, [coding]), bytes)
