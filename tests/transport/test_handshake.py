from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from gevent import socket
from hypothesis import given
from hypothesis import strategies as st
from servers import accept, drain, header, read_request

from jsrunner.transport.errors import DialError
from jsrunner.transport.handshake import (
    Answer,
    AnswerReader,
    accept_of,
    judge,
    new_key,
    read_body,
    request_parts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "ws://a.test:81/p?q#f"


def request(
    headers: dict[str, str], cookies: str = "", extensions: str = "", protocols: str | None = None
) -> tuple[bytes, str]:
    key = new_key()
    fields = tuple(headers.items())
    before, behind = request_parts(ADDRESS, fields, cookies, extensions, protocols)
    return before + key.encode() + behind, key


def lines_of(headers: dict[str, str], **more: str) -> list[str]:
    data, _ = request(headers, **more)
    head, end, rest = data.decode().partition("\r\n\r\n")
    assert (end, rest) == ("\r\n\r\n", "")
    return head.split("\r\n")


def test_request() -> None:
    first, *lines = lines_of({"User-Agent": "x", "x-own-header": "v"}, cookies="a=b", extensions="e")
    assert first == "GET /p?q HTTP/1.1"
    found = dict(line.split(": ", 1) for line in lines)
    assert len(found.pop("Sec-WebSocket-Key")) == 24
    assert found == {
        "Host": "a.test:81",
        "User-Agent": "x",
        "X-Own-Header": "v",
        "Cookie": "a=b",
        "Sec-WebSocket-Extensions": "e",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
    }


def test_the_order_of_header_fields() -> None:
    """Go writes its own fields first, the others by name; the protocol's name is gorilla's."""
    data, _ = request({"x-b": "2", "accept": "1"}, "a=b", "e", "one, two")
    names = [line.partition(":")[0] for line in data.decode().split("\r\n")[1:-2]]
    assert names == [
        "Host", "Accept", "Connection", "Cookie", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key",
        "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Upgrade", "X-B",
    ]  # fmt: skip


def test_own_headers_win() -> None:
    lines = lines_of({"User-Agent": "", "host": "other", "Cookie": "own=1"}, cookies="jar=1")
    assert "Host: other" in lines
    assert "Cookie: own=1" in lines
    assert not any("jar=1" in line or line.startswith("User-Agent") for line in lines)


@pytest.mark.parametrize(
    "name",
    ["Upgrade", "connection", "SEC-WEBSOCKET-KEY", "Sec-WebSocket-Version", "sec-websocket-extensions"],
)
def test_headers_that_are_the_handshakes_own(name: str) -> None:
    with pytest.raises(DialError, match="duplicate header not allowed: "):
        lines_of({name: "x"})


def test_header_cannot_smuggle_lines() -> None:
    assert "X-A: b  Evil: c" in lines_of({"X-A": "b\r\nEvil: c"})


def test_a_key_is_never_sent_twice() -> None:
    assert len({request({})[0] for _ in range(100)}) == 100


def test_the_answer_to_a_key() -> None:
    """The example of RFC 6455, section 1.3."""
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def ask(serve: Callable[..., Any], handle: Callable[[Any], Any]) -> tuple[Answer, bytes]:
    """Return the answer, and what has come behind an answer that upgrades."""
    data, key = request({})
    client = socket.create_connection(("127.0.0.1", serve(handle).port))
    client.sendall(data)
    reader = AnswerReader()
    try:
        while True:
            piece = client.recv(4096)
            if not piece:
                raise reader.break_off("unexpected EOF")
            read = reader.feed(piece)
            if read is not None:
                break
        answer = judge(read[0], key)
        if not answer.upgraded:
            answer.body = read_body(client, answer.head, read[1])
        return answer, read[1]
    finally:
        client.close()


def test_answer_and_the_first_frames(serve: Callable[..., Any]) -> None:
    def handle(connection: Any) -> None:
        accept(connection, rest=b"\x81\x00", extra="Set-Cookie: a=1\r\nset-cookie: b=2\r\nX: \t v \r\n")
        drain(connection)

    answer, rest = ask(serve, handle)
    assert answer.upgraded
    assert answer.status == 101
    assert rest == b"\x81\x00"
    assert answer.values("Set-Cookie") == ["a=1", "b=2"]
    assert answer.values("Missing") == []
    assert answer.joined["Set-Cookie"] == "a=1, b=2"
    assert answer.joined["X"] == "v"


def test_answer_in_single_bytes(serve: Callable[..., Any]) -> None:
    def handle(connection: Any) -> None:
        key = header(read_request(connection), "Sec-WebSocket-Key")
        assert key
        for byte in b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc":
            connection.sendall(bytes([byte]))
        drain(connection)

    answer, _ = ask(serve, handle)
    assert (answer.upgraded, answer.status, answer.body) == (False, 404, b"abc")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 5000", b"x" * 5000),
        (b"Transfer-Encoding: chunked", b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"),
        (b"X: y", b"x" * 5000),
    ],
)
def test_body_of_a_refusal_is_cut(serve: Callable[..., Any], head: bytes, body: bytes) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 400 Bad\r\n" + head + b"\r\n\r\n" + body)

    assert ask(serve, handle)[0].body == b"x" * 1024


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        b"HTTP/1.1 101 OK\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_answers_that_do_not_upgrade(serve: Callable[..., Any], answer: bytes) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(answer)

    assert not ask(serve, handle)[0].upgraded


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "unexpected EOF"),
        (b"HTTP/1.1", 'malformed HTTP response "HTTP/1.1"'),
        (b"HTTP/1.1 101 Switching Protocols\r\nA: b", "unexpected EOF"),
        (b"HELLO THERE\r\n\r\n", 'malformed HTTP status code "THERE"'),
        (b"HELLO\r\n", 'malformed HTTP response "HELLO"'),
        (b"HTTP/1.1 nonsense\r\n\r\n", 'malformed HTTP status code "nonsense"'),
        (b"HTTP/1.1 101 X\r\nno colon\r\n\r\n", 'malformed MIME header: missing colon: "no colon"'),
    ],
)
def test_what_is_no_answer(serve: Callable[..., Any], answer: bytes, text: str) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(answer)

    with pytest.raises(DialError) as caught:
        ask(serve, handle)
    assert str(caught.value) == text


def test_a_head_without_an_end(serve: Callable[..., Any]) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        while True:
            connection.sendall(b"X-Endless: " + b"x" * 65000 + b"\r\n")

    with pytest.raises(DialError) as caught:
        ask(serve, handle)
    assert str(caught.value) == "net/http: server response headers exceeded 10485760 bytes; aborted"


# -- anything at all ---------------------------------------------------------------------------------

#: Parts of answers, from which wrong ones are made.
PARTS = (
    b"HTTP/1.1 101 Switching Protocols\r\n", b"HTTP/1.1 403 No\r\n", b"HTTP/", b"101", b"\r\n", b"\n", b"\r",
    b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Content-Length: 5\r\n", b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n", b"Set-Cookie: a=b\r\n", b": ", b" folded\r\n", b"\x00", b"\xff", b"x",
    b"Sec-WebSocket-Extensions: permessage-deflate; a=\"\r\n", b"Sec-WebSocket-Accept: ", b"\x81\x05hello",
)  # fmt: skip
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: {}\r\nX-Other: 1\r\n\r\n\x81\x02hi"
)


def told(pieces: list[bytes], key: str) -> object:
    """Return the outcome of a response that arrives in these pieces."""
    reader = AnswerReader()
    for number, piece in enumerate(pieces):
        try:
            found = reader.feed(piece)
            if found is None:
                continue
            block, rest = found
            answer = judge(block, key)
        except DialError as error:
            return str(error)
        return answer.status, answer.joined, answer.upgraded, rest + b"".join(pieces[number + 1 :])
    return str(reader.break_off("EOF"))


@st.composite
def answers(draw: st.DrawFn, key: str) -> bytes:
    """Parts in any order, or the right answer with changes."""
    if draw(st.booleans()):
        return b"".join(draw(st.lists(st.sampled_from(PARTS), max_size=12)))
    data = ANSWER.replace(b"{}", accept_of(key))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 8))
        data = data[:at] + draw(st.sampled_from(PARTS) | st.binary(max_size=4)) + data[at + cut :]
    return data


KEY = new_key()


@given(answers(KEY), st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes_are_an_answer_or_an_error(data: bytes, cuts: list[int]) -> None:
    """The outcome does not depend on the pieces in which the bytes arrive."""
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[start:end] for start, end in itertools.pairwise(ends)]
    whole = told([data], KEY)
    in_pieces = told(pieces, KEY)
    if isinstance(whole, str):
        assert isinstance(in_pieces, str)
    else:
        assert in_pieces == whole
        assert isinstance(whole, tuple)
        if whole[2]:
            assert accept_of(KEY) in data


def test_the_right_answer_is_one() -> None:
    whole = told([ANSWER.replace(b"{}", accept_of(KEY))], KEY)
    assert isinstance(whole, tuple)
    assert (whole[0], whole[2], whole[3]) == (101, True, b"\x81\x02hi")
