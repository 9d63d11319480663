"""Timers: order, removal, intervals, large numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from core_vu import VU
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def order_of(make_vu: Callable[..., VU]) -> Callable[[str], list[Any]]:
    """Run JavaScript and then the event loop; return what it has put into `order`."""

    def order_of(source: str) -> list[Any]:
        vu = make_vu(
            f"entries.run = () => {{ const order = []; {source}\n loop.settle(() => {{}}); return order; }};"
        )
        order: list[Any] = vu.call("run")
        return order

    return order_of


def test_timers_run_by_due_time_then_by_registration(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "for (const [i, delay] of [-3, -5, -3, -9, -5].entries())"
        " loop.addTimer(() => order.push(i), delay * 60_000, -1, 0);"
    ) == [3, 1, 4, 0, 2]


def test_timers_of_no_delay_run_by_registration(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "for (let i = 0; i < 100; i += 1) loop.addTimer(() => order.push(i), 0, -1, i % 3);"
    ) == list(range(100))


def test_ids_count_up(order_of: Callable[[str], list[Any]]) -> None:
    """Removed timers and timers that have run keep their numbers; timers of modules do not count."""
    assert order_of(
        "for (let i = 0; i < 3; i += 1) order.push(loop.addTimer(() => {}, 0, -1, loop.TIMEOUT));"
        "const own = loop.addTimer(() => {}, 0, -1, loop.OWN); order.push(own > 1e9);"
        "loop.removeTimer(3); order.push(loop.addTimer(() => {}, 0, -1, loop.INTERVAL));"
        "loop.settle(() => {}); order.push(loop.addTimer(() => {}, 0, -1, loop.TIMEOUT));"
    ) == [1, 2, 3, True, 4, 5]


def test_removed_timers_do_not_run(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "const ids = [1, 2, 3, 4, 5].map((i) => loop.addTimer(() => order.push(i), -i, -1, 0));"
        "loop.removeTimer(ids[4]); loop.removeTimer(ids[1]); loop.removeTimer(ids[1]);"
    ) == [4, 3, 1]


def test_what_is_no_id_removes_nothing(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "loop.addTimer(() => order.push('ran'), 0, -1, 0);"
        "for (const id of [0, -1, 99, 2 ** 31, 2 ** 32 + 1, 1e300, NaN, Infinity, undefined, null, 'x', {}])"
        " loop.removeTimer(id);"
    ) == ["ran"]


def test_a_timer_can_remove_itself_and_others(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "let count = 0;"
        "const interval = loop.addTimer(() => { order.push('tick'); count += 1;"
        "  if (count === 3) loop.removeTimer(interval); }, 0, 0, 1);"
        "const never = loop.addTimer(() => order.push('never'), 50, -1, 0);"
        "loop.addTimer(() => loop.removeTimer(never), 0, -1, 0);"
    ) == ["tick", "tick", "tick"]


def test_a_timer_can_add_timers(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "const more = (n) => { order.push(n); for (let i = 1; n + i < 6; i += 1) loop.addTimer(() => more(n + i), 0, -1, 0); };"
        "more(4);"
    ) == [4, 5]


def test_an_interval_counts_from_the_end_of_its_call(order_of: Callable[[str], list[Any]]) -> None:
    assert order_of(
        "let end = 0; let count = 0;"
        "const id = loop.addTimer(() => { const now = core.now(); order.push(end === 0 || now - end >= 9.99); busy(3); end = core.now();"
        "  count += 1; if (count === 3) loop.removeTimer(id); }, 0, 10, 1);"
    ) == [True, True, True]


def test_an_exception_leaves_the_other_timers_alone(make_vu: Callable[..., VU]) -> None:
    """An interval goes on after it."""
    vu = make_vu("""
        entries.run = () => {
          const order = [];
          loop.addTimer(() => { throw new Error('boom'); }, -2, -1, 0);
          loop.addTimer(() => { throw new Error('again'); }, -3, 70000, 1);
          loop.addTimer(() => {}, 60000, -1, 0);
          for (let i = 0; i < 2; i += 1) { try { loop.settle(() => {}); } catch (error) { order.push(error.message); } }
          order.push(loop.abandon(), loop.hasWork());
          return order;
        };
    """)
    assert vu.call("run") == ["again", "boom", ["setTimeout 3", "setInterval 2"], False]


def test_names_of_timers_by_due_time(make_vu: Callable[..., VU]) -> None:
    """Timers of modules are not named."""
    vu = make_vu("""
        entries.run = () => {
          loop.addTimer(() => {}, 2000, -1, loop.TIMEOUT);
          loop.addTimer(() => {}, 9000, 5, loop.INTERVAL);
          loop.addTimer(() => {}, 100, -1, loop.OWN);
          loop.addTimer(() => {}, 1000, -1, loop.TIMEOUT);
          return core.dropTimers();
        };
    """)
    assert vu.call("run") == ["setTimeout 3", "setTimeout 1", "setInterval 2"]
    assert vu.call("run") == ["setTimeout 6", "setTimeout 4", "setInterval 5"]


def test_what_waits_wakes_its_vu_in_time(order_of: Callable[[str], list[Any]]) -> None:
    """The first timer may be removed, or another one come before it, while the VU waits."""
    assert order_of(
        "const far = loop.addTimer(() => order.push('far'), 1e8, -1, 0);"
        "loop.addTimer(() => { order.push('first'); loop.addTimer(() => order.push('second'), 2, -1, 0);"
        "  loop.removeTimer(far); }, 3, -1, 0);"
    ) == ["first", "second"]


@pytest.mark.parametrize("delay", ["NaN", "undefined", "'x'", "null", "{}", "-Infinity"])
def test_odd_delays_are_none(order_of: Callable[[str], list[Any]], delay: str) -> None:
    assert order_of(f"loop.addTimer(() => order.push('ran'), {delay}, -1, 0);") == ["ran"]


def test_a_delay_without_end_is_waited_for(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { loop.addTimer(() => {}, Infinity, -1, 0);"
        "  loop.addTimer(() => loop.removeTimer(1), 5, -1, 0); loop.settle(() => {}); return true; };"
    )
    assert vu.call("run") is True


def test_a_hundred_thousand_timers(make_vu: Callable[..., VU]) -> None:
    """They are added, removed in any order and run in order, and leave nothing behind."""
    vu = make_vu("""
        entries.run = (count) => {
          const ids = [];
          let last = -1;
          let ran = 0;
          let inOrder = true;
          for (let i = 0; i < count; i += 1) {
            const due = (i * 7919) % count;
            ids.push(loop.addTimer(() => { inOrder &&= due > last; last = due; ran += 1; }, due * 1000 - 1e12, -1, 0));
          }
          for (let i = 0; i < count; i += 2) loop.removeTimer(ids[(i * 31) % count]);
          loop.settle(() => {});
          return [ran, inOrder];
        };
    """)
    vu.call("run", 10)
    before = vu.memory
    assert vu.call("run", 100_000) == [50_000, True]
    assert vu.memory < before + 5_000_000


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 20)),
        st.tuples(st.just("remove"), st.integers(1, 40)),
        st.tuples(st.just("interval"), st.integers(0, 20)),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def player() -> Iterator[VU]:
    vu = VU("""
        entries.play = (actions) => {
          const ran = [];
          const first = loop.addTimer(() => {}, 0, -1, 0); // ids go on from example to example
          loop.removeTimer(first);
          for (const [action, n] of actions) {
            if (action === 'remove') { loop.removeTimer(first + n); continue; }
            const id = loop.addTimer(() => {
              ran.push(id - first);
              if (action === 'interval') loop.removeTimer(id);
            }, (n - 100) * 60_000, action === 'interval' ? 0 : -1, 0);
          }
          loop.settle(() => {});
          return ran;
        };
    """)
    yield vu
    vu.close()


@given(ACTIONS)
def test_whatever_is_added_and_removed_runs_in_order(
    player: VU, actions: list[tuple[str, int]]
) -> None:
    waiting: dict[int, int] = {}
    number = 0
    for action, n in actions:
        if action == "remove":
            waiting.pop(n, None)
        else:
            number += 1
            waiting[number] = n
    # Timers of the same delay were added one after the other, and so they are due.
    assert player.call("play", actions) == sorted(waiting, key=lambda one: (waiting[one], one))
