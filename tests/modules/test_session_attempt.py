"""Attempts to connect, in one VU of this process: the first one, and those that are like one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
import pytest
from attempts import CONNECTS, Turns, opens, resets, run, says
from in_process import Stage
from servers import accept, drain, frame, header, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Any]


def test_the_same_again(tmp_path: Path, serve: Serve) -> None:
    turns = Turns(serve, opens("m"))
    stage = run(tmp_path, turns.url, "connects(8, { headers: { 'x-own': 'v' } });")
    assert stage.logged() == ["101||||m"] * 8
    assert len(set(turns.keys())) == 8
    [request] = turns.requests_without_keys()
    assert header(request, "X-Own") == "v"
    assert request.startswith(b"GET /path?q HTTP/1.1\r\n")
    samples = stage.samples()
    [(tags, sessions)] = samples["ws_sessions"]
    assert (sessions, tags["status"], tags["url"]) == (8, "101", turns.url)
    [(_, connecting)] = samples["ws_connecting"]
    assert len(connecting) == 8
    assert all(0 < one < 20_000 for one in connecting)
    [(_, durations)] = samples["ws_session_duration"]
    assert all(one < other for one, other in zip(connecting, durations, strict=True))
    assert samples["ws_msgs_received"][0][1] == 8


def test_bytes_are_counted_alike(tmp_path: Path, serve: Serve) -> None:
    turns = Turns(serve, opens("m"))
    once = run(tmp_path, turns.url, "connects(1);").samples()
    often = run(tmp_path, turns.url, "connects(5);").samples()
    for name in ("data_sent", "data_received"):
        assert often[name][0][1] == 5 * once[name][0][1]


def test_answers_that_differ(tmp_path: Path, serve: Serve) -> None:
    wrong = (
        b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
    )
    turns = Turns(
        serve,
        opens("one", "X-Turn: 1\r\n"),
        opens("two", "X-Turn: 2\r\n"),
        says(b"HTTP/1.1 404 Not Found\r\nX-Turn: 3\r\nContent-Length: 4\r\n\r\ngone"),
        says(wrong),
        says(b""),
        resets,
        says(b"HELLO\r\n\r\n"),
        opens("three", "X-Turn: 4\r\nX-Turn: 5\r\n"),
    )
    expected = [
        "101|||1|one",
        "101|||2|two",
        "404|gone||3",
        "101|||",
        "0||unexpected EOF|",
        "0||read tcp PEER->PEER: read: connection reset by peer|",
        '0||malformed HTTP response "HELLO"|',
        "101|||4, 5|three",
    ]
    stage = run(tmp_path, turns.url, "connects(24);")
    assert stage.logged() == expected * 3
    assert len(set(turns.keys())) == 24
    assert stage.process.failed_handshakes == 15
    statuses = {tags.get("status"): count for tags, count in stage.samples()["ws_sessions"]}
    assert statuses == {"101": 12, "404": 3, None: 9}


def test_an_answer_in_pieces(tmp_path: Path, serve: Serve) -> None:
    def pieces(connection: socket.socket) -> bytes:
        class InPieces:
            recv = staticmethod(connection.recv)

            def sendall(self, data: bytes) -> None:
                for start in range(0, len(data), 17):
                    connection.sendall(data[start : start + 17])
                    gevent.sleep(0.001)  # so that the pieces come apart

        request = accept(InPieces(), rest=frame(b"m"))  # type: ignore[arg-type]
        drain(connection)
        return request

    turns = Turns(serve, opens("m"), pieces, opens("m"))
    assert run(tmp_path, turns.url, "connects(6);").logged() == ["101||||m"] * 6


def test_cookies_are_sent_from_when_they_are_there(tmp_path: Path, serve: Serve) -> None:
    turns = Turns(serve, opens("m"), opens("m"), opens("m"), opens("m", "Set-Cookie: from=server\r\n"))
    run(
        tmp_path,
        turns.url,
        """
        connects(2);
        http.cookieJar().set(__ENV.URL.replace('ws:', 'http:'), 'own', '1');
        connects(3);
        const jar = new http.CookieJar();
        connect({ jar });
        """,
    )
    cookies = [header(request, "Cookie") for request in turns.requests]
    assert cookies == ["", "", "own=1", "own=1", "own=1; from=server", ""]


def test_tags(tmp_path: Path, serve: Serve) -> None:
    turns = Turns(serve, opens("m"))
    stage = run(
        tmp_path,
        turns.url,
        """
        connects(2);
        connects(3, { tags: { own: 'a' } });
        exec.vu.metrics.tags.mine = 'b';
        connects(4, { tags: { own: 'a' } });
        delete exec.vu.metrics.tags.mine;
        connects(5);
        """,
    )
    found = sorted(
        (count, tags.get("own"), tags.get("mine")) for tags, count in stage.samples()["ws_sessions"]
    )
    assert found == [(3, "a", None), (4, "a", "b"), (7, None, None)]


@pytest.mark.parametrize("host", ["localhost", "name.test"])
def test_names(tmp_path: Path, serve: Serve, host: str) -> None:
    turns = Turns(serve, opens("m"))
    url = f"ws://{host}:{turns.server.port}/"
    stage = run(tmp_path, url, "connects(5);", hosts={"name.test": "127.0.0.1"})
    assert stage.logged() == ["101||||m"] * 5
    assert {header(request, "Host") for request in turns.requests} == {url[5:-1]}


def test_a_server_that_goes_away(tmp_path: Path, serve: Serve) -> None:
    def last(connection: socket.socket) -> bytes:
        turns.server.refuse()
        return opens("m")(connection)

    turns = Turns(serve, opens("m"), last)
    stage = run(tmp_path, turns.url, "connects(4);")
    refused = "0||dial tcp PEER: connect: connection refused|"
    assert stage.logged() == ["101||||m", "101||||m", refused, refused]


@pytest.mark.slow
@pytest.mark.parametrize("before", [0, 2])
def test_closing_before_the_answer(tmp_path: Path, serve: Serve, before: int) -> None:
    """With the first question of the core, and with a repeated one."""

    def silent(connection: socket.socket) -> bytes:
        request = read_request(connection)
        drain(connection)
        return request

    turns = Turns(serve, *[opens("m")] * before, silent)
    stage = run(
        tmp_path,
        turns.url,
        f"""
        const open = () => new WebSocket(__ENV.URL);
        const next = (left) => {{
          const socket = open();
          socket.onmessage = () => {{ socket.close(); next(left - 1); }};
          socket.onerror = (event) => console.log(event.error);
          socket.onclose = (event) => left || console.log('closed');
          if (!left) setTimeout(() => socket.close(), 50);
        }};
        next({before});
        """,
    )
    assert stage.logged() == ["closed before the connection was established", "closed"]
    assert stage.samples()["ws_sessions"][-1][1] >= 1
    assert not stage.process.shared["session"].attempts


@pytest.mark.parametrize("before", [0, 2])
def test_an_interruption_before_the_answer(tmp_path: Path, serve: Serve, before: int) -> None:
    connections: list[socket.socket] = []

    def silent(connection: socket.socket) -> bytes:
        request = read_request(connection)
        connections.append(connection)
        drain(connection)
        return request

    turns = Turns(serve, *[opens("m")] * before, silent)
    stage = Stage(
        tmp_path,
        f"import ws from 'k6/ws'; {CONNECTS} export function setup() {{ connects({before + 1}); }}"
        "export default function () {}",
        environment={"URL": turns.url},
    )
    running = stage.start()
    stage.until(lambda: connections)
    stage.vu.interrupt()
    running.join()
    assert stage.failure == "interrupted"
    assert not stage.process.shared["session"].attempts
    stage.until(
        lambda: len(turns.requests) == before + 1 and turns.requests[-1]
    )  # the socket is closed


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/", "ws://localhost:1/", "ws://127.0.0.1:99999/"])
def test_an_iteration_that_fails_when_its_socket_cannot_connect(
    start: Callable[..., Any], url: str
) -> None:
    """The iteration ends, and the socket has its events, in either order."""
    run = start(
        """
        import { WebSocket } from 'k6/websockets';
        export default function () {
          const socket = new WebSocket(__ENV.URL);
          socket.onerror = () => console.log('error');
          socket.onclose = () => console.log('close');
          throw new Error('no');
        }
        """,
        "-e",
        f"URL={url}",
    ).end()
    assert run.messages("info")[:2] == ["error", "close"]
    assert [line.partition("\n")[0] for line in run.messages("error")] == ["Error: no"]


def test_the_first_attempts_of_vus_are_like_those_of_others(
    start: Callable[..., Any], serve: Serve
) -> None:
    """VUs connect like one before them, and then have answers of their own."""
    turns = Turns(
        serve,
        opens("one"),
        opens("two", "X-Turn: 2\r\n"),
        says(b"HTTP/1.1 404 Not Found\r\nX-Turn: 3\r\nContent-Length: 4\r\n\r\ngone"),
        says(b""),
        resets,
        opens("six", "Set-Cookie: from=server\r\n"),
    )
    done = start(
        f"""
        import exec from 'k6/execution';
        import ws from 'k6/ws';
        import {{ sleep }} from 'k6';
        {CONNECTS}
        export const options = {{ noCookiesReset: true, scenarios: {{
          s: {{ executor: 'per-vu-iterations', vus: 6, iterations: 2 }} }} }};
        export default function () {{
          while (exec.instance.iterationsCompleted < 6 * __ITER + __VU - 1) sleep(0.01);
          connects(1);
        }}
        """,
        "-e", f"URL={turns.url}", "--workers", "1",
    ).end()  # fmt: skip
    reset = "0||read tcp PEER->PEER: read: connection reset by peer|"
    each = ["101||||one", "101|||2|two", "404|gone||3", "0||unexpected EOF|", reset, "101||||six"]
    assert done.messages("info") == each * 2
    assert done.code == 0
    assert [b"from=server" in request for request in turns.requests] == [False] * 11 + [True]


def test_a_fault_of_jsrunner_is_an_event(tmp_path: Path) -> None:
    """Whatever fails, the script hears of it, and the log has the traceback."""
    stage = Stage(
        tmp_path,
        """
        import ws from 'k6/ws';
        import { WebSocket } from 'k6/websockets';
        export function setup() {
          try { console.log(ws.connect('ws://127.0.0.1:1/', () => {}).error); } catch (error) { console.log(error.message); }
          const socket = new WebSocket('ws://127.0.0.1:1/');
          socket.addEventListener('error', (event) => console.log('event', event.error));
        }
        export default function () {}
        """,
    )

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    stage.process.dialer.direct = fail  # type: ignore[method-assign, assignment]
    stage.run()
    assert stage.failure is None
    assert stage.logged() == ["jsrunner: a bug", "event jsrunner: a bug"]
    assert any("RuntimeError: a bug" in text for text in stage.logged("debug"))
