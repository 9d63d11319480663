"""Runs over a real Dask cluster that end before their time, or do not begin."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from servers import reserved_port

from jsrunner.errors import ExitCode
from tests.dask_cluster import ENDLESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dask_cluster import Cluster, Pair
    from tests.running import Process


def test_ctrl_c_ends_all_machines(pair: Pair, start: Callable[..., Process]) -> None:
    process = start(ENDLESS, "--dask", pair.cluster.address)
    process.wait_for("iterates")
    process.signal(signal.SIGINT)
    process.end()
    assert process.code == ExitCode.EXTERNAL_ABORT
    assert process.messages("info").count("teardown") == 1


def test_ctrl_c_ends_the_wait_for_a_scheduler(start: Callable[..., Process]) -> None:
    """The scheduler accepts a connection and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        process = start("export default () => {}", "--dask", address)
        connection, _ = silent.accept()
        process.signal(signal.SIGINT)
        process.end()
        connection.close()
    assert process.code == ExitCode.EXTERNAL_ABORT
    assert "could not connect" not in process.stderr


def test_an_abort_on_one_machine_ends_all(pair: Pair, run: Callable[..., Process]) -> None:
    ended = run(
        """
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = { vus: 4, duration: '1h' };
        export default function () { if (exec.vu.idInTest === 2) exec.test.abort('enough'); sleep(1); }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == ExitCode.SCRIPT_ABORTED


def test_a_crossed_threshold_ends_all(pair: Pair, run: Callable[..., Process]) -> None:
    ended = run(
        """
        import { sleep } from 'k6';
        export const options = {
          vus: 4, duration: '1h',
          thresholds: { iterations: [{ threshold: 'count<4', abortOnFail: true }] },
        };
        export default function () { sleep(0.1); }
        """,
        "--dask", pair.cluster.address,
    )  # fmt: skip
    assert ended.code == ExitCode.THRESHOLDS_FAILED


def test_an_init_error_needs_no_machine(cluster: Cluster, run: Callable[..., Process]) -> None:
    ended = run("throw new Error('broken')", "--dask", cluster.address)
    assert ended.code == ExitCode.SCRIPT_EXCEPTION
    assert "broken" in ended.stderr


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


def test_a_dask_worker_without_jsrunner_is_refused(
    cluster: Cluster, tmp_path: Path, run: Callable[..., Process]
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['jsrunner'] = None")
    cluster.add(PYTHONPATH=str(tmp_path))
    cluster.await_workers(1)
    ended = run("export default () => {}", "--dask", cluster.address)
    assert ended.code == ExitCode.GENERIC
    assert "has no jsrunner: install version" in ended.stderr


def test_a_scheduler_without_workers(cluster: Cluster, run: Callable[..., Process]) -> None:
    ended = run("export default () => {}", "--dask", cluster.address)
    assert ended.code == ExitCode.GENERIC
    assert f"the Dask scheduler {cluster.address} has no workers" in ended.stderr


def test_a_scheduler_that_is_not_there(run: Callable[..., Process]) -> None:
    with reserved_port() as port:
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
