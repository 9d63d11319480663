"""HTTP/1.1 with servers that break the rules, and with servers that use rare features."""

from __future__ import annotations

import contextlib
import socket
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from browser import OK, replying, url_of
from servers import drain, read_request
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = "net/http: HTTP/1.x transport connection broken: "
FINE = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("data", "message", "text"),
    [
        (b"", "EOF", 'Get "URL": EOF'),
        (FINE + b"Content-Le", 'malformed MIME header: missing colon: "Content-Le"',
         f'Get "URL": {BROKEN}malformed MIME header: missing colon: "Content-Le"'),
        (FINE + b"A: b", "unexpected EOF", f'Get "URL": {BROKEN}unexpected EOF'),
        (FINE + b"Content-Length: 9\r\n\r\nhi", "unexpected EOF", "unexpected EOF"),
        (b"hello there\r\n\r\n", 'malformed HTTP status code "there"',
         f'Get "URL": {BROKEN}malformed HTTP status code "there"'),
        (FINE + b"no colon\r\n\r\n", 'malformed MIME header: missing colon: "no colon"',
         f'Get "URL": {BROKEN}malformed MIME header: missing colon: "no colon"'),
        (FINE + b"Content-Length: -1\r\n\r\n", 'bad Content-Length "-1"',
         f'Get "URL": {BROKEN}bad Content-Length "-1"'),
        (FINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "invalid byte in chunk length",
         "invalid byte in chunk length"),
        (FINE + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "unexpected EOF", "unexpected EOF"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "unexpected EOF", f'Get "URL": {BROKEN}unexpected EOF'),
    ],
)  # fmt: skip
def test_answers_that_are_none(data: bytes, message: str, text: str, serve: Any, browse: Any) -> None:
    url = url_of(serve(replying(data)))
    assert browse().failure(url) == (1000, message, text.replace("URL", url))


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (b"Content-Length: 0", b"", b""),
        (b"Content-Length: 0", b"surplus", b""),
        (b"Content-Length: 2", b"hi and more", b"hi"),
        (b"X: y", b"until the end", b"until the end"),
        (b"Transfer-Encoding: chunked", b"2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nX-Sum: 9\r\n\r\n", b"hi!"),
        (b"Transfer-Encoding: chunked", b"0\r\n\r\n", b""),
    ],
)
def test_bodies(head: bytes, body: bytes, expected: bytes, serve: Any, browse: Any) -> None:
    exchange = browse().send(url_of(serve(replying(FINE + head + b"\r\n\r\n" + body))))
    assert exchange.failure is None
    assert exchange.body == expected


@pytest.mark.parametrize("ending", [b"\r\n\r\n", b"\n\n"])
def test_answers_in_single_bytes(ending: bytes, serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_request(connection)
        data = b"HTTP/1.1 103 Early Hints" + ending + b"HTTP/1.1 201 Made\r\nContent-Length: 2" + ending
        for byte in data + b"hi":
            connection.sendall(bytes((byte,)))

    exchange = browse().send(url_of(serve(answer)))
    assert exchange.failure is None
    assert (exchange.head.status_text, exchange.body) == ("201 Made", b"hi")


def test_what_came_of_a_body_can_be_read(serve: Any, browse: Any) -> None:
    def hanging(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(FINE + b"Content-Length: 9\r\n\r\nhi")
        drain(connection)

    for handle in (hanging, replying(FINE + b"Content-Length: 9\r\n\r\nhi")):
        exchange = browse().send(url_of(serve(handle)), timeout=1.0)
        assert exchange.failure is not None
        assert exchange.body == b"hi"


@pytest.mark.parametrize("before", [b"", FINE + b"Content-Length: 9\r\n\r\nhi"])
def test_a_reset_names_both_ends(before: bytes, serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(before)
        gevent.sleep(0.05)  # the client reads first
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    server = serve(answer)
    code, message, text = browse().failure(url_of(server))
    assert (code, message) == (1220, "read: connection reset by peer")
    assert text.endswith(f"->127.0.0.1:{server.port}: read: connection reset by peer")
    assert text.startswith("read tcp 127.0.0.1:" if before else 'Get "http://127.0.0.1:')


# -- what does not end ---------------------------------------------------------------------------------


def flooding(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that answers with this head, then with the piece again and again."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(piece)

    return answer


ENDLESS = [
    (FINE + b"X: y\r\n\r\n", b"x" * 65536),
    (FINE + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
    (FINE + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nxx\r\n" * 8192),
]


@pytest.mark.slow
@pytest.mark.parametrize(("head", "piece"), ENDLESS)
def test_bodies_have_a_limit(head: bytes, piece: bytes, serve: Any, browse: Any) -> None:
    url = url_of(serve(flooding(head, piece)))
    browser = browse(max_body=100_000)
    tracemalloc.start()
    try:
        exchange = browser.send(url)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert exchange.failure.code == 1000
    assert exchange.failure.message.startswith("the response body has more than 100000 bytes: raise ")
    assert "--max-body-size" in exchange.failure.message
    assert exchange.body is None


@pytest.mark.parametrize(("head", "piece"), ENDLESS)
def test_endless_bodies_that_nobody_reads_time_out(
    head: bytes, piece: bytes, serve: Any, browse: Any
) -> None:
    exchange = browse(max_body=1 << 20).send(
        url_of(serve(flooding(head, piece))), timeout=0.3, discard=True
    )
    assert (exchange.failure.code, exchange.failure.text) == (1050, "request timeout")


@pytest.mark.slow
def test_others_have_their_turn_meanwhile(site: Any, serve: Any, browse: Any) -> None:
    browser = browse()
    flood = gevent.spawn(browser.send, url_of(serve(flooding(*ENDLESS[0]))), timeout=1.0, discard=True)
    for _ in range(5):
        assert browser.send(site.http + "/status/200").failure is None
    assert flood.get().failure.code == 1050


def test_heads_may_have_10_mb(serve: Any, browse: Any) -> None:
    line = b"X-Long: " + b"x" * 65000 + b"\r\n"
    server = serve(replying(FINE + line * 150 + b"Content-Length: 2\r\n\r\nhi"))
    exchange = browse().send(url_of(server))
    assert exchange.failure is None
    assert len(exchange.head.headers["X-Long"]) == 150
    text = "net/http: server response headers exceeded 10485760 bytes; aborted"
    assert browse().failure(url_of(serve(flooding(FINE, line))))[:2] == (1000, text)
    assert browse().failure(url_of(serve(flooding(FINE, b"x" * 65536))))[:2] == (1000, text)


# -- requests ------------------------------------------------------------------------------------------


def test_an_answer_before_the_request_has_gone_out(serve: Any, browse: Any) -> None:
    """The server answers the head and reads no further: the answer counts, the connection does not."""

    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        drain(connection)

    server = serve(answer)
    browser = browse()
    for number in range(2):
        exchange = browser.send(url_of(server), method="POST", body=b"x" * (32 << 20))
        assert exchange.failure is None
        assert (exchange.head.status, exchange.body) == (413, b"no")
        assert server.accepted == number + 1


def test_a_server_that_does_not_read(serve: Any, browse: Any) -> None:
    release = gevent.event.Event()

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.recv(1)
            while not release.is_set():
                gevent.sleep(0.01)

    exchange = browse().send(url_of(serve(answer)), method="POST", body=b"x" * (32 << 20), timeout=0.3)
    release.set()
    assert exchange.failure.code == 1050


def test_an_answer_to_nothing_ends_the_connection(serve: Any, browse: Any) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        gevent.sleep(0.05)  # the client reads the first response
        connection.sendall(OK)
        drain(connection)

    server = serve(answer)
    browser = browse()
    assert browser.send(url_of(server)).body == b"hi"
    with gevent.Timeout(DEADLINE):
        while server.open:
            gevent.sleep(0.001)
    assert browser.send(url_of(server)).body == b"hi"
    assert server.accepted == 2
