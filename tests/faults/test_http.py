"""HTTP that is hostile, from servers and from scripts: an error of that request, and the run goes on.

What k6 has no case of (its limits are the machine's) is said so; all other texts were recorded with k6.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import zlib
from typing import TYPE_CHECKING, Any

import brotli
import pytest
import zstandard
from running import memory
from servers import header, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from running import Process
    from servers import Server

    Run = Callable[..., Process]
    Serve = Callable[[Callable[[socket.socket], Any]], Server]

FINE = b"HTTP/1.1 200 OK\r\n"

GET_ALL = """
import http from 'k6/http';
export const options = { insecureSkipTLSVerify: __ENV.TRUST === '1', hosts: { '*.test': '127.0.0.1' } };
export default function () {
  for (const url of JSON.parse(__ENV.URLS)) {
    const { status, status_text, error, error_code, body } = http.get(url, { timeout: __ENV.TIMEOUT ?? '10s' });
    console.log(JSON.stringify([status, status_text, error, error_code, body]));
  }
}
"""


def get_all(
    run: Run, *urls: str, env: dict[str, str] | None = None, **variables: str
) -> list[list[Any]]:
    """[status, status_text, error, error_code, body] of each URL; nothing else is said of them."""
    given = [f"{name}={value}" for name, value in {"URLS": json.dumps(urls), **variables}.items()]
    flags = [flag for one in given for flag in ("-e", one)]
    done = run(GET_ALL, *flags, env=env)
    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.messages("error") == []
    return [json.loads(text) for text in done.messages("info")]


def by_path(answers: dict[str, bytes]) -> Callable[[socket.socket], None]:
    """Return a handler that answers `/name` with the bytes of that name, then closes."""

    def answer(connection: socket.socket) -> None:
        path = read_request(connection).split()[1].decode().strip("/")
        connection.sendall(answers[path])

    return answer


def test_answers_that_are_none(run: Run, serve: Serve) -> None:
    answers = {
        "nothing": b"",
        "words": b"hello\r\n\r\n",
        "short-code": b"HTTP/1.1 20 OK\r\n\r\n",
        "version": b"HTTP/2 200 OK\r\n\r\n",
        "no-colon": FINE + b"no colon\r\n\r\n",
        "negative": FINE + b"Content-Length: -5\r\n\r\nhello",
        "no-number": FINE + b"Content-Length: 5x\r\n\r\nhello",
        "two-lengths": FINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "same-lengths": FINE + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "too-short": FINE + b"Content-Length: 9\r\n\r\nhello",
        "chunks": FINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
        "blank": b"HTTP/1.1 777 \r\nContent-Length: 0\r\n\r\n",
        "no-phrase": b"HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
    }
    url = f"http://127.0.0.1:{serve(by_path(answers)).port}/"
    found = dict(zip(answers, get_all(run, *(url + name for name in answers)), strict=True))
    assert found == {
        "nothing": [0, "", "EOF", 1000, None],
        "words": [0, "", 'malformed HTTP response "hello"', 1000, None],
        "short-code": [0, "", 'malformed HTTP status code "20"', 1000, None],
        "version": [0, "", 'malformed HTTP version "HTTP/2"', 1000, None],
        "no-colon": [0, "", 'malformed MIME header: missing colon: "no colon"', 1000, None],
        "negative": [0, "", 'bad Content-Length "-5"', 1000, None],
        "no-number": [0, "", 'bad Content-Length "5x"', 1000, None],
        "two-lengths": [
            0, "", 'http: message cannot contain multiple Content-Length headers; got ["5" "6"]', 1000, None,
        ],
        "same-lengths": [200, "200 OK", "", 0, "hello"],
        "too-short": [0, "", "unexpected EOF", 1000, "hello"],
        "chunks": [0, "", "invalid byte in chunk length", 1000, "hello"],
        "blank": [777, "777 ", "", 1777, ""],
        "no-phrase": [299, "299", "", 0, ""],
    }  # fmt: skip


def test_urls_that_lead_nowhere(run: Run) -> None:
    long = "x" * 300
    found = get_all(
        run,
        "http://127.0.0.1:99999/",
        "http://a.test:99999/",
        "http://127.0.0.1:1/",
        f"http://{long}/",
        "http://\ud800.invalid/",
        "http://a..b/",
        "ftp://a.test/",
        "http://",
    )
    assert [(error, code) for _, _, error, code, _ in found] == [
        ("dial tcp: address 99999: invalid port", 1210),
        ("dial tcp: address 99999: invalid port", 1210),
        ("dial: connection refused", 1212),
        ("lookup: no such host", 1101),
        ("lookup: no such host", 1101),
        ("lookup: no such host", 1101),
        ('unsupported protocol scheme "ftp"', 1000),
        ("http: no Host in request URL", 1000),
    ]


def test_sockets_to_urls_that_lead_nowhere(run: Run) -> None:
    urls = ["ws://127.0.0.1:99999/", f"ws://{'x' * 300}/", "ws://\ud800.test/", "ws://a..b/"]
    done = run(
        """
        import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export default function () {
          for (const url of JSON.parse(__ENV.URLS)) {
            console.log('ws', ws.connect(url, () => {}).error);
            new WebSocket(url).onerror = (event) => console.log('websockets', event.error);
          }
        }""",
        "-e",
        f"URLS={json.dumps(urls)}",
    )
    assert done.code == 0
    assert "Traceback" not in done.stderr
    said = [one["msg"] for one in done.records() if one.get("source") == "console"]
    for module in ("ws", "websockets"):
        texts = [text.removeprefix(f"{module} ") for text in said if text.startswith(f"{module} ")]
        assert texts[0] == "dial tcp: address 99999: invalid port"
        assert all(text.startswith("lookup ") and text.endswith(": no such host") for text in texts[1:])
        assert len(texts) == len(urls)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("{ timeout: 1e30 }", "request timeout"),
        ("{ timeout: '1e30' }", "request timeout"),
        ("{ timeout: -1 }", "request timeout"),
        ("{ timeout: NaN }", "request timeout"),
        ("{ timeout: 1e12 }", "dial: connection refused"),
        ("{ timeout: 'x' }", 'invalid timeout value: time: invalid duration "x"'),
        (
            "{ timeout: {} }",
            "invalid timeout value: unable to use type map[string]interface {} as a duration value",
        ),
    ],
)
def test_timeouts_beyond_all_bounds(given: str, error: str, run: Run) -> None:
    done = run(
        f"""
        import http from 'k6/http';
        export default function () {{ console.log(http.get('http://127.0.0.1:1/', {given}).error); }}"""
    )
    assert done.code == 0
    assert done.messages("info") == [error]


def test_methods_that_are_none(run: Run) -> None:
    done = run(
        """
        import http from 'k6/http';
        export default function () {
          for (const method of ['G T', 'G\\nT', 'GÉT', '\\ud800']) {
            console.log(http.request(method, 'http://127.0.0.1:1/').error);
          }
        }"""
    )
    assert done.code == 0
    assert done.messages("info") == [
        'net/http: invalid method "G T"', 'net/http: invalid method "G\\nT"', 'net/http: invalid method "GÉT"',
        'net/http: invalid method "�"',
    ]  # fmt: skip


# -- bodies ---------------------------------------------------------------------------------------------


BOMB = bytes(1 << 30)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6),
    "deflate": lambda data: zlib.compress(data, 6),
    "br": lambda data: brotli.compress(data, quality=3),
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", PACKERS)
def test_bombs(coding: str, run: Run, serve: Serve) -> None:
    """A gigabyte of nothing, packed. The limit is ours, and so is its text."""
    packed = PACKERS[coding](BOMB)
    head = FINE + f"Content-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    server = serve(by_path({"": head + packed, "next": FINE + b"Content-Length: 2\r\n\r\nhi"}))
    url = f"http://127.0.0.1:{server.port}/"
    bomb, after = get_all(run, url, url + "next", env={"JSRUNNER_MAX_BODY_SIZE": "4MiB"}, TIMEOUT="60s")
    assert bomb == [0, "", bomb[2], 1000, None]
    assert bomb[2].startswith(
        "the response body has more than 4194304 bytes: raise the limit with --max-body-size"
    )
    assert after == [200, "200 OK", "", 0, "hi"]


def test_timeouts_are_kept_while_unpacking(run: Run, serve: Serve) -> None:
    packed = gzip.compress(BOMB, 6)
    head = FINE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    url = f"http://127.0.0.1:{serve(by_path({'': head + packed})).port}/"
    [found] = get_all(run, url, env={"JSRUNNER_MAX_BODY_SIZE": "2GB"}, TIMEOUT="300ms")
    assert found == [0, "", "request timeout", 1050, ""]


def test_bodies_without_end(start: Any, serve: Serve) -> None:
    """Memory stays what it was; the limit is ours, and so is its text."""

    def flood(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(FINE + b"X: y\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"x" * 65536)

    url = f"http://127.0.0.1:{serve(flood).port}/"
    process = start(
        """
        import http from 'k6/http';
        export const options = { iterations: 3 };
        export default function () {
          const { error, body } = http.get(__ENV.URL);
          console.log(error.slice(0, 46), body);
        }""",
        "--max-body-size",
        "50MB",
        "-e",
        f"URL={url}",
    )
    most = 0
    while process.process.poll() is None:
        most = max([most, *(memory(one) for one in process.others())])
        time.sleep(0.02)  # between two measurements
    done = process.end()
    assert done.code == 0
    assert done.messages("info") == ["the response body has more than 52428800 bytes null"] * 3
    assert 50 << 20 < most < 400 << 20


def test_a_limit_that_is_none(run: Run) -> None:
    done = run("export default function () {}", "--max-body-size", "much")
    assert done.code != 0
    assert done.messages("error") == [
        'invalid size "much": give bytes, or a number with a unit as in 64MiB'
    ]


@pytest.mark.parametrize(
    ("coding", "reads"), [("gzip", True), ("deflate", True), ("br", True), ("zstd", False)]
)
def test_what_came_of_a_packed_body_can_be_read(
    coding: str, reads: bool, run: Run, serve: Serve
) -> None:
    text = "".join(f"{number}," for number in range(5000))
    packed = PACKERS[coding](text.encode())
    cut = packed[: len(packed) * 3 // 4]
    answers = {
        "broken": FINE
        + f"Content-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
        + cut,
        "cut": FINE
        + f"Content-Encoding: {coding}\r\nContent-Length: {len(cut)}\r\n\r\n".encode()
        + cut,
    }
    url = f"http://127.0.0.1:{serve(by_path(answers)).port}/"
    for status, _, error, code, body in get_all(run, url + "broken", url + "cut"):
        assert (status, error, code) == (0, "unexpected EOF", 1000)
        assert text.startswith(body)
        assert (len(body) > 1000) is reads


def test_heads_up_to_10_mb(run: Run, serve: Serve) -> None:
    line = b"X-Long: " + b"x" * 65000 + b"\r\n"
    answers = {
        "long": FINE + line * 150 + b"Content-Length: 2\r\n\r\nhi",
        "longer": FINE + line * 170 + b"Content-Length: 2\r\n\r\nhi",
    }

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            by_path(answers)(connection)

    url = f"http://127.0.0.1:{serve(answer).port}/"
    long, longer = get_all(run, url + "long", url + "longer")
    assert long == [200, "200 OK", "", 0, "hi"]
    text = "net/http: server response headers exceeded 10485760 bytes; aborted"
    assert longer == [0, "", text, 1000, None]


# -- requests -------------------------------------------------------------------------------------------


def test_empty_bodies(run: Run, serve: Serve) -> None:
    """The sent request, and `response.request`."""
    seen: list[tuple[str, str, str]] = []

    def answer(connection: socket.socket) -> None:
        request = read_request(connection)
        while b"chunked" in request and not request.endswith(b"0\r\n\r\n"):
            request += connection.recv(100)
        lines = request.decode().split("\r\n")
        seen.append(
            (
                lines[0].split()[0],
                header(request, "Content-Length"),
                header(request, "Transfer-Encoding"),
            )
        )
        connection.sendall(FINE + b"Connection: close\r\nContent-Length: 0\r\n\r\n")

    done = run(
        """
        import http from 'k6/http';
        export default function () {
          for (const [method, body] of [['POST', {}], ['POST', ''], ['POST', null], ['PUT', null], ['DELETE', null],
            ['DELETE', ''], ['GET', ''], ['POST', { a: null, b: undefined }]]) {
            const { request, status, body: answer } = http.request(method, __ENV.URL, body);
            console.log(status, answer, method, JSON.stringify([request.body, request.headers['Content-Length'] ?? 0,
              request.headers['Content-Type'] ?? '']));
          }
        }""",
        "-e",
        f"URL=http://127.0.0.1:{serve(answer).port}/",
    )
    form = "application/x-www-form-urlencoded"
    assert done.messages("info") == [
        f'200  POST ["",0,["{form}"]]', '200  POST ["",0,""]', '200  POST ["",0,""]', '200  PUT ["",0,""]',
        '200  DELETE ["",0,""]', '200  DELETE ["",0,""]', '200  GET ["",0,""]',
        f'200  POST ["a=&b=",0,["{form}"]]',
    ]  # fmt: skip
    assert seen == [
        ("POST", "", "chunked"), ("POST", "", "chunked"), ("POST", "0", ""), ("PUT", "0", ""), ("DELETE", "", ""),
        ("DELETE", "", ""), ("GET", "", ""), ("POST", "5", ""),
    ]  # fmt: skip


def test_forms_of_k6_2_3(run: Run, serve: Serve) -> None:
    """From k6 2.3's release notes: null and undefined are empty, nested objects bring a warning."""

    def answer(connection: socket.socket) -> None:
        request = read_request(connection)
        size = int(header(request, "Content-Length"))
        body = request.partition(b"\r\n\r\n")[2]
        while len(body) < size:
            body += connection.recv(size)
        connection.sendall(FINE + b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (size, body))

    done = run(
        """
        import http from 'k6/http';
        export default function () {
          const form = { a: null, b: undefined, c: [1, null], d: { deep: 1 }, e: [{}], f: 0 };
          console.log(http.post(__ENV.URL, form).body);
          const body = http.post(__ENV.URL, { ...form, file: http.file('x', 'x.txt') }).body;
          console.log(body.split('\\r\\n').filter((line) => line && !line.startsWith('-')).length);
        }""",
        "-e",
        f"URL=http://127.0.0.1:{serve(answer).port}/",
    )
    assert done.messages("info") == ["a=&b=&c=1&c=&d=&e=&f=0", "10"]
    warnings = done.messages("warning")
    assert len(warnings) == 5
    assert set(warnings) == {
        f"cannot urlencode a nested {kind} value in a request form body; encoding it as an empty value, use "
        "JSON.stringify() to send structured data"
        for kind in ("map[string]interface {}", "[]interface {}")
    }
