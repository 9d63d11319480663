"""Scenarios at work: who gets which iterations."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_vu_has_one_of_shared_iterations(run: Run, workers: int) -> None:
    done = run(
        """
        import exec from 'k6/execution';
        export const options = { vus: 5, iterations: 7 };
        export default function () {
          console.log(exec.vu.idInTest, exec.scenario.iterationInTest);
        }
        """,
        "--workers",
        str(workers),
    )
    assert done.code == 0
    pairs = [one.split() for one in done.messages("info")]
    assert {vu for vu, _ in pairs} == {"1", "2", "3", "4", "5"}
    assert sorted(number for _, number in pairs) == [str(number) for number in range(7)]


def test_only_workers_yield_to_other_processes(start: Run) -> None:
    process = start(
        """
        import { sleep } from 'k6';
        export const options = { vus: 2, duration: '1h' };
        export default function () { console.log('iterating', __VU); sleep(0.1); }
        """,
        "--workers",
        "2",
    )
    process.wait_for("iterating 1")
    process.wait_for("iterating 2")
    assert [os.sched_getscheduler(worker) for worker in process.workers(2)] == [os.SCHED_BATCH] * 2
    assert os.sched_getscheduler(process.id) == os.SCHED_OTHER
    process.signal(signal.SIGINT)
    assert process.end().code == 105
