"""Requests that the core makes by recipes are as those that Python makes.

A script asks for one address several times. By then the core makes the requests by itself; the last answer is
the test's. The same script with the option `rps`, which leaves all requests to Python, has to see the same.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from core_vu import EXCHANGING
from in_process import Stage
from servers import Server, read_request
from waiting import DEADLINE

from jsrunner.options.model import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Id: 1\r\n\r\nhi"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
#: How many answers come before the test's.
BEFORE = 3
#: What a server does besides sending.
CLOSE, RESET, SILENCE = "close", "reset", "silence"

Act = bytes | str


class Seen(NamedTuple):
    """The outcome of a script. Except for `is_by_core`, it must be equal with and without recipes."""

    result: Any
    failure: str | None
    warnings: list[str]
    tags: Any
    requests: list[bytes]
    connections: int
    #: Whether the core has made a request to its end.
    is_by_core: bool


class Answers:
    """Answers requests on kept connections: OK, but to the one behind `before` as `acts` say."""

    def __init__(self, acts: list[Act], before: int = BEFORE) -> None:
        self._acts, self._before = acts, before
        self.requests: list[bytes] = []
        self.is_over = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            while True:
                self.requests.append(_whole_request(connection))
                usual = OK.removesuffix(b"hi") if self.requests[-1].startswith(b"HEAD") else OK
                acts = self._acts if len(self.requests) == self._before + 1 else [usual]
                for act in acts:
                    if act == CLOSE:
                        return
                    if act == RESET:
                        connection.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                        )
                        connection.close()
                        return
                    if act == SILENCE:
                        self.is_over.wait(DEADLINE)
                        return
                    assert isinstance(act, bytes)
                    connection.sendall(act)
                    if len(acts) > 1:
                        time.sleep(0.002)  # so that the pieces come apart


def _whole_request(connection: socket.socket) -> bytes:
    request = read_request(connection)
    if not request:
        raise ConnectionError
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"Content-Length":
            while len(body) < int(value):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def see(tmp_path: Path) -> Iterator[Callable[..., Seen]]:
    """Run a script's call, `BEFORE` + 2 times; `shown` is what is returned of the last but one response."""
    with contextlib.ExitStack() as stack:

        def see(acts: list[Act], call: str, *, shown: str, rps: int | None, **options: Any) -> Seen:
            answers = Answers(acts)
            server = Server(answers)
            stack.callback(server.close)
            stack.callback(answers.is_over.set)
            source = f"""import http from 'k6/http';
            import {{ sleep }} from 'k6';
            const U = __ENV.U;
            const plain = (r) => {{
              const copy = JSON.parse(JSON.stringify(r, (key, value) => (key === 'timings' ? undefined : value)));
              if (r.body instanceof ArrayBuffer) copy.body = Array.from(new Uint8Array(r.body));
              delete copy.remote_port;
              return copy;
            }};
            const call = () => {call};
            export function setup() {{
              for (let i = 0; i < {BEFORE}; i += 1) call();
              let seen;
              try {{ const r = call(); seen = {shown}; }} catch (error) {{ seen = String(error); }}
              const after = plain(call());
              return JSON.stringify([seen, after]);
            }}
            export default function () {{}}"""
            environment = {"U": f"http://127.0.0.1:{server.port}"}
            stage = Stage(
                tmp_path, source, environment=environment, options=Options(rps=rps, **options)
            ).run()
            operations = stage.vu.interpreter.operations.values()
            is_by_core = any(one.__name__ == "series" for one in operations)
            port = str(server.port)
            tags = sorted(
                (name, sorted(tags.items()), len(value) if isinstance(value, list) else value)
                for name, rows in stage.samples().items()
                for tags, value in rows
                if not name.startswith("data_")
            )
            if module := stage.vu.context.modules.get("http"):
                module.interrupted()
            answers.is_over.set()
            requests = [one.replace(port.encode(), b"PORT") for one in answers.requests]
            texts = [str(stage.result), str(stage.failure), str(stage.logged("warning")), str(tags)]
            result, failure, warnings, shown_tags = (text.replace(port, "PORT") for text in texts)
            return Seen(result, failure, [warnings], shown_tags, requests, server.accepted, is_by_core)

        yield see


@pytest.fixture
def same(see: Callable[..., Seen]) -> Callable[..., Seen]:
    """Check that the core's way and Python's are the same; return what was seen."""

    def same(
        acts: list[Act], call: str = "http.get(U + '/')", *, shown: str = "plain(r)", **more: Any
    ) -> Seen:
        by_core = see(acts, call, shown=shown, rps=None, **more)
        by_python = see(acts, call, shown=shown, rps=1_000_000, **more)
        assert by_core.is_by_core
        assert not by_python.is_by_core
        assert by_core._replace(is_by_core=False) == by_python
        return by_core

    return same


def in_pieces(data: bytes, size: int = 1) -> list[Act]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize(
    "acts",
    [
        [OK],
        in_pieces(OK),
        [HEAD + b"Content-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
        [b"HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n"],
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
        [b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"],
        [b"HTTP/1.1 503 \r\nContent-Length: 2\r\n\r\nno"],
        [b"HTTP/1.1 299 Other  words\r\nContent-Length: 2\r\n\r\nok"],
        [HEAD + b"content-LENGTH:  2 \r\nx-a-B: 1\r\nX-A-b:2\r\nx-a-b:\r\n__proto__: p\r\n12: n\r\n\r\nhi"],
        [HEAD + b"Content-Length: 2\r\nConnection: Keep-Alive\r\nX:\ta b\t\r\n\r\nhi"],
        [CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"],
        in_pieces(CHUNKED + b"2\r\nhi\r\nA\r\n0123456789\r\n00\r\n\r\n"),
        [CHUNKED + b"0\r\n\r\n"],
        [CHUNKED + b"2;a=b\r\nhi\r\n0\r\n\r\n"],
        [CHUNKED + b"2\r\nhi\r\n0\r\nTrailer: x\r\n\r\n"],
        [CHUNKED + b"2\r\nhiho\r\n0\r\n\r\n"],
        [CHUNKED + b"x\r\nhi\r\n0\r\n\r\n"],
        [CHUNKED + b"\r\nhi\r\n0\r\n\r\n"],
        [CHUNKED + b"123456789\r\n", CLOSE],
        [CHUNKED + b"2\r\nhi\r\n", CLOSE],
        [CHUNKED + b"2\r\nhi\r\n0\r\n\r\nsurplus"],
        [HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
        [HEAD + b"Transfer-Encoding: gzip\r\n\r\n"],
        [HEAD + b"Content-Length: 6\r\n\r\n\xef\xbb\xbfa\xc3\xa9"],
        [HEAD + b"Content-Length: 8\r\n\r\n\xff\xfea\xe2\x82\x00\xed\xa0"],
        [HEAD + b"Content-Length: 300000\r\n\r\n" + b"\xc3\xa9x" * 100_000],
        [CHUNKED, *[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 3, b"0\r\n\r\n"],
        [HEAD + b"Content-Length: 1500000\r\n\r\n" + b"x" * 1_500_000],
        [CHUNKED, *[b"80000\r\n" + b"x" * 524_288 + b"\r\n"] * 3, b"0\r\n\r\n"],
        [HEAD + b"Content-Length: 2\r\n\r\nhi and more"],
        [HEAD + b"Content-Length: 9\r\n\r\nhi", CLOSE],
        [HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"],
        [HEAD + b"Content-Length: +2\r\n\r\nhi"],
        [HEAD + b"Content-Length: 99999999999999999\r\n\r\nhi", CLOSE],
        [HEAD + b"\r\nuntil the end", CLOSE],
        [HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi", CLOSE],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", CLOSE],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 101 Switching Protocols\r\n\r\n", CLOSE],
        [b"HTTP/1.1 301 Moved\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n"],
        [HEAD + b"Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"Pragma: no-cache\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"Trailer: X\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"X-Long: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"X: \xc3\xa9 \xff\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"No Name: a\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"X: \x01\r\nContent-Length: 2\r\n\r\nhi"],
        [HEAD + b"nothing\r\n\r\n"],
        [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"],
        [b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi"],
        [b"hello there\r\n\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE],
        [CLOSE],
        [RESET],
        [HEAD + b"Content-Length: 9\r\n\r\nhi", RESET],
    ],
)  # fmt: skip
def test_answers(acts: list[Act], same: Callable[..., Seen]) -> None:
    same(acts)


@pytest.mark.parametrize(
    "call",
    [
        "http.get(U + '/a b?c=é#d', { headers: { 'x-a': 'b', Cookie: 'k=v' }, tags: { t: 'g' } })",
        "http.get(U + '/', { cookies: { a: 'b', c: { value: 'd', replace: true } } })",
        "http.get(U + '/', { responseType: 'binary' })",
        "http.get(U + '/', { responseType: 'none' })",
        "http.get(U + '/', { responseCallback: http.expectedStatuses(404) })",
        "http.get(U + '/', { responseCallback: null })",
        "http.get(U + '/', { headers: { Host: 'elsewhere' }, timeout: '5s', redirects: 2, throw: true })",
        "http.get(http.url`${U}/${1}`)",
        "http.head(U + '/')",
        "http.post(U + '/')",
        "http.post(U + '/', 'text é \\ud800')",
        "http.post(U + '/', { a: 1, b: ['x', 'y z'] })",
        "http.post(U + '/', JSON.stringify({ a: 'x'.repeat(100000) }), { headers: { 'Content-Type': 'a/b' } })",
        "http.put(U + '/', new Uint8Array([0, 255, 10]).buffer)",
        "http.del(U + '/', 'gone')",
        "http.patch(U + '/', 'x', { tags: { name: 'patched' } })",
        "http.request('PROPFIND', U + '/')",
    ],
)
def test_requests(call: str, same: Callable[..., Seen]) -> None:
    answer = OK.removesuffix(b"hi") if call.startswith("http.head") else OK
    assert len(same([answer], call).requests) == BEFORE + 2


@pytest.mark.parametrize(
    "answer", [b"Content-Length: 9\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_answers_to_head(answer: bytes, same: Callable[..., Seen]) -> None:
    same([HEAD + answer], "http.head(U + '/')")


@pytest.mark.parametrize(
    "shown", ["r.headers['X-Id']", "r.request.headers", "r.json('a')", "r.html('p').text()"]
)
def test_what_responses_can_do(shown: str, same: Callable[..., Seen]) -> None:
    body = b'{"a": "<p>b</p>"}'
    same([HEAD + b"Content-Length: %d\r\nX-ID: 7\r\n\r\n" % len(body) + body], shown=shown)


def test_post_that_nobody_answers_is_not_made_again(same: Callable[..., Seen]) -> None:
    seen = same([CLOSE], "http.post(U + '/', 'x')")
    assert len(seen.requests) == BEFORE + 2


@pytest.mark.parametrize("call", ["http.get(U + '/')", "http.post(U + '/', 'x')"])
def test_server_closes_a_connection_that_waits(call: str, same: Callable[..., Seen]) -> None:
    seen = same([OK, CLOSE], call, shown="(sleep(0.5), plain(r))")
    assert len(seen.requests) == BEFORE + 2


@pytest.mark.parametrize(
    "call",
    [
        "http.batch([U + '/', U + '/', U + '/'])[2]",
        "http.get(U + '/', { jar: new http.CookieJar() })",
        "http.get(U + '/', { compression: 'gzip' })",
        "http.post(U + '/', '')",
        "http.post(U + '/', { f: http.file('x', 'y') })",
        "http.get(U.replace('://', '://user:password@') + '/')",
    ],
)
def test_between_requests_of_pythons(call: str, see: Callable[..., Seen]) -> None:
    mixed = f"(({call}), http.get(U + '/'))"
    by_core = see([OK], mixed, shown="plain(r)", rps=None)
    by_python = see([OK], mixed, shown="plain(r)", rps=1_000_000)
    assert by_core.is_by_core
    boundaries = [re.sub(rb"[0-9a-f]{60}", b"", one) for one in by_core.requests]
    assert boundaries == [re.sub(rb"[0-9a-f]{60}", b"", one) for one in by_python.requests]
    assert by_core._replace(is_by_core=False, requests=[]) == by_python._replace(requests=[])


def test_asynchronous_requests_beside(see: Callable[..., Seen]) -> None:
    call = "(http.asyncRequest('GET', U + '/').then((r) => r.status), http.get(U + '/'))"
    assert see([OK], call, shown="plain(r)", rps=None).is_by_core


def test_interruption(tmp_path: Path) -> None:
    answers = Answers([SILENCE])
    server = Server(answers)
    try:
        source = f"""import http from 'k6/http';
        export function setup() {{ for (;;) http.get('http://127.0.0.1:{server.port}/'); }}
        export default function () {{}}"""
        stage = Stage(tmp_path, source)
        running = stage.start()
        library, index = stage.process.engine.library, stage.vu.interpreter.index
        Stage.until(
            lambda: len(answers.requests) > BEFORE and library.core_vu_state(index) == EXCHANGING
        )
        stage.vu.interrupt()
        running.join()
        assert stage.failure == "interrupted"
        answers.is_over.set()
        Stage.until(lambda: server.open == 0)
    finally:
        answers.is_over.set()
        server.close()


def test_time_runs_out(same: Callable[..., Seen]) -> None:
    assert "request timeout" in same([SILENCE], "http.get(U + '/', { timeout: 300 })").result
    same([HEAD + b"Content-Length: 9\r\n\r\nhi", SILENCE], "http.get(U + '/', { timeout: 300 })")


def test_options(same: Callable[..., Seen]) -> None:
    same([OK], discard_response_bodies=True)
    same([b"HTTP/1.1 500 \r\n\r\n", CLOSE], throw=True)
    same([HEAD + b"\r\n"[:1], CLOSE], throw=True)
    same([OK], system_tags=["status", "method", "proto", "error_code"])


def test_cookies_that_come_are_sent(same: Callable[..., Seen]) -> None:
    seen = same([HEAD + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nhi"])
    assert b"Cookie: a=b\r\n" in seen.requests[-1]
