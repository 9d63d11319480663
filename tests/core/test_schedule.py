"""Which VU runs next: whoever computes lets the others have their turn, in order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_vu import DEADLINE, READY, SLEEPING, VU, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

#: Scripts that never wait for anything.
BUSY = {
    "loop": "for (;;) {}",
    "regexp": "/^(a+)+$/.test('a'.repeat(60) + 'b');",
    "promise jobs": "const again = () => Promise.resolve().then(again); again();",
    "await": "(async () => { for (;;) await null; })();",
    "timers": "const again = () => loop.addTimer(again, 0, -1, 0); again();",
    "intervals": "loop.addTimer(() => {}, 0, 0, 1);",
    "tasks": "const again = () => loop.queueTask(again); again();",
    "rejections": "for (;;) Promise.reject(1).catch(() => {});",
    "requests": "for (;;) host('quick');",
    "sleeps of no time": "for (;;) core.sleep(0);",
}


def quick() -> None:
    """Do nothing."""


@pytest.fixture(params=BUSY)
def busy(request: pytest.FixtureRequest, make_vu: Callable[..., VU]) -> Callable[[], gevent.Greenlet]:
    """Start a VU that computes for ever."""
    source = f"entries.run = () => {{ {BUSY[request.param]} loop.settle(() => {{}}); }};"
    return lambda: make_vu(source, operations={"quick": quick}).start("run")


def test_busy_vus_do_not_hold_up_others(
    busy: Callable[[], gevent.Greenlet], make_vu: Callable[..., VU]
) -> None:
    """Nor Python: sleeps, requests, timers, tasks and greenlets go on beside two that compute for ever."""
    calls = [busy(), busy()]
    other = make_vu(
        """
        entries.run = () => {
          let count = 0;
          for (let i = 0; i < 10; i += 1) { core.sleep(0); host('quick'); }
          const again = () => { count += 1; if (count < 10) loop.addTimer(again, 0, -1, 0); };
          again();
          loop.queueTask(() => {});
          loop.settle(() => {});
          return count;
        };
        """,
        operations={"quick": quick},
    )
    assert other.call("run") == 10
    for _ in range(10):
        gevent.sleep(0)
    gevent.sleep(0.001)  # VUs that are not held up would be ready by now
    assert not any(one.ready() for one in calls)
    gevent.killall(calls)


def test_vus_that_compute_take_turns(make_vu: Callable[..., VU]) -> None:
    """One that has 20 slices to compute is not done before others have had about as many."""
    order: list[str] = []
    source = """
        entries.run = (name, slices) => {
          for (let i = 0; i < slices; i += 1) { busy(2.5); }
          host('done', name);
        };
    """
    vus = {
        name: make_vu(source, operations={"done": order.append})
        for name in ("long", "short", "middle", "tiny")
    }
    calls = [
        vus[name].start("run", name, slices)
        for name, slices in (("long", 80), ("short", 8), ("middle", 30), ("tiny", 1))
    ]
    gevent.joinall(calls, timeout=DEADLINE)
    assert order == ["tiny", "short", "middle", "long"]


def test_vus_that_became_ready_run_in_that_order(make_vu: Callable[..., VU]) -> None:
    order: list[int] = []
    vus = [
        make_vu(
            "entries.run = (n) => { host('note', n); core.sleep(0); host('note', n); };",
            operations={"note": order.append},
        )
        for _ in range(20)
    ]
    calls = [vu.start("run", number) for number, vu in enumerate(vus)]
    gevent.joinall(calls, timeout=DEADLINE)
    assert order[:1] == [0]
    assert [one for index, one in enumerate(order) if one not in order[:index]] == list(range(20))
    assert sorted(order) == sorted([*range(20)] * 2)


@pytest.mark.slow
@given(st.lists(st.integers(0, 12), min_size=2, max_size=12))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_sleepers_wake_in_the_order_of_their_alarms(
    make_vu: Callable[..., VU], delays: list[int]
) -> None:
    order: list[int] = []
    alarms: list[tuple[float, float]] = []
    vus = [
        make_vu(
            "entries.run = (number, delay) => { core.sleep(delay); host('woke', number); };",
            operations={"woke": order.append},
        )
        for _ in delays
    ]
    clock = make_vu("entries.now = () => core.now();")
    calls = []
    for number, (vu, delay) in enumerate(zip(vus, delays, strict=True)):
        begun = clock.call("now")
        calls.append(vu.start("run", number, delay * 5))
        until(lambda number=number, vu=vu: vu.state == SLEEPING or number in order)
        alarms.append((begun + delay * 5, clock.call("now") + delay * 5))
    gevent.joinall(calls, timeout=DEADLINE)
    for vu in (*vus, clock):
        vu.close()
    assert sorted(order) == list(range(len(delays)))
    # Of each alarm only the earliest and the latest possible time are known.
    assert all(alarms[sooner][0] <= alarms[later][1] for sooner, later in pairwise(order))


def test_nobody_sleeps_less_than_asked_for(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = (ms) => { const start = core.now(); core.sleep(ms); return core.now() - start; };"
    )
    for milliseconds in (0, 0.1, 1, 7.5):
        assert vu.call("run", milliseconds) >= milliseconds - 0.001


@pytest.mark.parametrize("milliseconds", [-1, -1e9, float("nan"), "text", None])
def test_odd_sleeps_end_at_once(make_vu: Callable[..., VU], milliseconds: object) -> None:
    vu = make_vu("entries.run = (ms) => { core.sleep(ms); return true; };")
    assert vu.call("run", milliseconds) is True


def test_alarms_are_forgotten_with_their_vu(make_vu: Callable[..., VU]) -> None:
    """Of many, in any order."""
    vus = [make_vu("entries.run = (ms) => core.sleep(ms);") for _ in range(60)]
    calls = {vu: vu.start("run", 1e6 + number * 37 % 60) for number, vu in enumerate(vus)}
    until(lambda: all(vu.state == SLEEPING for vu in vus))
    for vu in sorted(vus, key=lambda vu: vu.index * 17 % 60):
        vu.interpreter.interrupt()
        calls[vu].get(timeout=DEADLINE)
        vu.close()
    assert make_vu("entries.run = () => core.sleep(1);").call("run") is None


def test_a_ready_vu_can_be_interrupted(make_vu: Callable[..., VU]) -> None:
    """In the middle of the ready queue, too."""
    vus = [make_vu("entries.run = () => { for (;;) {} };") for _ in range(5)]
    calls: list[Any] = [vu.start("run") for vu in vus]
    until(lambda: all(vu.state == READY for vu in vus))
    for number in (2, 0, 4, 3, 1):
        vus[number].interpreter.interrupt()
        calls[number].get(timeout=DEADLINE)
    for vu in vus:
        vu.close()


def test_greenlets_run_while_alarms_are_frequent(make_vu: Callable[..., VU]) -> None:
    """A turn of the hub waits for the next alarm itself, but not for ever."""
    vu = make_vu(
        "let count = 0; entries.run = () => { while (count < 1000) { core.sleep(0.1); count += 1; } return count; };"
    )
    calling = vu.start("run")
    rounds = 0
    while not calling.ready():
        gevent.sleep(0.001)
        rounds += 1
    assert calling.get() == 1000
    assert rounds > 10


def test_a_turn_ends_though_somebody_computes(make_vu: Callable[..., VU]) -> None:
    vu = make_vu("entries.run = () => { for (;;) {} };")
    calling = vu.start("run")
    until(lambda: vu.state == READY)
    for budget, timeout in ((0.0, 0), (0.002, 0), (0.002, 50), (0.0, 1000)):
        assert vu.library.core_turn(budget, timeout) is False
    assert not calling.ready()
    vu.interpreter.interrupt()
