"""Handshakes that fail, of TLS and of WebSockets: what is said of them. The texts were recorded with k6."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from certificates import DAY, NOW, issue
from servers import accept, accept_answer, drain, frame, read_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process
    from servers import Server

    Run = Callable[..., Process]
    Serve = Callable[[Callable[[socket.socket], Any]], Server]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def test_failures_of_tls_by_kind(run: Run, serve: Serve, tmp_path: Path) -> None:
    root = issue(is_authority=True, common_name="root")
    trusted = tmp_path / "root.pem"
    trusted.write_bytes(root.pem)

    def secure(certificate: Any) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure(context, tmp_path)

        def answer(connection: socket.socket) -> None:
            with (
                contextlib.suppress(ssl.SSLError),
                context.wrap_socket(connection, server_side=True) as secured,
            ):
                read_request(secured)
                secured.sendall(OK)

        return f"https://a.test:{serve(answer).port}/"

    def plain(connection: socket.socket) -> None:
        connection.recv(5)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    urls = [
        secure(issue(["a.test"], by=root)),
        secure(issue(["a.test"])),
        secure(issue(["b.test"], by=root)),
        secure(issue(["a.test"], by=root, begins=NOW - 2 * DAY, ends=NOW - DAY)),
        secure(issue([], by=root, common_name="a.test")),
        f"https://127.0.0.1:{serve(plain).port}/",
    ]
    done = run(
        """
        import http from 'k6/http';
        export const options = { hosts: { '*.test': '127.0.0.1' } };
        export default function () {
          for (const url of JSON.parse(__ENV.URLS)) {
            const { error, error_code, body } = http.get(url);
            console.log(JSON.stringify([error_code, error || body]));
          }
        }""",
        "-e",
        f"URLS={json.dumps(urls)}",
        env={"SSL_CERT_FILE": str(trusted)},
    )
    found = [json.loads(text) for text in done.messages("info")]
    expired = found.pop(3)
    assert found == [
        [0, "hi"],
        [1310, "x509: unknown authority"],
        [1311, "x509: certificate doesn't match hostname"],
        [1311, "x509: certificate doesn't match hostname"],
        [1301, "tls: first record does not look like a TLS handshake"],
    ]
    assert expired[0] == 1000
    assert expired[1].startswith("x509: certificate has expired or is not yet valid: current time ")


def test_the_log_names_the_missing_name(run: Run, serve: Serve, tmp_path: Path) -> None:
    root = issue(is_authority=True, common_name="root")
    (tmp_path / "root.pem").write_bytes(root.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issue(["b.test", "c.test"], by=root).configure(context, tmp_path)

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            context.wrap_socket(connection, server_side=True).close()

    port = serve(answer).port
    done = run(
        f"""
        import http from 'k6/http';
        import ws from 'k6/ws';
        export const options = {{ hosts: {{ '*.test': '127.0.0.1' }} }};
        export default function () {{
          http.get('https://a.test:{port}/');
          console.log(ws.connect('wss://a.test:{port}/', () => {{}}).error);
        }}""",
        env={"SSL_CERT_FILE": str(tmp_path / "root.pem")},
    )
    reason = (
        "tls: failed to verify certificate: x509: certificate is valid for b.test, c.test, not a.test"
    )
    assert done.messages("info")[0] == reason
    [warning] = [one for one in done.records() if one["msg"] == "Request Failed"]
    assert warning["error"] == f'Get "https://a.test:{port}/": {reason}'


def test_extensions_that_cannot_be_accepted(run: Run, serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        accept(connection, extra="Sec-WebSocket-Extensions: permessage-deflate\r\nX-Mine: 1\r\n")
        drain(connection)

    script = """
        import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export default function () {
          try {
            const { status, headers } = ws.connect(__ENV.URL, () => console.log('connected'));
            console.log(status, headers['X-Mine']);
          } catch (error) {
            console.log(error);
          }
          new WebSocket(__ENV.URL).onerror = (event) => console.log(event.error);
        }"""
    text = "websocket: invalid compression negotiation"
    for flags, said in (((), "101 1"), (("--throw",), f"GoError: {text}")):
        done = run(script, "-e", f"URL={serve(answer).url}", *flags)
        assert done.code == 0
        assert [one["msg"] for one in done.records() if one.get("source") == "console"] == [said, text]


def _changed(data: bytes, random: Random) -> bytes:
    """An answer with a few other bytes, more or less of them, or cut off."""
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(data) + 1)
        piece = random.choice(
            [b"", b"\r\n", b"\n", b": ", b"\x00", random.randbytes(random.randrange(1, 9))]
        )
        data = data[:at] + piece + data[at + random.randrange(9) :]
    return data[: random.randrange(len(data))] if random.random() < 0.1 else data


@pytest.mark.parametrize("module", ["ws", "websockets"])
def test_answers_that_are_nearly_right(run: Run, serve: Serve, module: str) -> None:
    """Between right ones, which the core knows by then: each iteration ends with an outcome.

    What is right beside a change is open, and closed with the connection.
    """
    random = Random()
    seed = random.getrandbits(64)
    random.seed(seed)
    count = [0]

    def answer(connection: socket.socket) -> None:
        count[0] += 1
        request = read_request(connection)
        data = accept_answer(request, rest=frame(b"hello") + frame(b"\x03\xe8", 8))
        connection.sendall(data if count[0] % 3 else _changed(data, random))
        connection.shutdown(socket.SHUT_WR)
        drain(connection)

    done = run(
        """
        import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export const options = { vus: 1, iterations: 300 };
        export default function () {
          if (__ENV.MODULE === 'ws') {
            let events = 0;
            const { error } = ws.connect(__ENV.URL, (socket) => {
              socket.on('close', () => { events += 1; });
              socket.on('error', () => { events += 1; });
            });
            console.log('ended', events > 0 || error !== undefined);
          } else {
            new WebSocket(__ENV.URL).onclose = () => console.log('ended', true);
          }
        }""",
        "-e",
        f"URL={serve(answer).url}",
        "-e",
        f"MODULE={module}",
    )
    assert done.code == 0, seed
    assert done.messages("info").count("ended true") == 300, seed
    assert not done.said("jsrunner:"), seed


def test_heads_without_end(run: Run, serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"X-Endless: " + b"x" * 65000 + b"\r\n")

    done = run(
        """
        import ws from 'k6/ws';
        export default function () { console.log(ws.connect(__ENV.URL, () => {}).error); }""",
        "-e",
        f"URL={serve(answer).url}",
    )
    [text, *_] = done.messages("info")
    assert text == "net/http: server response headers exceeded 10485760 bytes; aborted"
