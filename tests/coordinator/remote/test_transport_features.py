"""Scripts and outputs on two machines: they see one run."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.dask_cluster import ENDLESS, below

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dask_cluster import Pair
    from tests.running import Process


def test_outputs_have_the_samples_of_all_machines(
    pair: Pair, tmp_path: Path, run: Callable[..., Process]
) -> None:
    ended = run(
        """
        import exec from 'k6/execution';
        import { Trend } from 'k6/metrics';
        const numbers = new Trend('numbers');
        export const options = { vus: 4, iterations: 100 };
        export function setup() { numbers.add(1000); }
        export default function () { numbers.add(exec.scenario.iterationInTest); }
        export function teardown() { numbers.add(2000); }
        export function handleSummary(data) {
          return { 'summary.json': JSON.stringify(data.metrics.numbers.values) };
        }
        """,
        "--dask", pair.cluster.address, "--out", "json=out.json", "--out", "csv=out.csv",
        "--summary-export", "export.json",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    expected = [*range(100), 1000, 2000]
    lines = [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]
    points = [line for line in lines if line["type"] == "Point" and line["metric"] == "numbers"]
    assert sorted(point["data"]["value"] for point in points) == expected
    with (tmp_path / "out.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["metric_name"] == "numbers"]
    assert sorted(float(row["metric_value"]) for row in rows) == expected
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["med"], summary["max"]) == (50.5, 2000)
    exported = json.loads((tmp_path / "export.json").read_text())
    assert exported["metrics"]["iterations"]["count"] == 100


def listens_at(process: int) -> set[str]:
    """Return the addresses at which a process accepts TCP connections, as the kernel writes them.

    They are none if the process has ended.
    """
    inodes, lines = set(), []
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                inodes.add(path.readlink().name.removeprefix("socket:"))
        for name in ("tcp", "tcp6"):
            text = Path(f"/proc/{process}/net/{name}").read_text()
            lines += [line.split() for line in text.splitlines()[1:]]
    return {
        fields[1].partition(":")[0]
        for fields in lines
        if fields[3] == "0A" and f"[{fields[9]}]" in inodes
    }


def test_local_machines_listen_to_this_machine_only(start: Callable[..., Process]) -> None:
    """Any client that reaches a Dask worker can run programs there."""
    process = start(ENDLESS, "--dask", "local:2")
    process.wait_for("iterates")
    places = [listens_at(number) for number in (process.id, *below(process.id))]
    process.signal(signal.SIGINT)
    process.end()
    assert set().union(*places) == {"0100007F"}


def test_an_execution_segment_is_shared_by_the_machines(
    pair: Pair, run: Callable[..., Process]
) -> None:
    """The second half of the test, as it is of a run on one machine."""
    script = """
        import exec from 'k6/execution';
        export const options = {
          scenarios: { default: { executor: 'per-vu-iterations', vus: 8, iterations: 3 } },
          executionSegment: '1/2:1',
          executionSegmentSequence: '0,1/2,1',
        };
        export default function () {
          console.log(`${exec.vu.idInInstance} ${exec.vu.idInTest} ${exec.scenario.iterationInTest}`);
        }
        """
    here, there = run(script), run(script, "--dask", pair.cluster.address)
    assert (here.code, there.code) == (0, 0), there.stderr
    (vus, iterations), (vus_there, iterations_there) = (
        (
            {tuple(text.split()[:2]) for text in ended.messages("info")},
            sorted(int(text.split()[2]) for text in ended.messages("info")),
        )
        for ended in (here, there)
    )
    assert vus == vus_there
    assert len(vus) == 4
    assert len(iterations) == len(set(iterations)) == 12
    assert len(iterations_there) == len(set(iterations_there)) == 12


def test_scripts_see_the_instance_as_one(pair: Pair, run: Callable[..., Process]) -> None:
    ended = run(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        import { SharedArray } from 'k6/data';
        const data = new SharedArray('data', () => { console.log('made'); return ['a', 'b', 'c']; });
        export const options = { vus: 4, duration: '5s' };
        export default function () {
          const { vusActive, vusInitialized } = exec.instance;
          console.log(`${exec.vu.idInTest} ${vusActive} ${vusInitialized} ${data.length}`);
          if (exec.instance.iterationsCompleted >= 60) exec.test.abort('all have counted');
          sleep(0.1);
        }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    seen = Counter(ended.messages("info"))
    assert seen.pop("made") == 1  # the machines' are not shown
    assert {text.split()[0] for text in seen} == {"1", "2", "3", "4"}
    assert {text.split()[2] for text in seen} == {"4"}
    assert {text.split()[3] for text in seen} == {"3"}
    assert "4" in {text.split()[1] for text in seen}
    assert "all have counted" in ended.stderr
    assert sum(seen.values()) < 150


def test_environment_and_secrets_travel(
    pair: Pair, tmp_path: Path, run: Callable[..., Process]
) -> None:
    (tmp_path / "secrets").write_text("password=geheim\n")
    ended = run(
        """
        import secrets from 'k6/secrets';
        export const options = { vus: 2, iterations: 2 };
        export default async function () {
          const secret = await secrets.get('password');
          console.log(`${__ENV.NAME} ${secret.length} ${secret}`);
        }
        """,
        "--dask", pair.cluster.address, "--env", "NAME=value",
        "--secret-source", "file=secrets",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    assert ended.messages("info") == ["value 6 ***SECRET_REDACTED***"] * 2
