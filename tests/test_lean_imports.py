"""Imports of a run. They cost start-up time, so no module is imported before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Not for a script that opens no connection, in the coordinator or in a worker.
NEEDLESS = {
    "aiohttp", "argparse", "asyncio", "cryptography", "http", "jsrunner.executors.ramping_vus",
    "jsrunner.transport.dial", "logging", "ngh2", "rich", "selectolax", "ssl", "trustme", "urllib3",
    "websocket", "websockets",
}  # fmt: skip


#: Not for a script that has no checks and no groups either.
NEEDLESS_FOR_NOTHING = {
    "_hashlib", "dataclasses", "hashlib", "jsrunner.engine.error_texts", "jsrunner.outputs.extension",
    "jsrunner.outputs.pusher", "jsrunner.rest", "jsrunner.script.typescript", "jsrunner.server",
    "fractions", "jsrunner.transport.url", "jsrunner.ui.live", "jsrunner.ui.loki", "jsrunner.ui.plain",
    "orjson", "pprint", "queue",
}  # fmt: skip
#: Before Python 3.11 msgspec needs typing_extensions, which imports inspect, and uuid, which imports threading.
NEEDLESS_IF_NEW = {"inspect", "threading"} if sys.version_info >= (3, 11) else set()


def loaded(program: list[str], folder: Path) -> set[str]:
    """All modules that a command and its processes import."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *program],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def packages(modules: set[str]) -> set[str]:
    return modules | {module.split(".")[0] for module in modules}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.js"
    path.write_text("import { check } from 'k6'; export default () => check(1, { one: () => true });\n")
    return path


def test_a_run_without_connections(script: Path) -> None:
    found = loaded(["-m", "jsrunner", "run", "--quiet", str(script)], script.parent)
    assert {"gevent", "jsrunner.worker.vu", "jsrunner.summary.text"} <= found  # both processes are seen
    assert packages(found) & NEEDLESS == set()


def test_a_run_of_an_empty_iteration() -> None:
    found = loaded(["-m", "jsrunner", "run", "--quiet", "bench/scripts/noop.js"], ROOT)
    assert {"gevent", "jsrunner.worker.vu", "jsrunner.summary.text"} <= found
    assert packages(found) & (NEEDLESS | NEEDLESS_FOR_NOTHING | NEEDLESS_IF_NEW) == set()


def test_a_run_with_sessions(tmp_path: Path) -> None:
    path = tmp_path / "script.js"
    path.write_text("import ws from 'k6/ws'; export default () => {}\n")
    found = loaded(["-m", "jsrunner", "run", "--quiet", str(path)], tmp_path)
    assert "websocket._http" in found  # for the handshake
    needless = {"_ssl", "asyncio", "dataclasses", "inspect", "python_socks", "websocket._app"}
    if sys.version_info < (3, 11):
        needless.remove("inspect")
    assert found & needless == set()


def test_a_run_with_requests(tmp_path: Path) -> None:
    path = tmp_path / "script.js"
    path.write_text(
        "import http from 'k6/http'; export default () => { http.get('http://127.0.0.1:1'); }\n"
    )
    found = loaded(["-m", "jsrunner", "run", "--quiet", str(path)], tmp_path)
    assert "jsrunner.transport.http1" in found
    needless = {
        "asyncio", "brotli", "dataclasses", "hashlib", "logging", "ngh2", "orjson", "random", "ssl",
        "websocket", "zstandard",
    }  # fmt: skip
    assert found & (needless | NEEDLESS_IF_NEW) == set()


def test_a_run_with_tls(tmp_path: Path) -> None:
    """There is one TLS stack in a process."""
    path = tmp_path / "script.js"
    path.write_text(
        "import ws from 'k6/ws';\n"
        "export default () => { ws.connect('wss://127.0.0.1:1', null, () => {}); }\n"
    )
    found = loaded(["-m", "jsrunner", "run", "--quiet", str(path)], tmp_path)
    assert "jsrunner.transport.openssl" in found
    assert "_ssl" not in found
    assert "cryptography.x509" not in found  # 15 ms, for certificates that are refused


def test_records_cost_little_at_import() -> None:
    """The class of a dataclass takes 0.5 ms, and its module imports inspect; a Struct takes 10 us."""
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "jsrunner").rglob("*.py")}
    folders = {path.parent.name for path, text in texts.items() if "from dataclasses import" in text}
    assert folders <= {"api", "server"}  # public records; another process


def test_the_coordinator_has_neither_greenlets_nor_an_engine(tmp_path: Path) -> None:
    program = "import jsrunner.coordinator.run, jsrunner.cli.run, jsrunner.outputs.csv"
    found = packages(loaded(["-c", program], tmp_path))
    assert found & (NEEDLESS | {"dukpy", "gevent", "greenlet"}) == set()


def test_the_pytest_plugin_costs_nothing_until_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_imports.py").write_text(
        "import sys\n"
        "def test_imports():\n"
        "    found = {name for name in sys.modules if name.startswith('jsrunner')}\n"
        "    assert found == {'jsrunner', 'jsrunner.pytest_plugin'}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_asking_for_the_version_loads_next_to_nothing(tmp_path: Path) -> None:
    found = loaded(["-m", "jsrunner", "version"], tmp_path)
    ours = {name for name in found if name.startswith("jsrunner.")}
    assert ours <= {
        "jsrunner.cli",
        "jsrunner.cli.main",
        "jsrunner.cli.version",
        "jsrunner.errors",
        "jsrunner.imports",
        "jsrunner.version",
    }
