"""Fibers: stacks of their own, many of them, as deep as they may be."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, SANITIZERS, compile_c
from core_vu import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core_vu import VU

PROGRAM = """
#include "fiber.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIBERS = 200, ROUNDS = 50, STACK = 1 << 20 };
static struct fiber fibers[FIBERS];
static long sums[FIBERS];
static double halves[FIBERS];

/* Suspend in the middle of a recursion with locals of all kinds, and look at them afterwards. */
static long descend(int number, int depth)
{
    volatile char here[512];
    volatile double half = number + 0.5;
    memset((void *)here, number, sizeof here);
    long below = depth ? descend(number, depth - 1) : 0;
    fiber_suspend(&fibers[number]);
    for (size_t i = 0; i < sizeof here; i++) if (here[i] != (char)number) abort();
    halves[number] += half;
    return below + 1;
}

static void run(void *argument)
{
    int number = (int)(intptr_t)argument;
    if ((uintptr_t)__builtin_frame_address(0) % 16) abort();
    for (;;) {
        sums[number] += descend(number, number % 30);
        fiber_suspend(&fibers[number]);
    }
}

static void overflow(void *argument)
{
    volatile char page[4096];
    page[0] = (char)(intptr_t)argument;
    overflow((void *)(intptr_t)page[0]);
    page[1] = 1;
}

int main(int argc, char **argv)
{
    (void)argv;
    for (int i = 0; i < FIBERS; i++)
        if (!fiber_create(&fibers[i], STACK, argc > 1 ? overflow : run, (void *)(intptr_t)i)) return 2;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FIBERS; i++) fiber_resume(&fibers[(i * 7 + round) % FIBERS]);
        if (round % 10 == 0)
            for (int i = 0; i < FIBERS; i++) fiber_trim(&fibers[i]);
    }
    long sum = 0;
    double half = 0;
    for (int i = 0; i < FIBERS; i++) {
        sum += sums[i];
        half += halves[i];
        fiber_destroy(&fibers[i]);
        fiber_destroy(&fibers[i]);
    }
    struct fiber never;
    if (!fiber_create(&never, STACK, run, NULL)) return 2;
    fiber_destroy(&never);
    if (fiber_create(&never, SIZE_MAX / 2, run, NULL)) return 3;
    printf("%ld %.1f\\n", sum, half);
    return 0;
}
"""


def expected() -> str:
    """What the program says: each resume goes one suspension on."""
    total, half = 0, 0.0
    for number in range(200):
        depth = number % 30 + 1
        resumes = 50
        whole, rest = divmod(resumes - 1, depth + 1)
        total += depth * whole + (depth if rest == depth else 0)
        half += (number + 0.5) * (whole * depth + rest)
    return f"{total} {half:.1f}"


def compiled(tmp_path: Path) -> Path:
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    return compile_c(
        tmp_path / "program", [source, CORE / "fiber.c"], "-O1", *SANITIZERS, "-Wno-infinite-recursion"
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
