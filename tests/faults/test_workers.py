"""Processes of a run that are killed from outside."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]

SCRIPT = """
import { sleep } from 'k6';
export const options = { vus: 4, duration: '1h' };
export default function () { console.log('iterating', __VU); sleep(0.1); }
export function teardown() { console.log('teardown done'); }
"""


@pytest.fixture
def running(start: Run) -> Process:
    """A run with two workers that both iterate."""
    process = start(SCRIPT, "--workers", "2")
    until(
        lambda: all(process.messages().count(f"iterating {vu}") > 12 for vu in (1, 2, 3, 4)),
        "more iterations than there are in the first second",
    )
    return process


@pytest.mark.parametrize("which", [0, 1])
def test_one_worker_is_killed(running: Process, which: int) -> None:
    """The run stops and shows its results, and the log names the worker."""
    victim = running.workers(2)[which]
    os.kill(victim, signal.SIGKILL)
    done = running.end()
    assert done.code == 255
    [message] = done.messages("error")
    assert message.startswith(f"worker {which + 1} of 2 (process {victim}) died")
    assert message.endswith("the run is not complete")
    assert "SIGKILL" in message or which
    assert "iterations" in done.stdout
    assert done.said("teardown done")


def test_all_workers_are_killed(running: Process) -> None:
    for victim in running.workers(2):
        os.kill(victim, signal.SIGKILL)
    done = running.end()
    assert done.code == 255
    [message] = done.messages("error")
    assert "died" in message
    assert "data_sent" in done.stdout


@pytest.mark.parametrize(
    ("stage", "body"),
    [
        ("init", "while (true) {}"),
        ("init", "sleep(3600);"),
        ("setup", "while (true) {}"),
        ("iteration", "while (true) {}"),
        ("iteration", "sleep(3600);"),
    ],
)
def test_coordinator_is_killed(start: Run, stage: str, body: str) -> None:
    """Workers notice the end of the coordinator without a message."""
    here = f"console.log('here'); {body}"
    process = start(
        f"""
        import {{ sleep }} from 'k6';
        {here if stage == "init" else ""}
        export const options = {{ vus: 2, iterations: 2 }};
        export function setup() {{ {here if stage == "setup" else ""} }}
        export default function () {{ {here if stage == "iteration" else ""} }}
        """,
        "--workers",
        "2",
    )
    process.wait_for("here")
    process.signal(signal.SIGKILL)
    assert process.end().code == -signal.SIGKILL


def test_first_worker_is_killed_in_its_init(start: Run) -> None:
    process = start("console.log('here'); while (true) {}\nexport default function () {}")
    process.wait_for("here")
    [victim] = process.workers(1)
    os.kill(victim, signal.SIGKILL)
    done = process.end()
    assert done.code == 255
    [message] = done.messages("error")
    assert f"(process {victim}) died by signal SIGKILL" in message


def test_worker_is_killed_in_setup(start: Run) -> None:
    process = start(
        """
        import { sleep } from 'k6';
        export function setup() { console.log('here'); sleep(3600); }
        export default function () {}
        """
    )
    process.wait_for("here")
    [victim] = process.workers(1)
    os.kill(victim, signal.SIGKILL)
    done = process.end()
    assert done.code == 255
    assert done.said("died by signal SIGKILL")
