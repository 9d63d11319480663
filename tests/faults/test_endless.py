"""Scripts that never come to an end: they are stopped on time, and hold up nobody else."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from running import memory
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from running import Process

    Run = Callable[..., Process]

#: VUs of one process: one works, the others never come to an end. Nothing but time can stop such VUs, so the scenarios
#: have durations. They are long enough for all VUs to begin on a machine that is busy with other processes.
BESIDE = """
import exec from 'k6/execution';
import { sleep } from 'k6';
import ws from 'k6/ws';

const loop = (exec, duration) => ({ executor: 'ramping-vus', startVUs: 1, stages: [{ duration, target: 1 }],
  gracefulRampDown: '0s', gracefulStop: '0s', exec });
export const options = { scenarios: { good: loop('good', '2500ms') } };
export function good() { sleep(0.001); if (__ITER === 2) console.log('the other one goes on'); }
"""
BODIES = [
    "while (true) {}",
    "for (;;) { try { while (true) {} } catch (e) {} finally { continue; } }",
    "for (;;) { try { sleep(0.001); } catch (e) {} }",
    "for (;;) { try { exec.vu.metrics.tags.a = 1; } catch (e) {} }",
    "for (;;) { try { ws.connect('ws://127.0.0.1:1', () => {}); } catch (e) {} }",
    "for (;;) { try { await null; } catch (e) {} }",
    "for (;;) { try { await Promise.reject(1); } catch (e) {} }",
    "Promise.resolve().then(() => { while (true) {} }); await new Promise(() => {});",
    "await new Promise(() => { setInterval(() => {}, 1); });",
    "({ get a() { while (true) {} } }).a;",
    "[1, 2, 3].sort(() => { while (true) {} });",
    "JSON.stringify({ toJSON() { while (true) {} } });",
    "`${{ toString() { while (true) {} } }}`;",
    "console.log({ toString() { while (true) {} }, get a() { for (;;) {} } });",
    "exec.vu.metrics.tags[{ toString() { while (true) {} } }] = 1;",
    "/(a+)+$/.test('a'.repeat(64) + 'b');",
    "const f = function* () { try { yield 1; } finally { for (;;) {} } }; for (const x of f()) break;",
    "sleep(1e9);",
    # QuickJS makes a rejection of an interrupt in executors and async functions.
    "const f = () => {}; for (;;) { new Promise(() => { f(); f(); f(); }); (async () => { await f(); })(); }",
    "const f = () => {}; for (;;) (async () => { f(); f(); f(); f(); f(); await f(); })();",
    "for (;;) new Promise(() => { for (;;) {} });",
    "async function* g() { for (;;) { try { for (;;) {} } catch (e) {} finally { yield 1; } } }"
    " for await (const x of g()) {}",
    "const p = new Proxy({}, { get() { for (;;) {} } }); for (;;) { try { p.x; } catch (e) {} }",
    "for (;;) { try { JSON.stringify([1], () => { for (;;) {} }); } catch (e) {} }",
    "for (;;) { try { 'abc'.replace(/b/, () => { for (;;) {} }); } catch (e) {} }",
]

#: With a deep stack each turn of the others costs some 0.1 s.
RECURSION = "(function f() { try { f(); } finally { f(); } })();"


@pytest.mark.parametrize(
    "bodies", [BODIES[0:5], BODIES[5:9], BODIES[9:14], BODIES[14:18], BODIES[18:], [RECURSION]]
)
def test_endless_iterations(run: Run, bodies: list[str]) -> None:
    script = BESIDE
    for number, body in enumerate(bodies):
        script += f"""
        options.scenarios.bad{number} = loop('bad{number}', '1500ms');
        export async function bad{number}() {{ console.log('begun {number}'); {body} }}
        """
    done = run(script, "--workers", "1")
    assert done.code == 0, done.stderr
    assert done.said("the other one goes on")
    assert all(done.said(f"begun {number}") for number in range(len(bodies)))
    assert done.messages("error") == []
    assert "iterations" in done.stdout


#: Built-ins of which each takes long, and such as do not end.
SLOW = [
    "const s = 'x'.repeat(1e7); for (;;) s.indexOf('y');",
    "let deep = []; for (let i = 0; i < 50000; i += 1) deep = [deep]; JSON.stringify(deep);",
    "for (;;) { try { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); } catch (e) {} }",
]


def test_slow_built_ins(run: Run) -> None:
    """They end in time, and what does not end costs its VU the state and nothing else."""
    script = BESIDE + "options.scenarios.good.stages[0].duration = '6s';"
    for number, body in enumerate(SLOW):
        script += f"""
        options.scenarios.bad{number} = loop('bad{number}', '1s');
        options.scenarios.bad{number}.startTime = '{1.5 * number}s';
        export async function bad{number}() {{ console.log('begun {number}'); {body} }}
        """
    done = run(script, "--workers", "1")
    assert done.code == 0, done.stderr
    assert done.said("the other one goes on")
    assert all(done.said(f"begun {number}") for number in range(len(SLOW)))
    assert done.messages("error") == []
    [warning] = done.messages("warning")
    assert re.fullmatch(r"VU \d was stopped in a built-in function that did not end", warning)
    assert "iterations" in done.stdout


def test_interrupted_vu_works_on(run: Run) -> None:
    """The VU keeps its state and its numbers, as in k6. A scenario begins without tags."""
    done = run(
        """
        import exec from 'k6/execution';
        import { SharedArray } from 'k6/data';
        const shared = new SharedArray('s', () => [{ a: 1 }]);
        let state = 0;
        export const options = { scenarios: {
          first: { executor: 'ramping-vus', startVUs: 1, stages: [{ duration: '1s', target: 1 }],
            gracefulStop: '0s', exec: 'first' },
          second: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'second', startTime: '1500ms' },
        } };
        export function first() {
          state += 1;
          exec.vu.metrics.tags.kept = 'yes';
          exec.vu.metrics.metadata.note = 'kept too';
          while (true) {}
        }
        export function second() {
          state += 1;
          const { tags, metadata } = exec.vu.metrics;
          console.log(`state ${state} iter ${__ITER} vu ${__VU} tags ${tags.kept} ${metadata.note} `
            + `shared ${shared[0].a} ${exec.vu.iterationInScenario}`);
        }
        """,
        "--workers",
        "1",
    )
    assert done.code == 0, done.stderr
    assert done.messages("info") == [
        "state 2 iter 1 vu 1 tags undefined undefined shared 1 0",
        "state 3 iter 2 vu 1 tags undefined undefined shared 1 1",
    ]


@pytest.mark.parametrize(
    ("stage", "code", "hint"),
    [("setup", 100, "setupTimeout"), ("teardown", 101, "teardownTimeout")],
)
@pytest.mark.parametrize(
    "body", ["while (true) {}", "sleep(1e9)", "await new Promise(() => setInterval(() => {}, 5))"]
)
def test_endless_stage(run: Run, stage: str, code: int, hint: str, body: str) -> None:
    done = run(
        f"""
        import {{ sleep }} from 'k6';
        export const options = {{ {hint}: '200ms' }};
        export async function {stage}() {{ {body}; }}
        export default function () {{ console.log('ran'); }}
        """
    )
    assert done.code == code
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert record["msg"].startswith(f"{stage}() execution timed out after 0")
    assert hint in record["hint"]
    assert done.said("ran") == (stage == "teardown")
    assert "data_sent" in done.stdout


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("while (true) {}", "handleSummary (file:///SCRIPT:4:"),
        ("sleep(1e9)", "handleSummary (file:///SCRIPT:4:"),
        ("[1].forEach(() => sleep(1e9))", "file:///SCRIPT:4:"),
        ("setTimeout(function late() { sleep(1e9); })", "late (file:///SCRIPT:4:"),
        ("return new Promise((resolve) => setTimeout(resolve, 1e9))", None),
    ],
)
def test_endless_summary(run: Run, body: str, where: str | None) -> None:
    """k6 logs the place of the script's code that was interrupted, if there is any."""
    done = run(
        f"""
        import {{ sleep }} from 'k6';
        export default function () {{}}
        export function handleSummary() {{ {body}; }}
        """,
        env={"K6_HANDLE_SUMMARY_TIMEOUT": "200ms"},
    )
    assert done.code == 0, done.stderr
    *places, failure = done.messages("error")
    assert failure == "failed to handle the end-of-test summary"
    shown = [re.sub("file://.*/script.js", "file:///SCRIPT", place) for place in places]
    assert [place.partition("4:")[0] + "4:" for place in shown] == (
        [] if where is None else [f"context canceled at {where}"]
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("number", "where", "body"),
    [
        (signal.SIGINT, "__VU === 0", "while (true) {}"),
        (signal.SIGTERM, "__VU === 0", "sleep(1e9)"),
        (signal.SIGINT, "__VU === 2", "sleep(1e9)"),
        (signal.SIGTERM, "__VU === 2", "while (true) {}"),
    ],
)
def test_endless_init(start: Run, where: str, body: str, number: int) -> None:
    """Only a signal ends it."""
    process = start(
        f"""
        import {{ sleep }} from 'k6';
        if ({where}) {{ console.log('init'); {body}; }}
        export default function () {{}}
        """,
        "--vus",
        "2",
        "--iterations",
        "2",
    )
    process.wait_for("init")
    process.signal(number)
    done = process.end()
    assert done.code == 105
    name = "interrupt" if number == signal.SIGINT else "terminated"
    assert done.messages("error") == [f"test run was aborted because k6 received a '{name}' signal"]


def test_recursion_without_end(run: Run) -> None:
    done = run(
        """
        export const options = { scenarios: {
          good: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'good', startTime: '300ms' },
          bad: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'bad' },
        } };
        export function good() { console.log('good'); }
        function deeper(n) { return deeper(n + 1) + 1; }
        export function bad() {
          try { deeper(0); } catch (error) { console.log('caught', error instanceof RangeError); }
          deeper(0);
        }
        """,
        "--workers",
        "1",
    )
    assert done.code == 0, done.stderr
    assert done.messages("info").count("caught true") == 2
    assert "good" in done.messages("info")
    errors = done.messages("error")
    assert len(errors) == 2
    assert all("RangeError: Maximum call stack size exceeded" in one for one in errors)
    assert all("at bad (file://" in one and "script.js:8:" in one for one in errors)


def test_recursion_on_a_small_stack(run: Run) -> None:
    """If the system grants a smaller stack, JavaScript uses less."""
    done = run(
        "export default function () { (function f() { f(); })(); }",
        prefix=("sh", "-c", 'ulimit -s 4096 && exec "$@"', "sh"),
    )
    assert done.code == 0, done.stderr
    [message] = done.messages("error")
    assert message.startswith("RangeError: Maximum call stack size exceeded")


@pytest.mark.parametrize(
    "depth", ["String(nested)", "nested.flat(Infinity)", "JSON.parse('['.repeat(1e6))"]
)
def test_recursion_in_built_ins(run: Run, depth: str) -> None:
    done = run(
        f"""
        export default function () {{
          let nested = [];
          for (let i = 0; i < 1e5; i += 1) nested = [nested];
          {depth};
        }}
        """,
        "-i",
        "2",
    )
    assert done.code == 0, done.stderr
    assert len(done.messages("error")) == 2
    assert done.said("script.js:")


ALLOCATE = """
export const options = { scenarios: {
  good: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'good', startTime: '1s' },
  bad: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'bad' },
} };
export function good() { console.log('good'); }
export function bad() { const all = []; for (;;) all.push(%s); }
"""


@pytest.fixture
def peak() -> Iterator[Callable[[Process], int]]:
    def peak(process: Process) -> int:
        """The most memory that a worker of a run has had when it has ended."""
        most = [0]

        def look() -> bool:
            most.append(max(map(memory, process.others()), default=0))
            return process.process.poll() is not None

        until(look, "the end of the run")
        return max(most)

    return peak


@pytest.mark.parametrize(
    "what", ["new Array(10000).fill(1)", "'x'.repeat(100000) + all.length", "new ArrayBuffer(1e6)"]
)
def test_allocation_without_end(start: Run, peak: Callable[[Process], int], what: str) -> None:
    process = start(ALLOCATE % what, "--workers", "1")
    most = peak(process)
    done = process.end()
    assert done.code == 0, done.stderr
    assert done.said("good")
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert "out of memory" in record["msg"] + record["hint"]
    assert most < 800 << 20


def test_a_million_timers(run: Run) -> None:
    done = run(
        """
        export default function () {
          let count = 0;
          for (let i = 0; i < 1e6; i += 1) setTimeout(() => { count += 1; if (count === 1e6) console.log('all'); }, i % 100);
        }
        """
    )
    assert done.code == 0, done.stderr
    assert done.messages() == ["all"]


#: What takes memory in our own code, and holds it.
HOARDS = {
    "timers": "for (;;) setTimeout(() => {}, 1e9);",
    "listeners": "const s = new WebSocket('ws://127.0.0.1:1'); for (;;) s.addEventListener('open', () => {});",
    "handlers": "ws.connect(__ENV.URL, (s) => { for (;;) s.on('open', () => {}); });",
    "timers of a socket": "ws.connect(__ENV.URL, (s) => { for (;;) s.setTimeout(() => {}, 1e6); });",
}


@pytest.mark.parametrize("hoard", HOARDS)
def test_memory_runs_out_in_our_own_code(run: Run, echo: str, hoard: str) -> None:
    """The iteration fails; the next iteration and the other VU go on."""
    done = run(
        f"""
        import {{ sleep }} from 'k6';
        import ws from 'k6/ws';
        import {{ WebSocket }} from 'k6/websockets';
        export const options = {{ scenarios: {{
          good: {{ executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'good', startTime: '300ms' }},
          bad: {{ executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'bad' }},
        }} }};
        export function good() {{ console.log('good'); }}
        export function bad() {{
          console.log('begun');
          if (__ITER === 0) {{ {HOARDS[hoard]} }}
        }}
        """,
        "--workers",
        "1",
        "-e",
        f"URL={echo}",
    )
    assert done.code == 0, done.stderr
    assert sorted(done.messages("info"))[-3:] == ["begun", "begun", "good"]
    assert done.said("out of memory") or any(
        "out of memory" in one.get("hint", "") for one in done.records()
    )


def test_worker_in_native_code_is_killed(start: Run) -> None:
    """Nothing inside of the process can stop this: the coordinator does."""
    process = start(
        """
        export default function () {
          console.log('begun');
          Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
        }
        """
    )
    process.wait_for("begun")
    process.signal(signal.SIGINT)
    process.wait_for("received a 'interrupt' signal")
    process.signal(signal.SIGINT)
    assert process.end().code == 105
