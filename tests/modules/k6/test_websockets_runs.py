"""k6/websockets in whole runs, and in scripts that change the language."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from in_process import Stage
from servers import Server, echo
from waiting import until
from websockets_play import Recorder, pushing

if TYPE_CHECKING:
    from running import Process

# -- scripts that change the language's own objects ------------------------------------------------------

CHANGED = (Path(__file__).parent / "changed_globals.js").read_text()


@pytest.mark.parametrize(
    "change",
    [
        "",
        "without([Array.prototype])",
        "without([String.prototype, Object.prototype, Number.prototype])",
        "without([Object, Array, String, Number, Math, JSON, Reflect])",
        "without([Promise, Map.prototype, WeakMap.prototype, Set.prototype])",
        "without([ArrayBuffer, Uint8Array, Object.getPrototypeOf(Uint8Array), Function.prototype])",
        "Array.prototype[Symbol.iterator] = function () { throw 'mine'; }",
        "Object = Array = String = Number = Symbol = Function = Promise = Map = WeakMap = Math = JSON = null",
        "ArrayBuffer = Uint8Array = DataView = null",
        "Object.prototype.get = () => 5; Object.prototype.enumerable = false; Object.prototype.then = null",
    ],
)
def test_changed_globals(
    tmp_path: Path, serve: Callable[[Callable[..., Any]], Server], change: str
) -> None:
    source = CHANGED.replace("/* change */", change)
    stage = Stage(tmp_path, source, environment={"URL": serve(echo).url}).run()
    assert stage.failure is None
    assert sorted(stage.logged()) == sorted(
        ["14 1", "undefined text", '3 { size: 3, type: "" }', "pong", "7 blob\0\0\0", "websocket: close 3000: é",
         "3000 é", "timer"]
    )  # fmt: skip


# -- whole runs ------------------------------------------------------------------------------------------

Start = Callable[..., "Process"]

WAITING = """
import { WebSocket } from 'k6/websockets';
import exec from 'k6/execution';
export const options = { scenarios: { one: OPTIONS } };
export default function () {
  const ws = new WebSocket(__ENV.URL);
  ws.onopen = () => { console.log('open'); if (__ENV.ABORT) exec.test.abort('enough'); };
  ws.onclose = () => console.log('never');
}
export function teardown() { console.log('teardown'); }
"""

ONE = "{ executor: 'per-vu-iterations', vus: 1 }"


@pytest.mark.slow
def test_the_end_of_the_test_closes_sockets(
    start: Start, serve: Callable[[Callable[..., Any]], Server]
) -> None:
    recorder = Recorder()
    options = "{ executor: 'constant-vus', vus: 5, duration: '2s', gracefulStop: '0s' }"
    run = start(
        WAITING.replace("OPTIONS", options), "-e", f"URL={serve(recorder).url}", "--workers", "2"
    ).end()
    assert run.code == 0
    assert sorted(run.messages("info")) == ["open"] * 5 + ["teardown"]
    until(lambda: len(recorder.ends) == 5, "the ends of the connections")
    assert recorder.frames == [(0x88, b"\x03\xe8")] * 5


def test_interrupted_by_a_signal(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    recorder = Recorder(answer=False)
    run = start(WAITING.replace("OPTIONS", ONE), "-e", f"URL={serve(recorder).url}")
    run.wait_for("open")
    run.signal(signal.SIGINT)
    assert run.end().code == 105
    assert run.messages("info") == ["open", "teardown"]
    until(lambda: recorder.ends, "the end of the connection")
    assert recorder.frames == [(0x88, b"\x03\xe8")]


def test_aborted_by_a_handler(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    recorder = Recorder(answer=False)
    run = start(
        WAITING.replace("OPTIONS", ONE), "-e", f"URL={serve(recorder).url}", "-e", "ABORT=1"
    ).end()
    assert run.code == 108
    assert run.messages("info") == ["open", "teardown"]
    until(lambda: recorder.ends, "the end of the connection")
    assert recorder.frames == [(0x88, b"\x03\xe8")]


def test_after_a_failed_iteration_the_next_begins_anew(
    start: Start, serve: Callable[[Callable[..., Any]], Server]
) -> None:
    server = serve(echo)
    run = start(
        """
        import { WebSocket } from 'k6/websockets';
        let sockets = [];
        export default function () {
          console.log(sockets.map((one) => one.readyState).join());
          sockets = [0, 1].map(() => new WebSocket(__ENV.URL));
          for (const one of sockets) one.onopen = () => one.send('x');
          sockets[1].onmessage = () => { setTimeout(() => console.log('never'), 50); throw new Error('boom'); };
          if (__ITER === 2) sockets.forEach((one) => { one.onmessage = () => one.close(); });
        }
        """,
        "-e", f"URL={server.url}", "--iterations", "3",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["", "3,3", "3,3"]
    assert [one.split("\n")[0] for one in run.messages("error")] == ["Error: boom"] * 2
    assert run.messages("warning") == [
        f"setTimeout {number} was stopped because the VU iteration was interrupted" for number in (1, 2)
    ]
    assert server.accepted == 6


def test_the_old_name_warns_once(start: Start, serve: Callable[[Callable[..., Any]], Server]) -> None:
    run = start(
        """
        import websockets, { WebSocket, Blob } from 'k6/experimental/websockets';
        import { WebSocket as current } from 'k6/websockets';
        export default function () {
          console.log(WebSocket === current, websockets.Blob === Blob);
          new WebSocket(__ENV.URL);
        }
        """,
        "-e", f"URL={serve(pushing()).url}", "--vus", "3", "--iterations", "3", "--workers", "2",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["true true"] * 3
    assert run.messages("warning") == [
        "k6/experimental/websockets is deprecated and will be removed in a future release. "
        "Please use k6/websockets instead."
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "hog",
    [
        "const again = () => { if (isBusy()) setTimeout(again, 0); }; again();",
        "(async () => { while (isBusy()) await null; })();",
        "const id = setInterval(() => { if (!isBusy()) clearInterval(id); }, 0);",
    ],
)
def test_who_is_always_busy_lets_others_work(
    start: Start, serve: Callable[[Callable[..., Any]], Server], hog: str
) -> None:
    """One VU is busy until the other one has made its iteration."""
    run = start(
        f"""
        import exec from 'k6/execution';
        import {{ WebSocket }} from 'k6/websockets';
        export default function () {{
          let due = Date.now() + 100;
          const isBusy = () => {{
            if (Date.now() < due) return true;
            due += 100;
            return exec.instance.iterationsCompleted === 0;
          }};
          if (__VU === 1) {{ {hog} }}
          const ws = new WebSocket(__ENV.URL);
          let count = 0;
          ws.onopen = () => ws.send('x');
          ws.onmessage = () => {{ count += 1; if (count < 20) ws.send('x'); else ws.close(); }};
          ws.onclose = () => {{ if (__VU === 2) console.log('done'); }};
        }}
        """,
        "-e", f"URL={serve(echo).url}", "--vus", "2", "--iterations", "2", "--workers", "1",
    ).end()  # fmt: skip
    assert run.code == 0
    assert run.messages("info") == ["done"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("'x'", "unknown WebSocket's option 0"),
        ("['x']", "unknown WebSocket's option 0"),
        ("5", "made"),
        ("true", "made"),
        ("''", "made"),
    ],
)
def test_options_that_are_no_object(tmp_path: Path, options: str, said: str) -> None:
    stage = Stage(
        tmp_path,
        f"""
        import {{ WebSocket }} from 'k6/websockets';
        export function setup() {{
          try {{
            new WebSocket('ws://127.0.0.1:1', null, {options}).onerror = () => {{}};
            console.log('made');
          }} catch (e) {{
            console.log(e.message);
          }}
        }}
        export default function () {{}}
        """,
    ).run()
    assert stage.logged() == [said]
