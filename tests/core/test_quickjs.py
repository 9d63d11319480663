"""The look-up of QuickJS's functions in dukpy: errors are reported before the first use."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, compile_c

from jsrunner.core.binding import engine_path

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = re.findall(r"^    X\([\w *]+, (\w+),", (CORE / "quickjs.h").read_text(), re.MULTILINE)


def opened(path: str) -> str:
    """Open an engine in a process of its own, where the look-up is not undone, and return the error's text."""
    program = (
        "from jsrunner.core import binding; library = binding.load();"
        f"problem = library.core_open({path!r}.encode(), 1 << 20, 1 << 25, 0.0);"
        "print(problem.decode() if problem else 'fine')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=CORE.parent.parent,
    )
    return done.stdout.strip()


def stub(folder: Path, functions: list[str], version: str = "0.11.0") -> str:
    """Build a library with empty functions of these names."""
    source = folder / "stub.c"
    source.write_text(
        f'const char *JS_GetVersion(void);\nconst char *JS_GetVersion(void) {{ return "{version}"; }}\n'
        + "".join(
            f"void {one}(void);\nvoid {one}(void) {{}}\n" for one in functions if one != "JS_GetVersion"
        )
    )
    return str(compile_c(folder / "stub.so", [source], "-shared", "-fPIC"))


def test_the_names_are_found() -> None:
    """Without this, the tests below would prove nothing."""
    assert len(FUNCTIONS) > 90
    assert FUNCTIONS[0] == "JS_GetVersion"


def test_the_engine_is_there() -> None:
    assert opened(engine_path()) == "fine"


def test_an_engine_that_is_not_there() -> None:
    assert "/nonexistent/engine.so" in opened("/nonexistent/engine.so")


@pytest.mark.parametrize("missing", [FUNCTIONS[1], FUNCTIONS[-1]])
def test_an_engine_that_lacks_a_function(tmp_path: Path, missing: str) -> None:
    path = stub(tmp_path, [one for one in FUNCTIONS if one != missing])
    assert opened(path) == f"{path} has no function {missing}"


@pytest.mark.parametrize("version", ["0.10.1", "0.12.0", "2025-09-13", "0.1"])
def test_an_engine_of_another_version(tmp_path: Path, version: str) -> None:
    path = stub(tmp_path, FUNCTIONS, version)
    assert opened(path) == f"QuickJS-NG 0.11.x is needed, {path} has {version}"
