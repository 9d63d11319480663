"""The pytest plugin: k6 scripts as tests, and fixtures that run them from tests in Python.

pytest loads this module wherever jsrunner is installed, so that it imports nothing of jsrunner before
a script is collected or a fixture is used. Every option and marker has `k6` in its name.
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jsrunner.pytest_plugin.fixtures import K6Run, K6Server
    from jsrunner.pytest_plugin.items import K6File

#: File names that are collected without any configuration.
_PATTERNS: Final = ("*.k6.js", "*.k6.ts")

_MARKER: Final = (
    "k6(options=None, env=None, ...): how jsrunner runs a script, or what the fixture k6_run runs: "
    "arguments of jsrunner.run(). Every script has the marker."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the configuration file."""
    group = parser.getgroup("k6", "k6 scripts (jsrunner)")
    group.addoption("--k6-vus", type=int, metavar="N", help="number of virtual users")
    group.addoption("--k6-duration", metavar="TIME", help="duration of each script's test, e.g. 30s")
    group.addoption("--k6-iterations", type=int, metavar="N", help="total iterations of each script")
    group.addoption(
        "--k6-env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="add a variable to the scripts' __ENV; may be repeated",
    )
    group.addoption(
        "--k6-once",
        action="store_true",
        help="run each scenario once: 1 VU, 1 iteration; failed checks and exceptions fail the test",
    )
    group.addoption(
        "--k6-strict",
        action="store_true",
        help="failed checks and exceptions fail the test, not only thresholds",
    )
    group.addoption("--k6-server", action="store_true", help="start jsrunner's server for each script")
    parser.addini("k6_files", "further files to collect, as patterns such as load/*.js", "args", [])
    parser.addini("k6_items", "a test per `script` or per `scenario`", default="script")
    parser.addini("k6_options", "options of the scripts' tests, as a JSON object", default="{}")
    parser.addini("k6_env", "variables for the scripts' __ENV, NAME=value lines", "linelist", [])
    parser.addini("k6_once", "as --k6-once", "bool", False)
    parser.addini("k6_strict", "as --k6-strict", "bool", False)
    parser.addini("k6_server", "as --k6-server", "bool", False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> K6File | None:
    """Collect a script."""
    if not _is_script(file_path, parent.config):
        return None
    from jsrunner.pytest_plugin.items import K6File

    script: K6File = K6File.from_parent(parent, path=file_path)
    return script


def _is_script(path: Path, config: pytest.Config) -> bool:
    if any(fnmatch(path.name, pattern) for pattern in _PATTERNS):
        return True
    patterns = config.getini("k6_files")
    if not patterns:
        return False
    relative = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
    return any(
        fnmatch(relative.as_posix() if "/" in pattern else path.name, pattern) for pattern in patterns
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put tests with load into one group of pytest-xdist: they must not disturb each other."""
    if "k6_run" in getattr(item, "fixturenames", ()):
        from jsrunner.pytest_plugin.groups import share_group

        share_group(item)


@pytest.fixture
def k6_run(request: pytest.FixtureRequest) -> K6Run:
    """Run k6 scripts: `k6_run("script.js", env={"URL": url})` (see K6Run)."""
    from jsrunner.pytest_plugin.fixtures import K6Run

    return K6Run(request)


@pytest.fixture(scope="session")
def k6_server() -> Iterator[K6Server]:
    """Run the bundled server for the session. Scripts of `k6_run` find its addresses in `__ENV`."""
    from jsrunner.pytest_plugin.fixtures import K6Server

    with K6Server.listening() as server:
        yield server
