"""Requests to receivers of every kind."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from jsrunner.outputs.http import Poster, basic, context
from jsrunner.outputs.pusher import PushError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


def answering(answer: bytes, seen: list[bytes]) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        request = b""
        while not request.endswith(b"the body"):
            request += connection.recv(65536)
        seen.append(request)
        connection.sendall(answer)

    return handle


@pytest.mark.parametrize(
    ("answer", "error", "again"),
    [
        (b"400 Bad\r\nContent-Length: 5\r\n\r\nwrong", "the receiver answered 400 Bad: wrong", False),
        (b"503 Later\r\nContent-Length: 0\r\n\r\n", "the receiver answered 503 Later", True),
        (b"429 Slow\r\nContent-Length: 0\r\n\r\n", "the receiver answered 429 Slow", True),
        (
            b"302 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            "the receiver answered 302 There",
            False,
        ),
    ],
)
def test_what_is_no_success(serve: Callable[..., Any], answer: bytes, error: str, again: bool) -> None:
    seen: list[bytes] = []
    server = serve(answering(b"HTTP/1.1 " + answer, seen))
    with pytest.raises(PushError) as caught:
        Poster(headers={"X-One": "1"}, context=context()).post(
            f"http://127.0.0.1:{server.port}/p?q=1", b"the body"
        )
    assert (str(caught.value), caught.value.again) == (error, again)
    assert seen[0].startswith(b"POST /p?q=1 HTTP/1.1\r\n")
    assert b"\r\nX-One: 1\r\n" in seen[0]


def test_a_receiver_that_is_no_http_server(serve: Callable[..., Any]) -> None:
    server = serve(answering(b"hello\r\n\r\n", []))
    with pytest.raises(PushError):
        Poster(headers={}, context=context()).post(f"http://127.0.0.1:{server.port}/", b"the body")


def test_a_proxy_is_asked_for_the_receiver(serve: Callable[..., Any]) -> None:
    seen: list[bytes] = []
    server = serve(answering(b"HTTP/1.1 204 Fine\r\nContent-Length: 0\r\n\r\n", seen))
    poster = Poster(headers={}, context=context(), proxy=f"http://127.0.0.1:{server.port}")
    poster.post("http://receiver.invalid/write", b"the body")
    assert seen[0].startswith(b"POST http://receiver.invalid/write HTTP/1.1\r\n")


@pytest.mark.parametrize("insecure", [True, False])
def test_certificates_are_checked_unless_they_are_not_to_be(
    serve: Callable[..., Any], insecure: bool
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    seen: list[bytes] = []
    handle = answering(b"HTTP/1.1 204 Fine\r\nContent-Length: 0\r\n\r\n", seen)

    def secure(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) as wrapped:
                handle(wrapped)
        except ssl.SSLError:
            seen.append(b"refused")

    url = f"https://127.0.0.1:{serve(secure).port}/"
    poster = Poster(headers={}, context=context(insecure=insecure))
    if insecure:
        poster.post(url, b"the body")
        assert seen[0].startswith(b"POST / ")
    else:
        with pytest.raises(PushError, match="certificate verify failed"):
            poster.post(url, b"the body")


def test_basic_authorization() -> None:
    assert basic("me", "secret") == "Basic bWU6c2VjcmV0"
