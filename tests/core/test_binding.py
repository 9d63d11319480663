"""The declarations of the core's functions in Python."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest

from jsrunner.core import binding
from jsrunner.engine import engine

CORE = Path(binding.__file__).parent
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(CORE.glob("*.c"))}


def test_every_function_of_the_core_is_known_with_its_arguments() -> None:
    """ctypes does not check declarations against the library, so this test does."""
    declared = {}
    for source in SOURCES.values():
        for result, name, arguments in re.findall(
            r"^CORE_API ([\w ]+?[ *]+)(core_\w+)\(([^)]*)\)", source, re.MULTILINE
        ):
            parameters = [] if arguments == "void" else arguments.split(",")
            declared[name] = (result.strip() != "void", len(parameters))
    known = {
        name: (result is not None, len(arguments))
        for name, (result, arguments) in binding._SIGNATURES.items()
    }
    assert known == declared


def test_the_engine_is_dukpys() -> None:
    path = Path(binding.engine_path())
    assert path.name.startswith("_dukpy")
    assert hasattr(ctypes.CDLL(str(path)), "JS_NewRuntime")


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JSRUNNER_CORE", str(tmp_path / "none.so"))
    with pytest.raises(binding.CoreError, match=r"none\.so.*python -m jsrunner\.core\.build"):
        binding.load()


def test_the_numbers_of_the_cores_own_operations() -> None:
    names = re.findall(r"^    (OPERATION_\w+),", (CORE / "core.h").read_text(), re.MULTILINE)
    assert [getattr(engine, name.removeprefix("OPERATION_")) for name in names] == list(
        range(len(names))
    )
