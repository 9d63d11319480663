"""Heads of responses: what Go takes for one, and what not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.head import Heads, Malformed, head_of_http2, parse_head, read_head


def test_fields() -> None:
    head = parse_head(
        b"HTTP/1.1 404 Nothing Here\r\nx-two: a\r\nX-TWO:  b \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"
        b"Content-Encoding: gzip, br\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n"
    )
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
    assert head.lines.startswith("X-Two: a\r\nX-Two: b\r\n")


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (b"HTTP/1.0 200", 200, "200"),
        (b"HTTP/1.1 200 ", 200, "200 "),
        (b"HTTP/1.1   777 ", 777, "777 "),
        (b"HTTP/1.1 200 Fine", 200, "200 Fine"),
        (b"HTTP/1.1 200  two  spaces ", 200, "200  two  spaces "),
        (b"HTTP/1.1 +99 X", 99, "+99 X"),
        (b"HTTP/1.1 000", 0, "000"),
        ("HTTP/1.1 200 Größe".encode(), 200, "200 Größe"),
        (b"HTTP/1.1 200 \xff", 200, "200 \ufffd"),
        (b"HTTP/9.9 200 X", 200, "200 X"),
    ],
)
def test_status_lines(line: bytes, status: int, text: str) -> None:
    head = parse_head(line + b"\r\n\r\n")
    assert (head.status, head.status_text) == (status, text)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (b"hello", 'malformed HTTP response "hello"'),
        (b"", 'malformed HTTP response ""'),
        (b"HTTP/1.1", 'malformed HTTP response "HTTP/1.1"'),
        (b"HTTP/1.1 ", 'malformed HTTP status code ""'),
        (b"HTTP/1.1 20 OK", 'malformed HTTP status code "20"'),
        (b"HTTP/1.1 2000 OK", 'malformed HTTP status code "2000"'),
        (b"HTTP/1.1 2x0 OK", 'malformed HTTP status code "2x0"'),
        (b"HTTP/1.1 -99 OK", 'malformed HTTP status code "-99"'),
        (b"HTTP/1.1 200OK", 'malformed HTTP status code "200OK"'),
        (b"HTTP/2 200 OK", 'malformed HTTP version "HTTP/2"'),
        (b"http/1.1 200 OK", 'malformed HTTP version "http/1.1"'),
        (b"HTTP/1.10 200 OK", 'malformed HTTP version "HTTP/1.10"'),
        (b"HTTP/1.1 200 OK\r\nno colon", 'malformed MIME header: missing colon: "no colon"'),
        (b"HTTP/1.1 200 OK\r\n folded: x", "malformed MIME header initial line:  folded: x"),
        (b"HTTP/1.1 200 OK\r\n: x", "malformed MIME header line: : x"),
        (b"HTTP/1.1 200 OK\r\nA: x\0y", "malformed MIME header line: A: x\0y"),
        (b"HTTP/1.1 200 OK\r\nA(: x", "malformed MIME header line: A(: x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x", 'bad Content-Length "x"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1", 'bad Content-Length "-1"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +1", 'bad Content-Length "+1"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1", 'bad Content-Length "1, 1"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length:", 'invalid empty Content-Length ""'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 19, 'bad Content-Length "' + "9" * 19 + '"'),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000,
            'bad Content-Length "' + "9" * 5000 + '"',
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
            'http: message cannot contain multiple Content-Length headers; got ["1" "2"]',
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip", 'unsupported transfer encoding: "gzip"'),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: a\r\nTransfer-Encoding: b",
            'too many transfer encodings: ["a" "b"]',
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: content-length",
            'bad trailer key "Content-Length"',
        ),
    ],
)
def test_what_is_no_head(block: bytes, text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_head(block + b"\r\n\r\n")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("head", "method", "length", "is_chunked", "closes"),
    [
        (b"HTTP/1.1 200 X\r\nContent-Length: 0", "GET", 0, False, False),
        (b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 5", "GET", 5, False, False),
        (b"HTTP/1.1 200 X\r\nContent-Length: 5", "HEAD", 0, False, False),
        (b"HTTP/1.1 204 X\r\nContent-Length: 5", "GET", 0, False, False),
        (b"HTTP/1.1 304 X\r\nTransfer-Encoding: chunked", "GET", 0, False, False),
        (b"HTTP/1.1 200 X\r\nTransfer-Encoding: Chunked\r\nContent-Length: 5", "GET", None, True, False),
        (b"HTTP/1.0 200 X\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", "GET", 5, False, True),
        (b"HTTP/1.1 200 X", "GET", None, False, True),
        (b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nConnection: Foo, Close", "GET", 5, False, True),
        (b"HTTP/1.0 200 X\r\nContent-Length: 5\r\nConnection: keep-alive", "GET", 5, False, False),
        (b"HTTP/1.1 101 X", "GET", 0, False, True),
    ],
)  # fmt: skip
def test_where_the_body_ends(
    head: bytes, method: str, length: int | None, is_chunked: bool, closes: bool
) -> None:
    found = parse_head(head + b"\r\n\r\n", method)
    assert (found.length, found.is_chunked, found.closes) == (length, is_chunked, closes)


@pytest.mark.parametrize("step", [1, 7, 100])
@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\n\r\n"])
def test_heads_in_pieces(step: int, end: bytes) -> None:
    data = b"HTTP/1.1 200 OK\r\nA: b" + end + b"body"
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    read, at = read_head(lambda: pieces.pop(0), b"")
    assert read[:at] == data[:-4]
    assert data.startswith(read)
    assert parse_head(read[:at]).headers == {"A": ["b"]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "unexpected EOF"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "unexpected EOF"),
        (b"HTTP/1.1 200 OK\r\nA", 'malformed MIME header: missing colon: "A"'),
        (b"hello", 'malformed HTTP response "hello"'),
        (b"hello\nA: b", 'malformed HTTP response "hello"'),
    ],
)
def test_heads_that_break_off(data: bytes, text: str) -> None:
    pieces = [data, b""]
    with pytest.raises(Malformed) as caught:
        read_head(lambda: pieces.pop(0), b"")
    assert str(caught.value) == text


def test_what_is_no_head_is_refused_before_its_end() -> None:
    pieces = [b"SSH-2.0\r\n"]
    with pytest.raises(Malformed, match="malformed HTTP response"):
        read_head(lambda: pieces.pop(0), b"")


def test_heads_may_be_long_but_not_endless() -> None:
    given: list[int] = []
    line = b"X: " + b"x" * 65536 + b"\r\n"
    data, end = read_head(
        lambda: line if len(given) < 100 and not given.append(1) else b"\r\n", b"HTTP/1.1 200 OK\r\n"
    )
    assert end == len(data) > 6 << 20
    with pytest.raises(Malformed, match="exceeded 10485760 bytes; aborted"):
        read_head(lambda: line, b"HTTP/1.1 200 OK\r\n")


def test_http2() -> None:
    head = head_of_http2(413, [("x-two", "a"), ("x-two", "b")])
    assert (head.proto, head.status_text) == ("HTTP/2.0", "413 Request Entity Too Large")
    assert head.headers == {"X-Two": ["a", "b"]}
    assert head_of_http2(799, []).status_text == "799 "


@pytest.mark.parametrize(("status", "bodiless"), [(200, False), (204, True), (304, True), (404, False)])
def test_bodiless(status: int, bodiless: bool) -> None:
    head = parse_head(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert head.is_bodiless is bodiless


def test_folded_lines_and_odd_bytes() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nA: b\r\n  c \r\n\td\r\nB: \xc3\xbc\r\nC: \xff\r\n\r\n")
    assert head.headers == {"A": ["b c d"], "B": ["ü"], "C": ["\ufffd"]}


def test_no_cache() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nPragma: no-cache\r\n\r\n").headers["Cache-Control"] == [
        "no-cache"
    ]


@given(
    st.dictionaries(st.from_regex(r"[A-Z][a-z]{0,8}", fullmatch=True), st.text("abc;=, ü", max_size=9))
)
def test_values_come_back(fields: dict[str, str]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = parse_head(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode())
    expected = {name: [value.strip()] for name, value in fields.items() if name != "Trailer"}
    assert head.headers == expected


def test_heads_are_parsed_once() -> None:
    heads = Heads()
    block = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    assert heads.known.get((block, "GET")) is None
    head = heads.parse(block, "GET")
    assert heads.known.get((bytes(bytearray(block)), "GET")) is head
    assert heads.known.get((block, "HEAD")) is None
    for number in range(600):
        heads.parse(b"HTTP/1.1 200 OK\r\nA: %d\r\n\r\n" % number, "GET")
    assert heads.known.get((block, "GET")) is None  # it keeps so many and no more
