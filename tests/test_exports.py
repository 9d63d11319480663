"""The package's public names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import jsrunner

ROOT = Path(__file__).parent.parent


def test_public_names() -> None:
    assert jsrunner.__all__ == sorted(jsrunner.__all__)
    for name in jsrunner.__all__:
        assert getattr(jsrunner, name) is not None


def test_everything_public_is_documented() -> None:
    for name in jsrunner.__all__:
        value = getattr(jsrunner, name)
        if callable(value):
            assert value.__doc__, name


def test_importing_the_package_loads_neither_gevent_nor_the_engine() -> None:
    program = "import sys, jsrunner; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert {name for name in loaded if name.startswith("jsrunner")} == {"jsrunner"}
    heavy = {"gevent", "dukpy", "rich", "ssl", "socket", "asyncio", "orjson", "msgspec", "websocket"}
    assert heavy.isdisjoint(loaded)


def test_using_the_library_loads_neither_gevent_nor_the_engine() -> None:
    program = "import sys; from jsrunner import *; print(run, *sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert "jsrunner.api.process" in loaded
    assert {"gevent", "greenlet", "dukpy", "rich", "jsrunner.coordinator.run"}.isdisjoint(loaded)


def test_other_names_are_missing() -> None:
    assert set(jsrunner.__all__) <= set(dir(jsrunner))
    with pytest.raises(AttributeError, match="module 'jsrunner' has no attribute 'nope'"):
        jsrunner.nope  # noqa: B018
