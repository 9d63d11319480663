"""Settings of all tests, and fixtures for tests of whole runs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from http_sites import Authority, Http2Site, Site
from hypothesis import HealthCheck, settings
from running import Process
from servers import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from core_vu import VU

# Standard streams are buffered, as a user's are: what relies on the opposite would pass unseen.
os.environ.pop("PYTHONUNBUFFERED", None)
# Runs load bytecode, as a user's do: compiling the package costs each of them 0.06 s of CPU.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No limits of time: a loaded machine must not fail a test. Half the usual number of examples: hypothesis
# keeps those that failed, and every run tries others.
settings.register_profile(
    "jsrunner", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
# By hand: --hypothesis-profile fuzz.
settings.register_profile("fuzz", settings.get_profile("jsrunner"), max_examples=50_000)
settings.load_profile("jsrunner")


#: Folders and fixtures of tests that run the whole program.
WHOLE_RUNS = {"api", "compat", "docs", "faults", "js_scripts", "pytest_plugin", "rest"}
RUNNERS = {"cluster", "run_on_pipe", "run_on_terminal", "run_to", "start"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of whole runs, and of releases, as slow; others that take a second bear the mark."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        fixtures = set(getattr(item, "fixturenames", ()))
        if folder in WHOLE_RUNS or fixtures & RUNNERS or item.get_closest_marker("release"):
            item.add_marker(pytest.mark.slow)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the core if its sources have changed; xdist's processes find it there."""
    if hasattr(config, "workerinput"):
        return
    from jsrunner.core.build import BuildError, build, system_compiler

    try:
        if not system_compiler():
            os.environ["CC"] = zig(config)
        build(strict=True)
    except (BuildError, subprocess.CalledProcessError) as error:
        pytest.exit(str(error), 1)


def zig(config: pytest.Config) -> str:
    """The command of a C compiler where the system has none: PyPI's, beside pytest's cache."""
    from jsrunner.core.build import ZIG

    if installed := importlib.util.find_spec("ziglang"):
        assert installed.origin
        return f"{Path(installed.origin).parent}/zig cc"
    assert config.cache
    folder = config.cache.mkdir("zig")
    program = folder / "ziglang" / "zig"
    if not program.exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), ZIG]
        subprocess.run(install, check=True)
    return f"{program} cc"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a run of a script (its text, or a path)."""
    started: list[Process] = []

    def start(
        script: str | Path | None,
        *flags: str,
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        stdout: Any = subprocess.PIPE,
    ) -> Process:
        process = Process(tmp_path, script, flags, env or {}, prefix, stdout)
        started.append(process)
        return process

    yield start
    for process in started:
        process.destroy()
        if process.process.stdout:
            process.process.stdout.close()


@pytest.fixture
def run(start: Callable[..., Process]) -> Callable[..., Process]:
    """Run a script to its end."""

    def run(script: str | Path | None, *flags: str, **more: Any) -> Process:
        return start(script, *flags, **more).end()

    return run


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], Any]], Server]]:
    """Start a server on 127.0.0.1 that passes each connection to a function of the test."""
    servers: list[Server] = []

    def serve(handle: Callable[[socket.socket], Any]) -> Server:
        servers.append(Server(handle))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()
        assert not server.failures


@pytest.fixture
def make_vu() -> Iterator[Callable[..., VU]]:
    """Make VUs of the core in this process (see core_vu.py)."""
    from core_vu import VU

    from jsrunner.engine.engine import process_engine

    process_engine().forget_modules()
    made: list[VU] = []

    def make(source: str = "", **more: Any) -> VU:
        made.append(VU(source, **more))
        return made[-1]

    yield make
    for vu in made:
        vu.close()


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone that the test is parametrized with, e.g. `IST-5:30`."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def echo() -> Iterator[str]:
    """The URL of a WebSocket server that sends back each message."""
    from websockets.sync.server import serve

    def handle(connection: Any) -> None:
        for message in connection:
            connection.send(message)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def site(authority: Authority) -> Iterator[Site]:
    """The HTTP server of the compatibility suite."""
    found = Site(authority)
    yield found
    found.close()


@pytest.fixture(scope="session")
def http2_site(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http2Site]:
    found = Http2Site(authority, tmp_path_factory.mktemp("http2"))
    yield found
    found.close()
