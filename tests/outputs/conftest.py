"""Receivers of outputs, and runs that send to them."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from servers import reserved_port
from waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[2]

SCRIPT = (Path(__file__).parent / "samples.js").read_text()


@pytest.fixture
def run_to(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the script with these outputs and variables: 40 iterations of 4 VUs in 2 workers."""

    def run(
        *outputs: str, script: str = SCRIPT, flags: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "script.js"
        path.write_text(script)
        return subprocess.run(
            [sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format=raw", "--workers=2",
             *(f"--out={one}" for one in outputs), *flags, str(path)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", **variables},
            capture_output=True, text=True, timeout=DEADLINE, check=False, cwd=tmp_path,
        )  # fmt: skip

    return run


def program(request: pytest.FixtureRequest, package: str, name: str) -> str:
    """A program of a Debian package: the installed one, else unpacked beside pytest's cache.

    The lock lets only one of pytest's processes download the package.
    """
    if found := shutil.which(name):
        return found
    folder = request.config.cache.mkdir("receivers")
    unpacked = folder / "usr" / "bin" / name
    with (folder / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            got = subprocess.run(
                f"apt-get download {package} && dpkg -x {package}_*.deb .",
                shell=True, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            if got.returncode:
                pytest.fail(f"this test needs Debian's package {package}: {got.stderr}")
    return str(unpacked)


def served(words: Sequence[str], url: str, log: Path) -> Iterator[None]:
    """A server while the test runs, from when it answers."""
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file, cwd=log.parent)
        try:
            until(lambda: answers(url) or process.poll() is not None, url)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def influxd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an InfluxDB 1."""
    folder = tmp_path_factory.mktemp("influxdb")
    with reserved_port() as port, reserved_port() as other:
        yield from serve_influxd(request, folder, port, other)


def serve_influxd(request: pytest.FixtureRequest, folder: Path, port: int, other: int) -> Iterator[str]:
    (folder / "influxdb.conf").write_text(
        f'''
reporting-disabled = true
bind-address = "127.0.0.1:{other}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
[monitor]
store-enabled = false
'''
    )
    url = f"http://127.0.0.1:{port}"
    words = [program(request, "influxdb", "influxd"), "-config", str(folder / "influxdb.conf")]
    for _ in served(words, f"{url}/ping", folder / "influxd.log"):
        yield url


@pytest.fixture
def prometheus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a Prometheus that takes remote writes."""
    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}"
        words = [
            program(request, "prometheus", "prometheus"), f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver", "--enable-feature=native-histograms",
        ]  # fmt: skip
        for _ in served(words, f"{url}/-/ready", tmp_path / "prometheus.log"):
            yield url
