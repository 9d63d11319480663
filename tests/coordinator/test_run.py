"""The life of a run, seen from outside: stages, messages, exit codes. (Faults: tests/faults.)"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from servers import reserved_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from http_sites import Site
    from running import Process

    Run = Callable[..., Process]


def test_stages_in_order_and_their_data(run: Run) -> None:
    done = run(
        """
        console.log('init', __VU);
        export const options = { vus: 2, iterations: 2 };
        export function setup() { console.log('setup'); return { when: new Date(0), list: [undefined, 1] }; }
        export default function (data) { console.log('run', data); }
        export function teardown(data) { console.log('teardown', data); }
        export function handleSummary(data) { console.log('summary', data.setup_data); return { stdout: 'S' }; }
        """
    )
    assert done.code == 0
    assert done.stdout == "S"
    texts = done.messages("info")
    shown = '{ list: [ null, 1 ], when: "1970-01-01T00:00:00Z" }'
    assert sorted(texts[:3]) == ["init 0", "init 1", "init 2"]
    assert texts.count("init 0") == 4  # the run itself, setup, teardown, the summary
    rest = [one for one in texts if not one.startswith("init")]
    assert rest == ["setup", f"run {shown}", f"run {shown}", f"teardown {shown}", f"summary {shown}"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("", 0),
        ("throw new Error('x');", 0),
        ("check(1, { no: () => false });", 0),
        ("count.add(1);", 99),
        ("exec.test.fail('so');", 110),
        ("exec.test.abort('now');", 108),
        ("exec.test.fail(); count.add(1);", 110),
        ("exec.test.fail(); exec.test.abort();", 108),
    ],
)
def test_exit_codes(run: Run, more: str, code: int) -> None:
    done = run(
        f"""
        import {{ check }} from 'k6';
        import exec from 'k6/execution';
        import {{ Counter }} from 'k6/metrics';
        const count = new Counter('count_of_mine');
        export const options = {{ thresholds: {{ count_of_mine: ['count<1'] }} }};
        export default function () {{ {more} }}
        """
    )
    assert done.code == code
    assert "iterations" in done.stdout


def test_the_iteration_that_aborts_is_interrupted(run: Run) -> None:
    """k6 measures it all the same."""
    done = run(
        """
        import exec from 'k6/execution';
        export const options = { iterations: 3 };
        export default function () { if (exec.scenario.iterationInTest === 1) exec.test.abort(); }
        export const handleSummary = (data) => ({ stdout: `${data.metrics.iterations.values.count}` });
        """,
        "--verbose",
    )
    assert done.said("Scenario ended: 1 complete and 1 interrupted iterations")
    assert done.stdout.endswith("2")


@pytest.mark.slow
def test_abort_on_fail_stops_the_run(run: Run) -> None:
    done = run(
        """
        import { sleep } from 'k6';
        import { Counter } from 'k6/metrics';
        const count = new Counter('count_of_mine');
        export const options = { vus: 1, duration: '1m', thresholds: {
          count_of_mine: [{ threshold: 'count<1', abortOnFail: true }] } };
        export default function () { count.add(1); sleep(0.05); }
        export function teardown() { console.log('teardown'); }
        """
    )
    assert done.code == 99
    assert done.said("at least one has abortOnFail enabled, stopping test prematurely")
    assert done.said("teardown")


def test_summary_files(run: Run, tmp_path: Path) -> None:
    done = run(
        """
        export default function () {}
        export const handleSummary = () => ({
          'a.txt': 'text ü', 'b.bin': new Uint8Array([0, 255]).buffer, stderr: 'to stderr\\n', 'no/dir.txt': 'x',
        });
        """
    )
    assert done.code == 0
    assert done.stdout == ""
    assert (tmp_path / "a.txt").read_text() == "text ü"
    assert (tmp_path / "b.bin").read_bytes() == b"\0\xff"
    assert "to stderr" in done.stderr
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert "could not open 'no/dir.txt'" in record["error"]


def test_summary_export_and_samples_agree(run: Run, tmp_path: Path) -> None:
    done = run(
        "export default function () {}", "-i", "40", "-u", "3",
        "--summary-export", "s.json", "--out", "json=o.json", "--out", "csv=o.csv",
    )  # fmt: skip
    assert done.code == 0
    exported = json.loads((tmp_path / "s.json").read_text())["metrics"]
    points = [json.loads(line) for line in (tmp_path / "o.json").read_text().splitlines()]
    samples = [one for one in points if one["type"] == "Point" and one["metric"] == "iterations"]
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert exported["iterations"]["count"] == len(samples) == 40
    assert sum(row.startswith("iterations,") for row in rows) == 40


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_numbers_do_not_depend_on_the_workers(run: Run, workers: int) -> None:
    done = run(
        """
        import exec from 'k6/execution';
        import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
        const [c, r, t] = [new Counter('my_c'), new Rate('my_r'), new Trend('my_t')];
        export const options = { vus: 6, iterations: 120 };
        export default function () {
          const n = exec.scenario.iterationInTest;
          c.add(n); r.add(n % 3 === 0); t.add(n);
        }
        export const handleSummary = ({ metrics }) => ({
          stdout: JSON.stringify([metrics.my_c.values.count, metrics.my_r.values, metrics.my_t.values]) });
        """,
        "--workers",
        str(workers),
    )
    count, rate, trend = json.loads(done.stdout)
    assert count == sum(range(120))
    assert rate == {"rate": 1 / 3, "passes": 40, "fails": 80}
    assert (trend["min"], trend["max"], trend["med"], trend["avg"]) == (0, 119, 59.5, 59.5)


DEAD = """
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
export const options = { vus: 2, iterations: 6, throw: __ENV.THROW === 'yes' };
export default function () {
  const url = __ENV.SOME && __ITER % 2 ? __ENV.SOME : __ENV.URL;
  if (__ENV.MODULE === 'ws') ws.connect(url, (socket) => socket.close());
  else new WebSocket(url).addEventListener('open', (event) => event.target?.close());
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["ws", "websockets"])
def test_a_run_without_a_single_session_says_why(run: Run, module: str, echo: str) -> None:
    with reserved_port() as port:
        url = f"ws://127.0.0.1:{port}/"
        done = run(DEAD, f"--env=URL={url}", f"--env=MODULE={module}", "--workers=2")
        assert done.messages("info") == [
            "No WebSocket session was opened: 6 of 6 handshakes failed, the first one with: "
            f"dial tcp 127.0.0.1:{port}: connect: connection refused"
        ]
        done = run(DEAD, f"--env=URL={url}", f"--env=MODULE={module}", f"--env=SOME={echo}")
        assert not done.said("No WebSocket session was opened")


def test_a_refused_handshake_is_told_with_its_status(run: Run, site: Site) -> None:
    url = site.http.replace("http", "ws") + "/status/403"
    done = run(DEAD, f"--env=URL={url}", "--env=MODULE=ws", "--env=THROW=yes")
    assert done.messages("info") == [
        "No WebSocket session was opened: 6 of 6 handshakes failed, the first one with: "
        "websocket: bad handshake (status 403)"
    ]


@pytest.mark.parametrize("flags", [("-u", "2"), ("-d", "1s"), ("-i", "1"), ("-s", "1s:1")])
def test_a_load_that_replaces_scenarios_gets_a_hint(run: Run, flags: tuple[str, ...]) -> None:
    load = "{ executor: 'constant-vus', vus: 1, duration: '1s', exec: 'f' }"
    done = run(
        f"export const options = {{ scenarios: {{ a: {load} }} }}; export function f() {{}}", *flags
    )
    assert done.code == 104
    (record,) = [one for one in done.records() if one["level"] == "error"]
    assert record["msg"].endswith("executor default: function 'default' not found in exports")
    assert "--scenario and --once keep the scenarios" in record["hint"]
    done = run("export function f() {}", *flags)
    (record,) = [one for one in done.records() if one["level"] == "error"]
    assert "hint" not in record


@pytest.mark.parametrize("timeout", ["0", "-5"])
def test_no_time_for_teardown(run: Run, timeout: str) -> None:
    done = run(
        f"""
        export const options = {{ teardownTimeout: {timeout} }};
        export default function () {{}}
        export function teardown() {{ console.log('teardown'); }}
        """
    )
    assert (done.code, done.messages("info")) == (101, [])
    (error,) = done.messages("error")
    assert error.startswith("teardown() execution timed out after")


def test_a_vu_that_comes_and_goes_at_once(run: Run) -> None:
    done = run(
        """
        export const options = { scenarios: { s: {
          executor: 'ramping-vus', startVUs: 1, stages: [{ duration: 0, target: 0 }],
          gracefulStop: '0s', gracefulRampDown: '0s',
        } } };
        export default function () { console.log('ran'); }
        """
    )
    assert (done.code, done.messages("info"), done.messages("error")) == (0, [], [])
