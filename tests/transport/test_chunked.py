"""The chunked transfer coding: what is accepted, however it is cut, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.chunked import ChunkedBody
from jsrunner.transport.head import Malformed


def decoded(data: bytes, *cuts: int) -> tuple[bytes, ChunkedBody]:
    chunks, body = ChunkedBody(), b""
    ends = [*sorted(cuts), len(data)]
    for start, end in zip([0, *ends], ends, strict=False):
        body += b"".join(chunks.feed(data[start:end]))
    return body, chunks


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.integers(0, 200), max_size=6),
    st.sampled_from([b"", b"X-Sum: 9\r\nOther: x\r\n"]),
    st.sampled_from([b"", b" ", b";name=value", b"; a"]),
)
def test_pieces_however_they_come(
    pieces: list[bytes], cuts: list[int], trailer: bytes, extension: bytes
) -> None:
    data = b"".join(b"%x%b\r\n%b\r\n" % (len(one), extension, one) for one in pieces)
    data += b"0\r\n" + trailer + b"\r\n" + b"rest"
    body, chunks = decoded(data, *(min(one, len(data) - 4) for one in cuts))
    assert body == b"".join(pieces)
    assert chunks.is_complete
    assert chunks.rest == b"rest"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"zz\r\n", "invalid byte in chunk length"),
        (b"-1\r\n", "invalid byte in chunk length"),
        (b"\r\n", "empty hex number for chunk length"),
        (b";a\r\n", "empty hex number for chunk length"),
        (b"0" * 17 + b"\r\n", "http chunk length too large"),
        (b"1\n", "chunked line ends with bare LF"),
        (b"1\r \r\n", "invalid CR in chunked line"),
        (b"1" + b" " * 5000, "header line too long"),
        (b"1\r\nab\r\n", "malformed chunked encoding"),
        (b"0\r\nno colon\r\n\r\n", 'malformed MIME header: missing colon: "no colon"'),
        (b"0\r\nA: " + b"x" * 5000, "http: suspiciously long trailer after chunked body"),
        (b"1;" + b"x" * 3000 + b"\r\na\r\n", None),
        (b"".join([b"1;" + b"x" * 3000 + b"\r\na\r\n"] * 6), "chunked encoding contains too much non-data"),
    ],
)  # fmt: skip
def test_what_is_no_chunk(data: bytes, text: str | None) -> None:
    if text is None:
        decoded(data)
        return
    with pytest.raises(Malformed) as caught:
        decoded(data)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("data", "body", "text"),
    [
        (b"", b"", "unexpected EOF"),
        (b"5\r\nab", b"ab", "unexpected EOF"),
        (b"2\r\nab\r\n", b"ab", "unexpected EOF"),
        (b"2\r\nab\r\n0\r\n", b"ab", "http: unexpected EOF reading trailer"),
        (b"0\r\nA: b\r\n", b"", "http: suspiciously long trailer after chunked body"),
    ],
)
def test_bodies_that_break_off(data: bytes, body: bytes, text: str) -> None:
    found, chunks = decoded(data)
    assert found == body
    assert not chunks.is_complete
    assert str(chunks.end()) == text
