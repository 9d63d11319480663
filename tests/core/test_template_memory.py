"""The template's memory: copies have the template's contents, and their pointers point into the copy."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, HERE, TRAPS, compile_c

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_copies_are_what_was_written(tmp_path: Path) -> None:
    sources = [HERE / "template_program.c", CORE / "template_memory.c", CORE / "template_pages.c"]
    program = compile_c(tmp_path / "program", sources, "-O1", *TRAPS)
    done = subprocess.run([program, "40"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "equal"
    assert done.stdout.count("full") == 10  # each fourth has more large blocks than there is room
