"""The interpreters' memory: blocks keep what is in them, and what was freed is used again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, HERE, TRAPS, compile_c

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = HERE / "heap_program.c"
PARTS = ("heap.c", "sources.c", "quickjs.c", "template_memory.c", "template_pages.c")


def compiled(tmp_path: Path) -> Path:
    # Not with AddressSanitizer: for that all blocks are the C library's.
    return compile_c(
        tmp_path / "program",
        [PROGRAM, *(CORE / name for name in PARTS)],
        "-O1",
        *TRAPS,
    )


@pytest.mark.slow
def test_blocks_keep_what_is_in_them(tmp_path: Path) -> None:
    program = compiled(tmp_path)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "reused\n"


@pytest.mark.slow
def test_where_addresses_are_few_blocks_are_the_c_librarys(tmp_path: Path) -> None:
    program = compiled(tmp_path)
    # AddressSanitizer, if the tests run with it, wants more addresses than there are here.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run([program, "few"], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "reused\n"
