"""Scenarios at work: who gets which iterations."""

from __future__ import annotations

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
