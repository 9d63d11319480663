"""Machines of a real Dask cluster that are lost during a run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode
from tests.dask_cluster import ENDLESS, below, is_alive
from tests.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.dask_cluster import Cluster, Pair, Proxy
    from tests.running import Process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_machine_fails_the_run(
    number: signal.Signals, own_pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = own_pair
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
    place: int, own_pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = own_pair
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
    number: signal.Signals, place: int | None, own_pair: Pair, start: Callable[..., Process]
) -> None:
    """The other machine goes on to the end, and nothing is left of the lost one."""
    cluster, workers = own_pair
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


def test_a_loss_during_setup_is_tolerated(own_pair: Pair, start: Callable[..., Process]) -> None:
    cluster, _ = own_pair
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


def test_a_lost_worker_process_fails_the_run(own_pair: Pair, start: Callable[..., Process]) -> None:
    cluster, workers = own_pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    os.kill(below(workers[1].pid)[-1], signal.SIGKILL)
    process.end()
    assert (
        "by signal SIGKILL, its 2 VUs are lost: the run is not complete"
        in process.messages("error")[-1]
    )


def add_behind(proxy: Proxy, cluster: Cluster) -> subprocess.Popen[bytes]:
    """Start a Dask worker that is reached by way of the proxy only."""
    return cluster.add(
        "--listen-address", f"tcp://127.0.0.1:{proxy.target}",
        "--contact-address", f"tcp://127.0.0.1:{proxy.port}",
    )  # fmt: skip


def test_a_cut_connection_is_tolerated(
    cluster: Cluster, proxy: Proxy, start: Callable[..., Process]
) -> None:
    """The machine that nobody reaches any more ends its workers, and no iteration runs twice."""
    cut = add_behind(proxy, cluster)
    cluster.add()
    cluster.await_workers(2)
    process = start(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = {
          scenarios: { default: { executor: 'shared-iterations', vus: 4, iterations: 80 } },
        };
        export default function () { console.log(exec.scenario.iterationInTest); sleep(0.2); }
        """,
        "--dask", cluster.address, "--tolerate-loss",
    )  # fmt: skip
    until(lambda: len(process.messages("info")) > 8, "some iterations")
    lost = below(cut.pid)
    proxy.cut()
    process.end()
    assert process.code == 0
    [error] = process.messages("error")
    assert f"tcp://127.0.0.1:{proxy.port}" in error
    assert "its 2 VUs are lost: the run goes on" in error
    numbers = process.messages("info")
    assert 40 <= len(numbers) == len(set(numbers)) < 80
    until(lambda: not any(map(is_alive, lost)), "the end of its processes")


SLOW_INIT = """
import { sleep } from 'k6';
export const options = { vus: 4, iterations: 8 };
if (__VU > 0) {
  console.log('makes');
  for (const end = Date.now() + 2000; Date.now() < end;);
}
export default function () { console.log('iterates'); sleep(0.1); }
"""


@pytest.mark.parametrize("is_tolerated", [False, True])
def test_a_machine_is_lost_while_vus_are_made(
    is_tolerated: bool, own_pair: Pair, start: Callable[..., Process]
) -> None:
    flags = ("--tolerate-loss",) if is_tolerated else ()
    process = start(SLOW_INIT, "--dask", own_pair.cluster.address, *flags)
    process.wait_for("makes")
    own_pair.workers[1].kill()
    process.end()
    [error] = process.messages("error")
    if is_tolerated:
        assert process.code == 0
        assert "its 2 VUs are lost: the run goes on" in error
        assert 2 <= process.messages("info").count("iterates") < 8
    else:
        assert process.code == ExitCode.GENERIC
        assert "its 2 VUs are lost: the run is not complete" in error
        assert "iterates" not in process.messages("info")


def test_a_cut_connection_fails_the_run(
    cluster: Cluster, proxy: Proxy, start: Callable[..., Process]
) -> None:
    add_behind(proxy, cluster)
    cluster.await_workers(1)
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    proxy.cut()
    process.end()
    assert process.code == ExitCode.GENERIC
    assert f"tcp://127.0.0.1:{proxy.port}" in process.messages("error")[-1]


def test_machines_do_not_go_on_without_their_coordinator(
    own_pair: Pair, start: Callable[..., Process]
) -> None:
    cluster, workers = own_pair
    process = start(ENDLESS, "--dask", cluster.address)
    process.wait_for("iterates")
    process.signal(signal.SIGKILL)
    for worker in workers:
        until(lambda worker=worker: not below(worker.pid), "the end of the workers")
