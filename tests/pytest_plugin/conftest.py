"""Tests of the plugin drive a real pytest in which it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import jsrunner
import jsrunner.pytest_plugin.fixtures
import jsrunner.pytest_plugin.items

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A pytest that is driven in this process forgets the modules that it has imported: all are imported here.
assert all(hasattr(jsrunner, name) for name in jsrunner.__all__)


@pytest.fixture(autouse=True)
def outside_of_xdist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest that is driven must not take itself for a worker of this one's."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(pytester: pytest.Pytester) -> Callable[[str, str], Path]:
    """Write a file of the project that is tested: its name, its text."""

    def write(name: str, text: str) -> Path:
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write
