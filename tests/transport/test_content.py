"""Content codings: there and back, broken ones, and those that would fill the memory."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.body import TooLarge
from jsrunner.transport.content import CODINGS, DecodingError, Undecodable, decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 1 << 20


def whole(body: bytes, codings: Sequence[str]) -> bytes:
    decoded, problem = decode(body, codings, LIMIT)
    assert problem is None
    return decoded


def broken(body: bytes, coding: str) -> tuple[bytes, DecodingError]:
    decoded, problem = decode(body, [coding], LIMIT)
    assert problem is not None
    return decoded, problem


@given(st.binary(min_size=0, max_size=500), st.lists(st.sampled_from(CODINGS), min_size=1, max_size=3))
def test_there_and_back(body: bytes, codings: list[str]) -> None:
    assert whole(encode(body, codings), codings) == body


def test_formats() -> None:
    assert gzip.decompress(encode(b"text", ["gzip"])) == b"text"
    assert zlib.decompress(encode(b"text", ["deflate"])) == b"text"
    assert gzip.decompress(zlib.decompress(encode(b"text", ["gzip", "deflate"]))) == b"text"


def test_unknown_codings_are_left_alone() -> None:
    assert whole(b"text", ["identity", "mine"]) == b"text"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_members(coding: str) -> None:
    assert whole(encode(b"one", [coding]) + encode(b"two", [coding]), [coding]) == b"onetwo"


@pytest.mark.parametrize(
    ("flags", "fields"),
    [(4, b"\x03\x00abc"), (8, b"name\0"), (16, b"words\0"), (2, b"\0\0"), (28, b"\0\0n\0w\0")],
)
def test_gzip_headers_with_everything(flags: int, fields: bytes) -> None:
    plain = encode(b"text", ["gzip"])
    packed = plain[:3] + bytes([flags]) + plain[4:10] + fields + plain[10:]
    assert whole(packed, ["gzip"]) == b"text"
    assert broken(packed[: 10 + len(fields) - 1], "gzip")[1].text == "unexpected EOF"


@pytest.mark.parametrize(
    ("coding", "reason"),
    [
        ("gzip", "gzip: invalid header"), ("deflate", "zlib: invalid header"),
        ("zstd", "invalid input: magic number mismatch"),
    ],
)  # fmt: skip
def test_what_is_no_such_coding(coding: str, reason: str) -> None:
    decoded, problem = broken(b"no such thing", coding)
    assert decoded == b""
    assert problem.is_known
    assert problem.text == f"error decompressing response body ({reason})"
    assert problem.message == f"error decompressing response body ({problem.text})"
    assert isinstance(problem, Undecodable) == (coding != "zstd")


def test_no_brotli() -> None:
    assert broken(b"\xff\xff no such thing", "br")[1].is_known


@pytest.mark.parametrize("coding", CODINGS)
def test_what_came_of_a_body_that_breaks_off(coding: str) -> None:
    body = b"".join(b"%d," % number for number in range(5000))
    decoded, problem = broken(encode(body, [coding])[:-3], coding)
    assert (problem.text, problem.is_known) == ("unexpected EOF", False)
    assert body.startswith(decoded)
    if coding != "zstd":  # its blocks come out whole
        assert len(decoded) > len(body) - 100


@pytest.mark.parametrize(
    ("coding", "text", "is_known"),
    [
        ("gzip", "error decompressing response body (EOF)", True),
        ("deflate", "error decompressing response body (unexpected EOF)", True),
        ("br", "unexpected EOF", False),
    ],
)
def test_nothing_at_all(coding: str, text: str, is_known: bool) -> None:
    decoded, problem = broken(b"", coding)
    assert (decoded, problem.text, problem.is_known) == (b"", text, is_known)


def test_corrupt_bodies_keep_what_came_before() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b"what came before") + packer.flush(zlib.Z_FULL_FLUSH)
    decoded, problem = broken(packed + b"\x07" * 20, "gzip")  # a block of a type that is none
    assert decoded == b"what came before"
    assert problem.text.startswith("flate: corrupt input before offset ")


@pytest.mark.parametrize(
    ("coding", "at", "reason"),
    [("gzip", -6, "gzip: invalid checksum"), ("deflate", -1, "zlib: invalid checksum")],
)
def test_wrong_checksums(coding: str, at: int, reason: str) -> None:
    body = bytearray(encode(b"text", [coding]))
    body[at] ^= 1
    decoded, problem = broken(bytes(body), coding)
    assert decoded == b"text"
    assert problem.text == f"error decompressing response body ({reason})"


@given(st.binary(min_size=1, max_size=60), st.sampled_from(CODINGS))
def test_nothing_is_raised_and_every_problem_has_a_text(body: bytes, coding: str) -> None:
    decoded, problem = decode(body, [coding], LIMIT)
    assert isinstance(decoded, bytes)
    assert problem is None or (problem.text and problem.message)


@pytest.mark.parametrize("coding", CODINGS)
def test_memory_is_bounded(coding: str) -> None:
    """64 MB of nothing, packed: no more than the limit and some pieces are ever there."""
    packed = encode(bytes(64 << 20), [coding])
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decode(packed, [coding], 4 << 20)
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", CODINGS)
def test_there_is_a_pause_between_pieces(coding: str) -> None:
    class Enough(Exception):
        pass

    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            raise Enough

    with pytest.raises(Enough):
        decode(encode(bytes(16 << 20), [coding]), [coding], 32 << 20, pause)
