"""The generated parts of the reference are those that the rows make, and the tables are whole."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode
from jsrunner.metrics.registry import BUILTIN
from jsrunner.options.model import Options, rows
from jsrunner.options.runtime import Globals, Runtime
from jsrunner.options.selection import Selection

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The script that writes the reference."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_up_to_date(reference: ModuleType) -> None:
    stale = sorted(path.name for path in reference.stale_pages())
    assert stale == [], "run `python scripts/reference.py`"


def test_every_part_has_its_place(reference: ModuleType) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md"))
    assert sorted(re.findall(r"<!-- generated: ([\w-]+) -->", pages)) == sorted(reference.PARTS)


def test_all_rows_are_documented(reference: ModuleType) -> None:
    lines = (reference.options() + reference.run_flags() + reference.global_flags()).splitlines()
    for rows_class in (Options, Selection, Runtime, Globals):
        for _, row in rows(rows_class):
            text = reference.text_of(row).replace("|", "\\|")
            assert any(text in line for line in lines), row
    assert {line.replace("\\|", "").count("|") for line in lines if line} == {5, 6}


def test_every_metric_is_documented() -> None:
    page = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    documented: dict[str, tuple[str, str]] = {}
    for names, type_, contains in re.findall(r"^\| (`.*?) \| (\w+) \| (\w*) ?\|", page, re.MULTILINE):
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), (type_, contains or "default"))
    assert documented == {name: (metric.type, metric.contains) for name, metric in BUILTIN.items()}


def test_every_exit_code_is_documented() -> None:
    page = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == sorted(ExitCode)
