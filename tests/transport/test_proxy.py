from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from gevent import socket
from servers import drain, read_request

from jsrunner.transport.errors import DialError
from jsrunner.transport.proxy import Proxies, split, tunnel

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = {"HTTP_PROXY": "http://plain:1", "https_proxy": "secure:2"}


@pytest.mark.parametrize(
    ("host", "secure", "exceptions", "expected"),
    [
        ("a.com", False, "", "http://plain:1"),
        ("a.com", True, "", "http://secure:2"),
        ("localhost", False, "", None),
        ("127.0.0.9", True, "", None),
        ("::1", True, "", None),
        ("10.0.0.1", False, "", "http://plain:1"),
        ("a.com", False, "*", None),
        ("a.com", False, "a.com", None),
        ("b.a.com", False, "a.com", None),
        ("ba.com", False, "a.com", "http://plain:1"),
        ("b.a.com", False, ".a.com", None),
        ("a.com", False, ".a.com", "http://plain:1"),
        ("b.a.com", False, "*.a.com", None),
        ("a.com", False, "x.com, a.com", None),
        ("a.com", False, "a.com:80", None),
        ("a.com", False, "a.com:81", "http://plain:1"),
        ("10.1.2.3", False, "10.0.0.0/8", None),
        ("11.1.2.3", False, "10.0.0.0/8", "http://plain:1"),
        ("10.1.2.3", False, "10.1.2.3", None),
        ("A.com.", False, "a.com", None),
    ],
)
def test_which_proxy(host: str, secure: bool, exceptions: str, expected: str | None) -> None:
    found = Proxies({**BOTH, "NO_PROXY": exceptions}).proxy_for(host, 80, secure=secure)
    assert found == expected


def test_no_proxy_without_the_variables() -> None:
    assert Proxies({}).proxy_for("a.com", 80, secure=False) is None


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://p:3128", ("p", 3128, "")),
        ("http://p", ("p", 80, "")),
        ("https://p", ("p", 443, "")),
        ("http://u:a%40b@p:1", ("p", 1, "Basic " + base64.b64encode(b"u:a@b").decode())),
        ("http://u@p:1", ("p", 1, "Basic " + base64.b64encode(b"u:").decode())),
        ("http://[::1]:8", ("::1", 8, "")),
    ],
)
def test_split(proxy: str, expected: tuple[str, int, str]) -> None:
    assert split(proxy) == expected


def ask(serve: Callable[..., Any], answer: bytes, host: str = "target") -> tuple[list[bytes], Any]:
    requests: list[bytes] = []

    def handle(connection: Any) -> None:
        requests.append(read_request(connection))
        connection.sendall(answer)
        if b" 200 " in answer:
            drain(connection)

    server = serve(handle)
    client = socket.create_connection(("127.0.0.1", server.port))
    try:
        tunnel(client, host, 99, "Basic eA==")
    finally:
        client.close()
    return requests, client


def test_tunnel(serve: Callable[..., Any]) -> None:
    requests, _ = ask(serve, b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", "::1")
    assert requests == [
        b"CONNECT [::1]:99 HTTP/1.1\r\nHost: [::1]:99\r\nProxy-Authorization: Basic eA==\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "Bad"),
        (b"HTTP/1.1 407\r\n\r\n", "407"),
        (b"HTTP/1.1 200 OK\r\n", "unexpected EOF"),
        (b"", "unexpected EOF"),
    ],
)
def test_refused_tunnel(serve: Callable[..., Any], answer: bytes, text: str) -> None:
    def handle(connection: Any) -> None:
        read_request(connection)
        connection.sendall(answer)

    client = socket.create_connection(("127.0.0.1", serve(handle).port))
    with pytest.raises(DialError) as caught:
        tunnel(client, "target", 99, "")
    client.close()
    assert str(caught.value) == text
