"""Progress as lines of text."""

from __future__ import annotations

from msgspec.structs import replace

from jsrunner.ui.lines import block
from jsrunner.ui.state import ScenarioState, State

STATE = State(
    phase="running",
    elapsed=1.04,
    limit=630.0,
    active=7,
    initialized=12,
    wanted=12,
    complete=4,
    interrupted=0,
    scenarios=(
        ScenarioState("a", "running", 0.394, ("10 VUs", "0.4s/1s")),
        ScenarioState("b" * 32, "waiting", 0.0, ("waiting", "0.2s")),
        ScenarioState("per_vu", "done", 1.0, ("1 VUs", "00m00.0s/10m0s", "2/2 iters, 2 per VU")),
        ScenarioState("d", "stopping", 1.0, ("2 VUs", "1s")),
        ScenarioState("e", "interrupted", 0.996, ("2 VUs", "0.9s/1s")),
    ),
)
IDLE = replace(STATE, scenarios=(ScenarioState("long_name", "idle"), ScenarioState("b", "idle")))


def test_running() -> None:
    assert block(STATE) == (
        "\n"
        "running (00m01.0s), 07/12 VUs, 4 complete and 0 interrupted iterations\n"
        "a                                [  39% ] 10 VUs   0.4s/1s\n"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbb... • [   0% ] waiting  0.2s\n"
        "per_vu                         ✓ [ 100% ] 1 VUs    00m00.0s/10m0s  2/2 iters, 2 per VU\n"
        "d                              ↓ [ 100% ] 2 VUs    1s\n"
        "e                              ✗ [ 100% ] 2 VUs    0.9s/1s\n"
    )


def test_init() -> None:
    assert block(replace(IDLE, phase="init", initialized=8)) == (
        "\nInit        [  67% ] 8/12 VUs initialized\nlong_name   [   0% ]\nb           [   0% ]\n"
    )


def test_setup() -> None:
    short = replace(IDLE, phase="setup", scenarios=(ScenarioState("b", "idle"),))
    assert block(short) == "\nRun   [ 100% ] setup()\nb     [   0% ]\n"


def test_teardown_is_still_running() -> None:
    assert block(replace(STATE, phase="teardown")) == block(STATE)
