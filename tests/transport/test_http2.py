"""HTTP/2 with a server that can break its rules: frames are written by hand where they are wrong."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from ngh2 import (
    Connection,
    DataReceived,
    NGH2Error,
    RequestReceived,
    Role,
    Setting,
)
from servers import drain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from http_sites import Authority, Http2Site

HEADERS, RST_STREAM, SETTINGS, GOAWAY = 1, 3, 4, 7


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


class Session:
    """One connection of the server."""

    def __init__(self, connection: Any) -> None:
        self.socket = connection
        self.protocol = Connection(Role.SERVER)
        self.protocol.initiate_connection({Setting.MAX_CONCURRENT_STREAMS: 100})
        self.fields: dict[int, list[tuple[str, str]]] = {}
        self.bodies: dict[int, bytes] = {}
        self.count = 0

    def flush(self, more: bytes = b"") -> None:
        self.socket.sendall(self.protocol.data_to_send() + more)

    def respond(
        self, stream: int, body: bytes = b"hi", *headers: tuple[bytes, bytes], end: bool = True
    ) -> None:
        fields = (
            headers
            if any(one[0] == b":status" for one in headers)
            else ((b":status", b"200"), *headers)
        )
        self.protocol.send_response(stream, fields, end_stream=end and not body)
        if body:
            self.protocol.send_data(stream, body, end_stream=end)

    def serve(self, answer: Callable[[Session, int, str], Any]) -> None:
        self.flush()
        while data := self.socket.recv(65536):
            self.protocol.receive_data(data)
            for event in self.protocol.events():
                if isinstance(event, RequestReceived):
                    stream = event.stream_id
                    self.fields[stream] = [(one[0].decode(), one[1].decode()) for one in event.headers]
                    self.bodies[stream] = b""
                elif isinstance(event, DataReceived):
                    self.bodies[event.stream_id] += event.data
                if getattr(event, "end_stream", False):
                    self.count += 1
                    path = dict(self.fields[event.stream_id])[":path"].strip("/")
                    if answer(self, event.stream_id, path) == "close":
                        return
            self.flush()


@pytest.fixture
def http2(authority: Authority) -> Iterator[Callable[..., Any]]:
    """Start a server that answers each request with `answer(session, stream, path)`: its URL."""
    listeners: list[socket.socket] = []

    def start(answer: Callable[[Session, int, str], Any]) -> str:
        context = authority.context("127.0.0.1")
        context.set_alpn_protocols(["h2"])
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def handle(connection: socket.socket) -> None:
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    Session(secured).serve(answer)
                    secured.shutdown(socket.SHUT_WR)
                    drain(secured)  # closed before all is read, it would be a reset
            except (OSError, NGH2Error):
                pass

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def browser(browse: Any) -> Any:
    return browse(insecure_skip_tls_verify=True)


def test_another_implementation(http2_site: Http2Site, browser: Any) -> None:
    exchange = browser.send(http2_site.url + "/x", method="POST", body=b"body", headers={"X-Y": "z"})
    assert exchange.failure is None
    assert (exchange.head.proto, exchange.head.status_text) == ("HTTP/2.0", "200 OK")
    assert exchange.head.headers["X-Two"] == ["a", "b"]
    assert exchange.body == b"2 POST /x body"


def test_http1_if_godebug_says_so(http2_site: Http2Site, browse: Any) -> None:
    browser = browse(insecure_skip_tls_verify=True, environment={"GODEBUG": "x=1,http2client=0"})
    assert browser.send(http2_site.url + "/").head.proto == "HTTP/1.1"


# -- requests ------------------------------------------------------------------------------------------


def echo(session: Session, stream: int, path: str) -> None:
    session.respond(stream, json.dumps([session.fields[stream], len(session.bodies[stream])]).encode())


def test_what_is_sent(http2: Any, browser: Any) -> None:
    headers = {
        "X-A": "1",
        "Connection": "close",
        "User-Agent": "me",
        "Host": "other.test",
        "Accept": "x",
    }
    exchange = browser.send(http2(echo) + "p?q", headers=headers, cookies="a=1; b=2")
    fields, size = json.loads(exchange.body)
    assert fields == [
        [":authority", "other.test"], [":method", "GET"], [":path", "/p?q"], [":scheme", "https"],
        ["user-agent", "me"], ["accept", "x"], ["x-a", "1"], ["cookie", "a=1"], ["cookie", "b=2"],
    ]  # fmt: skip
    assert size == 0


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, None),
        ("POST", None, "0"),
        ("POST", b"", None),
        ("POST", b"abc", "3"),
        ("DELETE", None, None),
    ],
)
def test_content_length(
    method: str, body: bytes | None, length: str | None, http2: Any, browser: Any
) -> None:
    fields, size = json.loads(browser.send(http2(echo), method=method, body=body).body)
    assert dict(fields).get("content-length") == length
    assert size == len(body or b"")


def test_bodies_larger_than_all_windows(http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> None:
        session.respond(stream, session.bodies[stream][::-1])

    body = bytes(range(256)) * 20480
    exchange = browser.send(http2(answer), method="POST", body=body)
    assert exchange.failure is None
    assert exchange.body == body[::-1]


def test_requests_share_a_connection(http2: Any, browser: Any) -> None:
    waiting: list[int] = []

    def answer(session: Session, stream: int, path: str) -> None:
        waiting.append(stream)
        if len(waiting) == 10:
            for one in reversed(waiting):
                session.respond(one, b"%d" % session.count)

    url = http2(
        lambda session, stream, path: session.respond(stream) if path else answer(session, stream, "")
    )
    assert browser.send(url + "first").body == b"hi"
    found = [gevent.spawn(browser.send, url) for _ in range(10)]
    gevent.joinall(found, raise_error=True)
    assert {one.value.body for one in found} == {b"11"}


# -- responses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text"), [(b"200", "200 OK"), (b"404", "404 Not Found"), (b"413", "413 Request Entity Too Large"),
                         (b"777", "777 "), (b"204", "204 No Content")]
)  # fmt: skip
def test_statuses(status: bytes, text: str, http2: Any, browser: Any) -> None:
    exchange = browser.send(
        http2(lambda session, stream, _: session.respond(stream, b"", (b":status", status)))
    )
    assert exchange.head.status_text == text
    assert exchange.body == b""


def test_interim_responses_and_trailers(http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> None:
        session.protocol.send_informational_response(stream, [(b":status", b"103"), (b"link", b"x")])
        session.respond(stream, b"hi", (b"x-a", "ü".encode()), end=False)
        session.protocol.send_trailers(stream, [(b"x-sum", b"9")])

    exchange = browser.send(http2(answer))
    assert exchange.failure is None
    assert (exchange.head.headers, exchange.body) == ({"X-A": ["ü"]}, b"hi")


def test_bodies_have_a_limit(http2: Any, browse: Any) -> None:
    browser = browse(insecure_skip_tls_verify=True, max_body=1000)
    url = http2(lambda session, stream, path: session.respond(stream, b"x" * int(path)))
    exchange = browser.send(url + "1001")
    assert "--max-body-size" in exchange.failure.message
    assert exchange.body is None
    assert browser.send(url + "1000").body == b"x" * 1000


# -- failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 2, 8, 11, 99])
@pytest.mark.parametrize("begins", [False, True])
def test_resets(code: int, begins: bool, http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> None:
        if path:
            session.respond(stream, b"%d" % session.count)
            return
        if begins:
            session.respond(stream, end=False)
        session.flush(frame(RST_STREAM, 0, stream, number(code)))

    url = http2(answer)
    exchange = browser.send(url)
    assert exchange.failure.code == (1631 + code if code < 14 else 1630)
    assert exchange.failure.message.startswith("http2: stream error with http2 ErrCode ")
    assert exchange.failure.of_request != begins
    assert exchange.body == (b"hi" if begins else b"")
    assert browser.send(url + "next").body == b"2"  # the others go on


@pytest.mark.slow
def test_what_the_server_has_not_processed_is_made_again(http2: Any, browser: Any) -> None:
    refused: list[int] = []

    def answer(session: Session, stream: int, path: str) -> None:
        if len(refused) < 2:
            refused.append(stream)
            session.flush(frame(RST_STREAM, 0, stream, number(7)))
        else:
            session.respond(stream, session.bodies[stream])

    assert browser.send(http2(answer), method="POST", body=b"again").body == b"again"
    assert len(refused) == 2


@pytest.mark.parametrize(
    ("code", "expected", "name"), [(0, 1611, "NO_ERROR"), (11, 1622, "ENHANCE_YOUR_CALM")]
)
def test_goaway(code: int, expected: int, name: str, http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> str:
        session.flush(frame(GOAWAY, 0, 0, number(stream) + number(code) + b"bye"))
        return "close"

    failure = browser.send(http2(answer)).failure
    assert (failure.code, failure.message) == (
        expected,
        f"http2: received GoAway with http2 ErrCode {name}",
    )
    assert f'ErrCode={name}, debug="bye"' in failure.text


def test_a_graceful_end(http2: Any, browser: Any) -> None:
    """Requests under way are answered; later requests use a new connection."""

    def answer(session: Session, stream: int, path: str) -> None:
        session.flush(frame(GOAWAY, 0, 0, number(stream) + number(0)))
        session.respond(stream, b"%d" % session.count)

    url = http2(answer)
    assert [browser.send(url).body for _ in range(3)] == [b"1", b"1", b"1"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "http2: frame too large"),
        (b"\xff" * 50, "http2: frame too large"),
        (
            frame(HEADERS, 4, 1, b"\0\xff\xff"),
            "http2: connection error with http2 ErrCode COMPRESSION_ERROR",
        ),
        (frame(SETTINGS, 0, 1), "http2: connection error with http2 ErrCode PROTOCOL_ERROR"),
        (frame(SETTINGS, 0, 0, b"x"), "http2: frame too large"),
        (frame(0, 1, 1, b"body"), "http2: connection error with http2 ErrCode PROTOCOL_ERROR"),
    ],
)
def test_broken_rules(data: bytes, message: str, http2: Any, browser: Any) -> None:
    broken: list[int] = []

    def answer(session: Session, stream: int, path: str) -> None:
        if broken:
            session.respond(stream)
        else:
            broken.append(stream)
            session.flush(data)

    url = http2(answer)
    assert browser.send(url).failure.message == message
    assert browser.send(url).body == b"hi"  # on a new connection


def test_a_connection_that_ends(http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> str:
        if path:
            session.respond(stream, end=False)
            session.flush()
        return "close"

    url = http2(answer)
    assert browser.failure(url)[:2] == (1000, "unexpected EOF")
    exchange = browser.send(url + "body")
    assert (exchange.failure.text, exchange.body) == ("unexpected EOF", b"hi")


def test_timeouts_end_one_stream(http2: Any, browser: Any) -> None:
    def answer(session: Session, stream: int, path: str) -> None:
        if path:
            session.respond(stream, b"%d" % session.count)
        else:
            session.respond(stream, b"so far", end=False)

    url = http2(answer)
    exchange = browser.send(url, timeout=1.5)
    assert (exchange.failure.code, exchange.body) == (1050, b"so far")
    assert browser.send(url + "next").body == b"2"
