from __future__ import annotations

import subprocess
import sys

import pytest
from waiting import DEADLINE

from jsrunner import __version__


def jsrunner(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jsrunner", *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("words", [("version",), ("--version",)])
def test_version(words: tuple[str, ...]) -> None:
    done = jsrunner(*words)
    assert done.returncode == 0
    assert __version__ in done.stdout


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_help(words: tuple[str, ...]) -> None:
    done = jsrunner(*words)
    assert done.returncode == 0
    assert "jsrunner run" in done.stdout


def test_unknown_command() -> None:
    done = jsrunner("dance")
    assert done.returncode == 255
    assert "unknown command" in done.stderr
    assert "dance" in done.stderr
