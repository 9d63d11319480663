"""Waiting in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.parts import RunParts
from jsrunner.coordinator.state import Phase, RunState
from jsrunner.coordinator.stopping import Stopping
from jsrunner.errors import JsrunnerError

if TYPE_CHECKING:
    from conftest import Records

    from jsrunner.coordinator.loop import Loop


@pytest.fixture
def parts(loop: Loop, log: Records) -> RunParts:
    state = RunState()
    none: Any = None
    return RunParts(
        script=none,
        settings=none,
        log=log,
        display=none,
        loop=loop,
        state=state,
        stopping=Stopping(state, log, interrupt=lambda: None),
        inbox=none,
        workers=none,
        signals=none,
        outputs=none,
    )


def test_waiting_ends_with_its_condition(loop: Loop, parts: RunParts) -> None:
    made: list[int] = []
    loop.call_soon(lambda: made.append(1))
    parts.wait(lambda: bool(made))
    assert made == [1]


def test_a_failure_ends_the_waiting_of_a_run_that_has_not_begun(loop: Loop, parts: RunParts) -> None:
    loop.call_soon(lambda: parts.stopping.fail(JsrunnerError("gone")))
    with pytest.raises(JsrunnerError, match="gone"):
        parts.wait(lambda: False)


def test_a_failure_of_a_run_that_has_begun_does_not(loop: Loop, parts: RunParts) -> None:
    parts.state.phase = Phase.RUNNING
    loop.call_soon(lambda: parts.stopping.fail(JsrunnerError("gone")))
    parts.wait(lambda: parts.stopping.failure is not None)
