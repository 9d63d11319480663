"""Progress on a terminal, as text at fixed sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jsrunner.ui.panel import render
from jsrunner.ui.state import SIGNS, Course, ErrorKind, Requests, Risk, ScenarioState, Sockets, State

STATE = State(
    phase="running",
    elapsed=12.44,
    limit=630.0,
    active=12,
    initialized=20,
    wanted=20,
    complete=148,
    interrupted=0,
    scenarios=(
        ScenarioState("chatters", "running", 0.39, ("10 VUs", "11.4s/30s")),
        ScenarioState("presence", "waiting", 0.0, ("waiting", "17.6s")),
        ScenarioState("logins", "done", 1.0, ("1 VUs", "00m04.1s/10m0s", "8/8 iters, 8 per VU")),
    ),
    sockets=Sockets(open=1012, received=48_213.7, sent=843.2, connect_p95=4.123, failed=2),
    failed_iterations=0,
    failed_checks=0.0041,
    thresholds=4,
    risks=(
        Risk("ws_connecting{room:a}", "p(95)<3", 4.123, "trend", "time"),
        Risk("checks", "rate>0.999", 0.9959, "rate", "default"),
    ),
)
PLAIN = replace(STATE, sockets=None, failed_checks=None, thresholds=0, risks=())


def shown(state: State, width: int, height: int = 100, errors: tuple[ErrorKind, ...] = ()) -> str:
    return "\n".join(line.plain.rstrip() for line in render(state, width, height, errors))


def test_80_columns() -> None:
    assert shown(STATE, 79) == (
        "\n"
        "running (00m12.4s), 12/20 VUs, 148 complete and 0 interrupted iterations\n"
        "chatters   ━━━━━━━━╾─────────────  10 VUs   11.4s/30s\n"
        "presence • ──────────────────────  waiting  17.6s\n"
        "logins   ✓ ━━━━━━━━━━━━━━━━━━━━━━  1 VUs    00m04.1s/10m0s  8/8 iters, 8 per VU\n"
        "\n"
        "  sessions open  1,012      messages in    48,214/s   script errors  0\n"
        "  connect p95    4.12ms     messages out   843/s      failed checks  0.41%\n"
        "  connect errors 2                                    thresholds     2 failing\n"
        "\n"
        "  ✗ ws_connecting{room:a}  p(95)<3     4.12ms\n"
        "  ✗ checks                 rate>0.999  99.59%"
    )


def test_200_columns() -> None:
    state = replace(STATE, requests=Requests(rate=120.4, p95=31.5, failed=0.0))
    assert shown(state, 199) == (
        "\n"
        "running (00m12.4s), 12/20 VUs, 148 complete and 0 interrupted iterations\n"
        "chatters   ━━━━━━━━━━━━━━━╾────────────────────────  10 VUs   11.4s/30s\n"
        "presence • ────────────────────────────────────────  waiting  17.6s\n"
        "logins   ✓ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  1 VUs    00m04.1s/10m0s  "
        "8/8 iters, 8 per VU\n"
        "\n"
        "  sessions open  1,012      messages in    48,214/s   requests       120/s      "
        "script errors  0\n"
        "  connect p95    4.12ms     messages out   843/s      request p95    31.5ms     "
        "failed checks  0.41%\n"
        "  connect errors 2                                    request errors 0.00%      "
        "thresholds     2 failing\n"
        "\n"
        "  ✗ ws_connecting{room:a}  p(95)<3     4.12ms\n"
        "  ✗ checks                 rate>0.999  99.59%"
    )


def test_40_columns() -> None:
    assert shown(STATE, 39) == (
        "\n"
        "running (00m12.4s), 12/20 VUs\n"
        "148 complete and 0 interrupted\n"
        "chatters   ━━━━━━━━━━╾─────────────────\n"
        "           10 VUs   11.4s/30s\n"
        "presence • ────────────────────────────\n"
        "           waiting  17.6s\n"
        "logins   ✓ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━\n"
        "           1 VUs    00m04.1s/10m0s\n"
        "           8/8 iters, 8 per VU\n"
        "\n"
        "  sessions open  1,012\n"
        "  connect p95    4.12ms\n"
        "  connect errors 2\n"
        "  messages in    48,214/s\n"
        "  messages out   843/s\n"
        "  script errors  0\n"
        "  failed checks  0.41%\n"
        "  thresholds     2 failing\n"
        "\n"
        "  ✗ ws_connectin...  p(95)<3     4.12ms\n"
        "  ✗ checks           rate>0.999  99.59%"
    )


def test_a_low_terminal_keeps_the_scenarios() -> None:
    assert shown(STATE, 79, 7) == (
        "\n"
        "running (00m12.4s), 12/20 VUs, 148 complete and 0 interrupted iterations\n"
        "chatters   ━━━━━━━━╾─────────────  10 VUs   11.4s/30s\n"
        "presence • ──────────────────────  waiting  17.6s\n"
        "logins   ✓ ━━━━━━━━━━━━━━━━━━━━━━  1 VUs    00m04.1s/10m0s  8/8 iters, 8 per VU\n"
        "\n"
        "  sessions open  1,012      messages in    48,214/s   script errors  0"
    )


def test_many_scenarios_show_those_at_work() -> None:
    done = tuple(ScenarioState(f"done{number}", "done", 1.0, ("1s",)) for number in range(6))
    working = (
        ScenarioState("late", "waiting", 0.0, ("waiting", "3.0s")),
        ScenarioState("one", "running", 0.5, ("0.5s/1s",)),
        ScenarioState("two", "stopping", 1.0, ("1s",)),
    )
    state = replace(PLAIN, scenarios=done + working)
    assert shown(state, 39, 7) == (
        "\n"
        "running (00m12.4s), 12/20 VUs\n"
        "148 complete and 0 interrupted\n"
        "late  • ────────────────  waiting  3.0s\n"
        "one     ━━━━━━━━────────  0.5s/1s\n"
        "two   ↓ ━━━━━━━━━━━━━━━━  1s\n"
        "... 6 more: 6 done"
    )


def test_without_traffic_there_is_no_panel() -> None:
    assert len(shown(PLAIN, 79).splitlines()) == 5
    failing = replace(PLAIN, failed_iterations=3)
    assert shown(failing, 79).endswith("8 per VU\n\n  script errors  3")


def test_thresholds_that_hold() -> None:
    assert "  thresholds     4 ok" in shown(replace(STATE, risks=()), 39)


def test_many_risks_are_cut() -> None:
    risks = tuple(Risk(f"metric{number}", "count<1", 5.0, "counter", "data") for number in range(8))
    assert shown(replace(STATE, risks=risks), 79).endswith(
        "  ✗ metric3  count<1  5 B\n  ✗ metric4  count<1  5 B\n  ... 3 more"
    )


def test_what_is_not_known_yet() -> None:
    state = replace(STATE, sockets=Sockets(1, None, None, None, 0))
    assert "  connect p95    -          messages out   -  " in shown(state, 79)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0/s"), (99_999.0, "99,999/s"), (123_456.0, "123k/s"), (12_345_678.0, "12M/s")],
)
def test_rates(value: float, text: str) -> None:
    state = replace(STATE, sockets=Sockets(1, value, None, None, 0))
    assert f"  messages in    {text}\n" in shown(state, 39)


def test_init_and_setup() -> None:
    idle = replace(PLAIN, scenarios=(ScenarioState("default", "idle"),))
    assert shown(replace(idle, phase="init", initialized=15), 59) == (
        "\n"
        "Init      ━━━━━━━━━━━━━━━━━━━╾──────  15/20 VUs initialized\n"
        "default   ────────────────────────────────────────"
    )
    assert shown(replace(idle, phase="setup"), 79) == (
        "\n"
        "Run       ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  setup()\n"
        "default   ────────────────────────────────────────"
    )


def test_at_the_end_the_bars_are_left() -> None:
    assert shown(replace(STATE, phase="ended"), 79) == shown(replace(PLAIN, phase="ended"), 79)


def test_colour_says_something() -> None:
    def styles(state: State) -> set[str]:
        lines = render(state, 79, 100)
        return {str(span.style) for line in lines for span in line.spans} - {"", "dim"}

    good = replace(
        STATE,
        risks=(),
        failed_checks=0.0,
        sockets=Sockets(5, 1.0, 1.0, 1.0, 0),
        scenarios=STATE.scenarios[:1],
    )
    assert styles(good) == {"cyan"}
    assert styles(replace(good, failed_checks=0.1)) == {"cyan", "red"}
    assert styles(replace(good, scenarios=STATE.scenarios)) == {"cyan", "green"}


scenarios = st.builds(
    ScenarioState,
    st.text("abcdefgh_", min_size=1, max_size=50),
    st.sampled_from(sorted(SIGNS)),
    st.floats(0, 1),
    st.lists(st.text("0123456789 VUs/", max_size=30), max_size=4).map(tuple),
)
states = st.builds(
    State,
    st.sampled_from(["init", "setup", "running", "teardown", "ended"]),
    st.floats(0, 1e6),
    st.floats(1, 1e6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.lists(scenarios, min_size=1, max_size=30).map(tuple),
    st.sampled_from([None, STATE.sockets]),
    risks=st.sampled_from([(), STATE.risks, STATE.risks * 5]),
    thresholds=st.integers(0, 9),
)


@given(states, st.integers(1, 250), st.integers(1, 60))
def test_it_always_fits(state: State, width: int, height: int) -> None:
    lines = render(state, width, height)
    assert 1 <= len(lines) <= height
    assert all(line.cell_len <= width and "\n" not in line.plain for line in lines)


def test_sparklines_show_the_last_seconds() -> None:
    state = replace(
        STATE, courses=(Course("messages in", (0.0, 50.0, 100.0, 25.0)), Course("requests", (1.0,)))
    )
    assert "\n  messages in    ▁▅█▃\n\n  ✗ ws_conn" in shown(state, 79)
    assert "requests" not in shown(state, 79)
    long = replace(STATE, courses=(Course("messages in", tuple(map(float, range(60)))),))
    assert max(map(len, shown(long, 39).splitlines())) <= 39
    assert "█" in shown(long, 39)


def test_a_sparkline_of_nothing_is_flat() -> None:
    assert "messages in    ▁▁▁" in shown(
        replace(STATE, courses=(Course("messages in", (0.0, 0.0, 0.0)),)), 79
    )


def test_the_most_frequent_errors_stand_below() -> None:
    errors = (
        ErrorKind(1204, "connection refused by 127.0.0.1, port 99"),
        *[ErrorKind(7, "漢" * 60)] * 3,
    )
    frame = shown(STATE, 39, errors=errors)
    wide = f"      7 x  {'漢' * 13} …"
    assert frame.endswith(f"\n\n  1,204 x  connection refused by 127.0…\n{wide}\n{wide}")
    assert all(line.cell_len <= 39 for line in render(STATE, 39, 100, errors))
    assert "漢" not in shown(replace(STATE, phase="ended"), 39, errors=errors)
