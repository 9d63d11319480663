"""VUs of setup, teardown and handleSummary: results, failures, timeouts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.messages.protocol import RunStage, StageName
from jsrunner.worker.stage_vu import run_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Worker

ONCE = PerVUIterations(name="s", vus=1, iterations=1)


def ran(
    worker: Callable[..., Worker], source: str, stage: StageName, **command: Any
) -> tuple[Worker, Any]:
    """Run a stage, and return the worker and the stage's outcome."""
    here = worker(f"export default () => {{}}; {source}", ONCE)
    running: set[Any] = set()
    done = run_stage(
        here.process, running, RunStage(stage, **{"argument": None, "timeout": 20.0, **command})
    )
    assert not running
    return here, done


def test_the_result_of_setup_is_json(worker: Callable[..., Worker]) -> None:
    _, done = ran(worker, "export const setup = async () => ({ b: [1], a: null });", StageName.SETUP)
    assert done.error is None
    assert json.loads(done.result) == {"b": [1], "a": None}


def test_teardown_gets_the_data_of_setup(worker: Callable[..., Worker]) -> None:
    source = "export const teardown = (data) => console.log(JSON.stringify(data));"
    here, done = ran(worker, source, StageName.TEARDOWN, argument=b'{"a":1}')
    assert (done.error, done.result) == (None, None)
    assert here.logged() == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "is_rejection"),
    [("throw new Error('no')", False), ("Promise.reject(new Error('no'))", True)],
)
def test_a_failure_is_told_from_a_rejection(
    worker: Callable[..., Worker], body: str, is_rejection: bool
) -> None:
    _, done = ran(worker, f"export function setup() {{ {body}; }}", StageName.SETUP)
    assert "Error: no" in done.error
    assert done.is_rejection == is_rejection


@pytest.mark.parametrize(
    "body", ["for (;;) {}", "return new Promise(() => setInterval(() => {}, 1e6))"]
)
def test_a_stage_ends_at_its_timeout(worker: Callable[..., Worker], body: str) -> None:
    _, done = ran(worker, f"export function setup() {{ {body}; }}", StageName.SETUP, timeout=0.05)
    assert done.timed_out
    assert done.result is None


def test_only_init_code_runs_where_the_stage_is_not_wanted(worker: Callable[..., Worker]) -> None:
    source = "console.log('init'); export const handleSummary = () => console.log('summary');"
    here, done = ran(worker, source, StageName.HANDLE_SUMMARY, wanted=False)
    assert (done.error, done.result) == (None, None)
    assert here.logged() == ["init", "init"]


def test_bytes_and_groups_of_a_stage_are_samples(worker: Callable[..., Worker]) -> None:
    source = "import { group } from 'k6'; export const setup = () => group('in', () => {});"
    here, _ = ran(worker, source, StageName.SETUP)
    samples = here.samples()
    assert len(samples["group_duration"]) == 1
    assert samples["data_sent"] == samples["data_received"] == 0
