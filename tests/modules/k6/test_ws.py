"""k6/ws in one VU of this process: metrics, tags, timers, nested connections. (Texts: tests/compat.)"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from in_process import Stage
from servers import accept, drain, frame, read_frame
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Any]


def run(tmp_path: Path, url: str, body: str) -> Stage:
    return Stage(
        tmp_path,
        f"import ws from 'k6/ws';\nexport function setup() {{ {body} }}\nexport default function () {{}}",
        environment={"URL": url},
    ).run()


def test_metrics_and_tags(tmp_path: Path, echo: str) -> None:
    stage = run(
        tmp_path,
        echo,
        """
        const response = ws.connect(__ENV.URL, { tags: { own: 'tag' } }, (socket) => {
          socket.on('open', () => { socket.send('one'); socket.send('x'.repeat(5000)); socket.ping(); });
          let count = 0;
          socket.on('message', (text) => { if (++count === 2) socket.sendBinary(new ArrayBuffer(3)); });
          socket.on('binaryMessage', () => socket.close());
        });
        console.log(Object.keys(response), response.url === __ENV.URL, response.status, response.error === '');
        """,
    )
    assert stage.failure is None
    assert stage.logged() == ['[ "url", "status", "headers", "body", "error" ] true 101 true']
    samples = stage.samples()
    counts = {name: samples[name][0][1] for name in ("ws_sessions", "ws_msgs_sent", "ws_msgs_received")}
    assert counts == {"ws_sessions": 1, "ws_msgs_sent": 3, "ws_msgs_received": 3}
    assert len(samples["ws_session_duration"][0][1]) == len(samples["ws_connecting"][0][1]) == 1
    tags = samples["ws_sessions"][0][0]
    assert tags["own"] == "tag"
    assert (tags["url"], tags["status"], tags["subproto"]) == (echo, "101", "")
    assert stage.process.sessions_open == 0


def test_timers_and_nested_connections(tmp_path: Path, echo: str) -> None:
    stage = run(
        tmp_path,
        echo,
        """
        ws.connect(__ENV.URL, (outer) => {
          let ticks = 0;
          outer.setInterval(() => { ticks += 1; }, 3);
          outer.on('message', (text) => {
            ws.connect(__ENV.URL, (inner) => {
              inner.on('open', () => inner.send(text + '!'));
              inner.on('message', (answer) => { console.log('inner', answer); inner.close(); });
            });
            outer.setTimeout(() => { console.log('late', ticks > 1); outer.close(4000); }, 20);
          });
          outer.on('close', (code) => console.log('close', code));
          outer.on('open', () => outer.send('hi'));
        });
        """,
    )
    assert stage.failure is None
    assert stage.logged() == ["inner hi!", "late true", "close 4000"]


def test_handlers_that_are_added_and_messages_that_are_no_texts(tmp_path: Path, echo: str) -> None:
    """One handler is called by the core, several by ws.js: a script sees no difference."""
    stage = run(
        tmp_path,
        echo,
        """
        const log = [];
        const answers = { 1: 2, 2: 'x' + [3, 4], 'x3,4': new String('o1'), o1: Symbol('s'), s: { toString: () => 'o2' }, o2: null };
        ws.connect(__ENV.URL, (socket) => {
          let empty = 0;
          socket.on('error', (e) => log.push('error ' + e.error()));
          socket.on('close', (code) => log.push('close ' + code));
          socket.on('binaryMessage', ({ byteLength }) => {
            log.push('b' + byteLength);
            if (byteLength === 3) return;
            socket.on('binaryMessage', (buffer) => log.push('c' + buffer.byteLength));
            socket.sendBinary(new ArrayBuffer(3));
          });
          socket.on('message', (text) => {
            log.push('1st ' + text);
            if (text === '1') socket.on('message', (later) => log.push('2nd ' + later));
            if (text in answers) socket.send(answers[text]);
            if (text !== '') return;
            empty += 1;
            if (empty === 1) socket.send();
            else socket.close(4000);
            if (empty === 2) { socket.send('late'); socket.send(5); }
          });
          socket.on('open', () => { socket.send('1'); socket.sendBinary(new ArrayBuffer(2)); });
        });
        console.log(log.join('|'));
        """,
    )
    assert stage.failure is None
    sent = "websocket: close sent"
    assert stage.logged() == [
        "1st 1|b2|1st 2|2nd 2|b3|c3|1st x3,4|2nd x3,4|1st o1|2nd o1|1st s|2nd s|1st o2|2nd o2|1st |2nd |1st |"
        f"close 4000|error {sent}|error {sent}|2nd "
    ]


def test_a_handler_that_throws_ends_the_session(tmp_path: Path, echo: str) -> None:
    stage = run(
        tmp_path,
        echo,
        """
        ws.connect(__ENV.URL, (socket) => {
          socket.on('open', () => socket.send('1'));
          socket.on('close', (code) => console.log('close ' + code));
          socket.on('message', function broken(text) { throw new Error('no ' + text); });
        });
        """,
    )
    assert stage.failure is not None
    first, second, *_ = stage.failure.splitlines()
    assert first == "Error: no 1"
    assert second.startswith("\tat broken (file://")
    assert stage.logged() == ["close 1001"]


def test_messages_that_were_not_dispatched_do_not_count(tmp_path: Path, serve: Serve) -> None:
    def burst(connection: socket.socket) -> None:
        accept(connection, rest=frame(b"m") * 50)
        drain(connection)

    stage = run(
        tmp_path,
        serve(burst).url,
        "ws.connect(__ENV.URL, (s) => { let n = 0; s.on('message', () => { if (++n === 3) s.close(); }); });",
    )
    assert stage.samples()["ws_msgs_received"][0][1] == 3


def test_interrupted_session_says_goodbye(tmp_path: Path, serve: Serve) -> None:
    ends: list[bytes] = []

    def keep(connection: socket.socket) -> None:
        accept(connection)
        ends.append(drain(connection))

    stage = Stage(
        tmp_path,
        "import ws from 'k6/ws';\nexport function setup() { ws.connect(__ENV.URL, (s) => s.on('open', () => console.log('open'))); }\n"
        "export default function () {}",
        environment={"URL": serve(keep).url},
    )
    running = stage.start()
    stage.until(lambda: stage.logged())
    stage.vu.interrupt()
    running.join(DEADLINE)
    assert stage.failure == "interrupted"
    stage.until(lambda: ends)
    assert ends[0][:2] == b"\x88\x82"
    assert "ws_session_duration" not in stage.samples()
    assert stage.process.sessions_open == 0


def test_frames_after_a_failed_write_fail_alike(tmp_path: Path, serve: Serve) -> None:
    def reset(connection: socket.socket) -> None:
        accept(connection)
        read_frame(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    source = """
        import ws from 'k6/ws';
        export default function () {}
        export function setup() {
          ws.connect(__ENV.URL, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('error', (error) => console.log(error.error().replace(/[0-9.]+:[0-9]+/g, 'END')));
            socket.on('close', () => { socket.send('late'); socket.ping(); });
          });
        }
    """
    stage = Stage(tmp_path, source, environment={"URL": serve(reset).url}).run()
    assert stage.failure is None
    assert stage.logged() == ["write tcp END->END: write: broken pipe"] * 3
