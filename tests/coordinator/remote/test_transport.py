"""Runs over the workers of a real Dask cluster on 127.0.0.1."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import jsrunner
from jsrunner import Script
from jsrunner.errors import ExitCode
from tests.running import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.coordinator.remote.conftest import Cluster, Proxy
    from tests.running import Process

ENDLESS = """
import { sleep } from 'k6';
export const options = { vus: 4, duration: '60s' };
export function setup() { console.log('setup'); }
export default function () { console.log('iterates'); sleep(0.2); }
export function teardown() { console.log('teardown'); }
"""


@pytest.fixture
def pair(cluster: Cluster) -> tuple[Cluster, list[subprocess.Popen[bytes]]]:
    """A cluster with two workers."""
    workers = [cluster.add(), cluster.add()]
    cluster.await_workers(2)
    return cluster, workers


Pair = tuple["Cluster", list["subprocess.Popen[bytes]"]]


def below(process: int) -> list[int]:
    """Return the processes that descend from this one."""
    children = [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [descendant for child in children for descendant in (child, *below(child))]


def is_alive(process: int) -> bool:
    """Return whether a process runs; a stopped parent leaves a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# -- one run -----------------------------------------------------------------------------------------


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
        "--dask", pair[0].address,
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
        "--dask", pair[0].address,
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
          sleep(exec.vu.idInTest % 2 ? 2 : 0.02);
        }
        """,
        "--dask", pair[0].address,
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    said = [text.split() for text in ended.messages("info")]
    for name, count in (("default", 60), ("later", 7)):
        assert sorted(int(number) for scenario, number, _ in said if scenario == name) == list(
            range(count)
        )
    assert 2 <= sum(slow == "1" for scenario, _, slow in said if scenario == "default") <= 8


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


# -- the end before the time -------------------------------------------------------------------------


def test_ctrl_c_ends_all_machines(pair: Pair, start: Callable[..., Process]) -> None:
    process = start(ENDLESS, "--dask", pair[0].address)
    process.wait_for("iterates")
    process.signal(signal.SIGINT)
    process.end()
    assert process.code == ExitCode.EXTERNAL_ABORT
    assert process.messages("info").count("teardown") == 1


def test_an_abort_on_one_machine_ends_all(pair: Pair, run: Callable[..., Process]) -> None:
    ended = run(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = { vus: 4, duration: '60s' };
        export default function () { if (exec.vu.idInTest === 2) exec.test.abort('enough'); sleep(1); }
        """,
        "--dask", pair[0].address,
    )  # fmt: skip
    assert ended.code == ExitCode.SCRIPT_ABORTED


def test_a_crossed_threshold_ends_all(pair: Pair, run: Callable[..., Process]) -> None:
    ended = run(
        """
        import { sleep } from 'k6';
        export const options = {
          vus: 4, duration: '60s',
          thresholds: { iterations: [{ threshold: 'count<4', abortOnFail: true }] },
        };
        export default function () { sleep(0.1); }
        """,
        "--dask", pair[0].address,
    )  # fmt: skip
    assert ended.code == ExitCode.THRESHOLDS_FAILED


def test_an_init_error_needs_no_machine(cluster: Cluster, run: Callable[..., Process]) -> None:
    ended = run("throw new Error('broken')", "--dask", cluster.address)
    assert ended.code == ExitCode.SCRIPT_EXCEPTION
    assert "broken" in ended.stderr


# -- lost machines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_machine_fails_the_run(
    number: signal.Signals, pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    lost = below(workers[0].pid)
    workers[0].send_signal(number)
    process.end()
    assert process.code == ExitCode.GENERIC
    assert "the run is not complete" in process.messages("error")[-1]
    assert process.messages("info").count("teardown") == 1
    until(lambda: not any(map(is_alive, lost)), "the end of its processes")


@pytest.mark.parametrize("place", [0, 1], ids=["agent", "worker process"])
def test_a_frozen_process_below_a_dask_worker_fails_the_run(
    place: int, pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    lost = below(workers[0].pid)
    os.kill(lost[place], signal.SIGSTOP)
    process.end()
    assert process.code == ExitCode.GENERIC
    [error] = process.messages("error")
    reason = ("has not answered for 5 seconds", "was stopped for 3 seconds")[place]
    assert f"{reason}, its 2 VUs are lost: the run is not complete" in error
    assert process.messages("info").count("teardown") == 1
    until(lambda: not any(map(is_alive, lost)), "the end of its processes")


@pytest.mark.parametrize(
    "place", [None, 0, 1], ids=["the Dask worker", "its agent", "its worker process"]
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_loss_is_tolerated(
    number: signal.Signals, place: int | None, pair: Pair, start: Callable[..., Process]
) -> None:
    """The other machine goes on to the end, and nothing is left of the lost one."""
    cluster, workers = pair
    duration = "6s" if number is signal.SIGKILL else "10s"
    process = start(ENDLESS, "--dask", cluster.address, "--tolerate-loss", "--duration", duration)
    process.wait_for("iterates")
    lost = below(workers[0].pid)
    os.kill(workers[0].pid if place is None else lost[place], number)
    process.wait_for("its 2 VUs are lost: the run goes on")
    seen = len(process.messages("info"))
    process.end()
    assert process.code == 0
    assert len(process.messages("error")) == 1
    assert process.messages("info")[seen:].count("iterates") > 2
    until(lambda: not any(map(is_alive, lost)), "the end of its processes")


SLOW_SETUP = """
import { sleep } from 'k6';
export const options = { vus: 4, iterations: 20 };
export function setup() { console.log('setup begins'); sleep(4); }
export default function () { console.log('iterates'); }
"""


def test_a_loss_during_setup_is_tolerated(pair: Pair, start: Callable[..., Process]) -> None:
    cluster, _ = pair
    _, second = cluster.processes()
    process = start(SLOW_SETUP, "--dask", cluster.address, "--tolerate-loss")
    process.wait_for("setup begins")
    os.kill(second, signal.SIGKILL)
    process.end()
    assert process.code == 0
    assert "its 2 VUs are lost: the run goes on" in process.messages("error")[0]


def test_the_loss_of_the_worker_that_runs_setup_is_an_error(
    cluster: Cluster, start: Callable[..., Process]
) -> None:
    dask = cluster.add("--nthreads", "2")
    cluster.await_workers(1)
    process = start(SLOW_SETUP, "--dask", cluster.address, "--tolerate-loss")
    process.wait_for("setup begins")
    os.kill(below(dask.pid)[1], signal.SIGKILL)  # the first worker process runs stages
    process.end()
    assert process.code == ExitCode.GENERIC
    assert "the worker that was to run setup() is lost" in process.messages("error")[-1]


def test_a_lost_worker_process_fails_the_run(pair: Pair, start: Callable[..., Process]) -> None:
    cluster, workers = pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    os.kill(below(workers[1].pid)[-1], signal.SIGKILL)
    process.end()
    assert (
        "by signal SIGKILL, its 2 VUs are lost: the run is not complete"
        in process.messages("error")[-1]
    )


def test_a_cut_connection_fails_the_run(
    cluster: Cluster, proxy: Proxy, start: Callable[..., Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy.target = free.getsockname()[1]
    cluster.add(
        "--listen-address", f"tcp://127.0.0.1:{proxy.target}",
        "--contact-address", f"tcp://127.0.0.1:{proxy.port}",
    )  # fmt: skip
    cluster.await_workers(1)
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    proxy.cut()
    process.end()
    assert process.code == ExitCode.GENERIC
    assert f"tcp://127.0.0.1:{proxy.port}" in process.messages("error")[-1]


def test_machines_do_not_go_on_without_their_coordinator(
    pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    process.signal(signal.SIGKILL)
    for worker in workers:
        until(lambda worker=worker: not below(worker.pid), "the end of the workers")


# -- a slow coordinator ------------------------------------------------------------------------------

TALKER = """
import exec from 'k6/execution';
const text = 'x'.repeat(30000);
export default function () { console.log(`${exec.scenario.iterationInTest} ${text}`); }
"""

#: Plays the coordinator with a worker that logs 60 MB: first it takes nothing, then all.
LISTENER = """
import pickle, selectors, sys, time
from jsrunner.coordinator.local import LocalTransport
from jsrunner.coordinator.planning import worker_plan
from jsrunner.coordinator.remote.transport import RemoteTransport
from jsrunner.coordinator.settings import RunSettings
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.messages import board, protocol
from jsrunner.messages.plan import Test
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources

WHOLE = Striping(None, None)
script, settings = ScriptBundle(sys.argv[1]), (dict(), SecretSources(dict()), frozenset())
transport = RemoteTransport(
    script, *settings, loader=LocalTransport(script, *settings),
    address=sys.argv[2], is_insecure=False, workers=1,
)

def messages(connection, last):
    reader = MessageReader()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while selector.select():
            data = connection.receive()
            assert data, connection.death()
            for message in reader.feed(data):
                yield message
                if isinstance(message, last):
                    return

list(messages(transport.start(1), protocol.Loaded))
config = SharedIterations(name="default", vus=1, iterations=2000)
test = Test(
    options=Options(), scenarios={"default": config}, plans={"default": config.plan(WHOLE)},
    striping=WHOLE, exports={"default": "function"}, max_vus=1,
)
assert transport.most() == 1
[[worker]] = transport.keep(1, 1)
plan = worker_plan(test, RunSettings(), machines=(1,), formatters=())
worker.send(encode(protocol.Prepare(1, pickle.dumps(plan))))
list(messages(worker, protocol.Ready))
counts = transport.board.view(0, 0)
worker.send(encode(protocol.Start(time.monotonic() + worker.clock_lead, None)))
most = 0
for _ in range(120):
    time.sleep(0.1)
    most = max(most, worker.waiting)
begun = counts.total(board.STARTED)
logs = [m for m in messages(worker, protocol.Finished) if isinstance(m, protocol.Log)]
numbers = [int(log.text.split()[0]) for log in logs]
worker.send(encode(protocol.Exit()))
transport.end(3)
print("outcome", most <= 4 << 20, 0 < begun < 2000, numbers == list(range(2000)))
"""


def test_workers_wait_for_a_slow_coordinator(cluster: Cluster, tmp_path: Path) -> None:
    """It buffers little however long it takes nothing, the worker waits, and nothing is lost."""
    cluster.add()
    cluster.await_workers(1)
    script = tmp_path / "script.js"
    script.write_text(TALKER)
    done = subprocess.run(
        [sys.executable, "-c", LISTENER, str(script), cluster.address],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert "outcome True True True" in done.stdout, done.stderr


# -- refusals ----------------------------------------------------------------------------------------


def test_another_version_is_refused(
    cluster: Cluster, tmp_path: Path, run: Callable[..., Process]
) -> None:
    other = tmp_path / "other" / "jsrunner"
    (other / "messages").mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "messages" / "__init__.py").touch()
    (other / "messages" / "stream.py").write_text("VERSION = 1\n")
    (other / "version.py").write_text("__version__ = '0.0.1'\n")
    cluster.add(PYTHONPATH=str(other.parent))
    cluster.await_workers(1)
    ended = run("export default () => {}", "--dask", cluster.address)
    assert ended.code == ExitCode.GENERIC
    assert "has jsrunner 0.0.1 (messages 1)" in ended.stderr


def test_a_scheduler_that_is_not_there(run: Callable[..., Process]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ended = run("export default () => {}", "--dask", f"tcp://127.0.0.1:{port}")
    assert ended.code == ExitCode.GENERIC
    assert f"could not connect to the Dask scheduler tcp://127.0.0.1:{port}" in ended.stderr


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:8786", "nonsense", "local:0", "local:x"])
def test_addresses_that_are_refused(address: str, run: Callable[..., Process]) -> None:
    ended = run("export default () => {}", "--dask", address)
    assert ended.code == ExitCode.GENERIC
    assert address in ended.stderr


def test_nothing_of_dask_is_imported_without_the_option(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text("export default () => {}")
    command = [sys.executable, "-X", "importtime", "-m", "jsrunner", "run", "--quiet", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "distributed" not in done.stderr
    assert "asyncio" not in done.stderr
    assert "jsrunner.coordinator.remote" not in done.stderr
