"""Fibers: stacks of their own, many of them, as deep as they may be."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, HERE, SANITIZERS, compile_c
from core_vu import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core_vu import VU

PROGRAM = HERE / "fiber_program.c"


def expected() -> str:
    """Return the expected output of the program, in which each resume reaches the next suspension."""
    total, half = 0, 0.0
    for number in range(200):
        depth = number % 30 + 1
        resumes = 50
        whole, rest = divmod(resumes - 1, depth + 1)
        total += depth * whole + (depth if rest == depth else 0)
        half += (number + 0.5) * (whole * depth + rest)
    return f"{total} {half:.1f}"


def compiled(tmp_path: Path) -> Path:
    return compile_c(
        tmp_path / "program", [PROGRAM, CORE / "fiber.c"], "-O1", *SANITIZERS, "-Wno-infinite-recursion"
    )


def test_many_fibers_keep_their_own_stacks(tmp_path: Path) -> None:
    program = compiled(tmp_path)
    done = subprocess.run([program], capture_output=True, text=True, check=True, env={})
    assert done.stdout.strip() == expected()


def test_below_a_stack_is_a_guard(tmp_path: Path) -> None:
    """An overflow that nobody checks for ends the process; it does not write to another's memory."""
    program = compiled(tmp_path)
    done = subprocess.run([program, "overflow"], capture_output=True, text=True, check=False, env={})
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.slow
def test_a_thousand_vus_run_and_sleep(make_vu: Callable[..., VU]) -> None:
    source = "const deep = (n) => (n ? deep(n - 1) : core.sleep(1)); entries.run = (n) => { deep(n % 50); return n; };"
    vus = [make_vu(source) for _ in range(1000)]
    calls = [vu.start("run", number) for number, vu in enumerate(vus)]
    assert [one.get(timeout=DEADLINE) for one in calls] == list(range(1000))
