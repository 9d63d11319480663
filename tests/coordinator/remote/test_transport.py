"""Runs over the workers of a real Dask cluster on 127.0.0.1."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import jsrunner
from jsrunner import Script
from tests.dask_cluster import ENDLESS, below
from tests.running import ROOT
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dask_cluster import Cluster, Pair
    from tests.running import Process


def test_two_machines_are_one_run(pair: Pair, tmp_path: Path, run: Callable[..., Process]) -> None:
    """setup, teardown, VU numbers and iteration numbers are those of one run; metrics are merged."""
    (tmp_path / "data.json").write_text("[1, 2, 3]")
    (tmp_path / "helper.js").write_text("export const twice = (value) => 2 * value;")
    ended = run(
        """
        import exec from 'k6/execution';
        import { SharedArray } from 'k6/data';
        import { Counter, Trend } from 'k6/metrics';
        import { twice } from './helper.js';
        const data = new SharedArray('data', () => JSON.parse(open('./data.json')));
        const sum = new Counter('sum'), numbers = new Trend('numbers');
        export const options = {
          scenarios: { default: { executor: 'shared-iterations', vus: 4, iterations: 100 } },
          thresholds: { sum: ['count==400'], numbers: ['avg==49.5', 'med==49.5', 'max==99'] },
        };
        export function setup() { console.log('setup'); return { bonus: 1 }; }
        export default function ({ bonus }) {
          numbers.add(exec.scenario.iterationInTest);
          sum.add(twice(data[0]) + data[0] + bonus);
          console.log(`vu ${exec.vu.idInTest}`);
        }
        export function teardown({ bonus }) { console.log(`teardown ${bonus}`); }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    said = Counter(ended.messages("info"))
    assert (said["setup"], said["teardown 1"]) == (1, 1)
    assert {text for text in said if text.startswith("vu")} == {
        f"vu {number}" for number in (1, 2, 3, 4)
    }


def test_numbers_of_iterations_without_end_are_different(
    pair: Pair, run: Callable[..., Process]
) -> None:
    ended = run(
        """
        import exec from 'k6/execution';
        export const options = {
          scenarios: {
            each: { executor: 'per-vu-iterations', vus: 4, iterations: 5 },
            rate: {
              executor: 'constant-arrival-rate', rate: 50, duration: '1s', preAllocatedVUs: 4,
            },
          },
        };
        export default function () {
          console.log(`${exec.scenario.name} ${exec.scenario.iterationInTest}`);
        }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    said = ended.messages("info")
    assert len(said) == len(set(said))
    assert sum(text.startswith("each") for text in said) == 20


def test_a_fast_machine_takes_over_shared_iterations(pair: Pair, run: Callable[..., Process]) -> None:
    """VUs 1 and 3 are those of one machine."""
    ended = run(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = {
          scenarios: {
            default: { executor: 'shared-iterations', vus: 4, iterations: 60 },
            later: { executor: 'shared-iterations', vus: 4, iterations: 7, startTime: '1s' },
          },
          thresholds: { iterations: ['count==67'] },
        };
        export default function () {
          console.log(`${exec.scenario.name} ${exec.scenario.iterationInTest} ${exec.vu.idInTest % 2}`);
          sleep(exec.vu.idInTest % 2 ? 4 : 0.02);
        }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    said = [text.split() for text in ended.messages("info")]
    for name, count in (("default", 60), ("later", 7)):
        assert sorted(int(number) for scenario, number, _ in said if scenario == name) == list(
            range(count)
        )
    assert 2 <= sum(slow == "1" for scenario, _, slow in said if scenario == "default") <= 8


def test_starts_go_to_a_machine_that_has_a_free_vu(pair: Pair, run: Callable[..., Process]) -> None:
    """VUs with odd numbers, those of one machine, are busy to the end; each start is made or dropped.

    The other machine has so many VUs that it is late by a second without dropping starts.
    """
    ended = run(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = {
          scenarios: {
            default: {
              executor: 'constant-arrival-rate', rate: 10, duration: '6s', preAllocatedVUs: 20,
            },
          },
          summaryTrendStats: ['count'],
        };
        export default function () {
          const slow = exec.vu.idInTest % 2;
          console.log(`${exec.scenario.iterationInTest} ${slow}`);
          sleep(slow ? 8 : 0.02);
        }
        export function handleSummary({ metrics }) {
          const dropped = metrics.dropped_iterations;
          return { stdout: `${metrics.iterations.values.count} ${dropped ? dropped.values.count : 0}` };
        }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    said = [text.split() for text in ended.messages("info")]
    made, dropped = map(int, ended.stdout.split())
    assert len({number for number, _ in said}) == len(said) == made
    assert made + dropped in (60, 61)
    assert dropped < 15
    assert sum(slow == "1" for _, slow in said) == 10


def test_times_are_those_of_the_coordinators_clock(
    cluster: Cluster, tmp_path: Path, run: Callable[..., Process]
) -> None:
    """The clock of one machine is an hour ahead, of another one two hours behind."""
    for name, seconds in (("ahead", 3600), ("behind", -7200)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import time\n"
            "seconds, nanoseconds = time.time, time.time_ns\n"
            f"time.time = lambda: seconds() + {seconds}\n"
            f"time.time_ns = lambda: nanoseconds() + {seconds} * 10**9\n"
        )
        cluster.add(PYTHONPATH=f"{folder}:{ROOT}")
    cluster.await_workers(2)
    before = time.time()
    ended = run(
        """
        import { sleep } from 'k6';
        export const options = { vus: 4, iterations: 40 };
        export default function () { console.log('x'); sleep(0.1); }
        """,
        "--dask", cluster.address, "--out", "json=out.json",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]
    points = [line["data"] for line in lines if line["type"] == "Point"]
    times = [point["time"] for point in points] + [record["time"] for record in ended.records()]
    seconds = [datetime.fromisoformat(at[:19]).replace(tzinfo=timezone.utc).timestamp() for at in times]
    assert before - 2 < min(seconds) <= max(seconds) < time.time() + 2


def test_a_machine_has_a_worker_process_for_each_thread(
    cluster: Cluster, start: Callable[..., Process]
) -> None:
    dask = cluster.add("--nthreads", "3")
    cluster.await_workers(1)
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    assert len(below(dask.pid)) == 4  # the agent, too
    process.signal(signal.SIGINT)
    process.end()
    until(lambda: not below(dask.pid), "the end of the workers")


def test_local_nodes(run: Callable[..., Process]) -> None:
    script = "export const options = { iterations: 10, vus: 2 }; export default () => console.log('x');"
    ended = run(script, "--dask", "local:2")
    assert ended.code == 0, ended.stderr
    assert ended.messages("info") == ["x"] * 10


def test_the_library_runs_on_machines(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add()
    cluster.await_workers(1)
    script = Script.from_text("export default () => {}")
    result = jsrunner.run(script, options={"iterations": 10, "vus": 2}, dask=cluster.address)
    assert result.passed
    assert result.metrics["iterations"]["count"] == 10
