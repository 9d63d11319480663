"""Heads of responses, as libcurl hands them over."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.head import Heads, parse_head


def test_fields() -> None:
    head = parse_head(
        b"HTTP/1.1 404 Nothing Here\r\nx-two: a\r\nX-TWO:  b \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"
        b"Content-Encoding: gzip, br\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n"
    )
    assert head is not None
    assert (head.proto, head.status, head.status_text, head.reason) == (
        "HTTP/1.1", 404, "404 Nothing Here", "Nothing Here",
    )  # fmt: skip
    assert head.headers["X-Two"] == ["a", "b"]
    assert head.headers["X-Empty"] == [""]
    assert "Transfer-Encoding" not in head.headers
    assert head.set_cookies == ["a=1", "b=2"]
    assert head.encodings == ["gzip", "br"]
    assert head.location == "/x"
    assert not head.is_bodiless
    status_text, proto, headers = json.loads(b"[%b]" % head.json)
    assert (status_text, proto) == ("404 Nothing Here", "HTTP/1.1")
    assert json.loads(headers)["X-Two"] == "a, b"


@pytest.mark.parametrize(
    ("block", "status", "text"),
    [
        (b"HTTP/2 200\r\n\r\n", 200, "200 OK"),
        (b"HTTP/2 413\r\n\r\n", 413, "413 Request Entity Too Large"),
        (b"HTTP/2 799\r\n\r\n", 799, "799"),
        (b"HTTP/1.0 200\r\n\r\n", 200, "200"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\n", 201, "201 Created"),
        (b"HTTP/1.1 200 Fine\r\n\r\nX-Sum: 9\r\n", 200, "200 Fine"),
        (b"HTTP/1.1 200 Fine\r\n\r\nX-Sum: 9\r\n\r\n", 200, "200 Fine"),
        (b"HTTP/1.1 200 Fine\nA: b\n\n", 200, "200 Fine"),
    ],
)
def test_status_lines(block: bytes, status: int, text: str) -> None:
    head = parse_head(block)
    assert head is not None
    assert (head.status, head.status_text) == (status, text)


@pytest.mark.parametrize(
    "block", [b"", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"]
)
def test_a_head_that_is_not_there_whole(block: bytes) -> None:
    assert parse_head(block) is None


@pytest.mark.parametrize(("status", "bodiless"), [(200, False), (204, True), (304, True), (404, False)])
def test_bodiless(status: int, bodiless: bool) -> None:
    head = parse_head(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert head is not None
    assert head.is_bodiless is bodiless


def test_folded_lines_and_odd_bytes() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\nnonsense\r\nB: \xc3\xbc\r\nC: \xff\r\n\r\n")
    assert head is not None
    assert head.headers == {"A": ["b c"], "B": ["ü"], "C": ["\ufffd"]}


@given(
    st.dictionaries(st.from_regex(r"[A-Z][a-z]{0,8}", fullmatch=True), st.text("abc;=, ü", max_size=9))
)
def test_values_come_back(fields: dict[str, str]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = parse_head(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode())
    assert head is not None
    expected = {name: [value.strip()] for name, value in fields.items() if name != "Trailer"}
    assert head.headers == expected


def test_heads_are_parsed_once() -> None:
    heads = Heads()
    block = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    assert heads.find(block) is heads.find(bytes(bytearray(block)))
    first = heads.find(block)
    for number in range(600):
        heads.find(b"HTTP/1.1 200 OK\r\nA: %d\r\n\r\n" % number)
    assert heads.find(block) is not first  # it keeps so many and no more
