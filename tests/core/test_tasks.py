"""The event loop: tasks, timers, promise jobs, listeners and rejections, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_vu import DEADLINE, IDLE, VU, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsrunner.engine.errors import JSError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Runs the event loop, and notes what it says of rejections.
SETTLE = """
const order = [];
const note = (...values) => order.push(values.length === 1 ? values[0] : values);
const settle = () => loop.settle((reason) => note('rejected', String(reason)));
"""


@pytest.fixture
def order_of(make_vu: Callable[..., VU]) -> Callable[..., list[Any]]:
    """Run JavaScript that notes what happens, post what is given, and return what was noted."""

    def order_of(source: str, *posts: Any) -> list[Any]:
        vu = make_vu(f"{SETTLE} entries.run = () => {{ {source}\n return order; }};")
        running = vu.start("run")
        for post in posts:
            until(lambda: vu.state == WAITING or running.ready())
            for handle, payload in post:
                vu.interpreter.post(handle, payload)
        order: list[Any] = running.get(timeout=DEADLINE)
        return order

    return order_of


# -- order -------------------------------------------------------------------------------------------


def test_tasks_run_in_the_order_in_which_they_came(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "for (let i = 0; i < 100; i += 1) loop.queueTask(() => note(i)); settle();"
    ) == list(range(100))


def test_all_jobs_run_after_each_task(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "for (const name of ['a', 'b']) loop.queueTask(async () => { note(name);"
        "  for (let i = 0; i < 500; i += 1) await null; note(`jobs of ${name}`); });"
        "Promise.resolve().then(() => note('job')); note('sync'); settle();"
    ) == ["sync", "job", "a", "jobs of a", "b", "jobs of b"]


def test_timers_and_tasks_run_in_the_order_in_which_they_came(
    order_of: Callable[..., list[Any]],
) -> None:
    assert order_of(
        "loop.queueTask(() => note('task'));"
        "loop.addTimer(() => note('overdue'), -1000, -1, 0);"
        "loop.addTimer(() => note('later'), 2, -1, 0);"
        "loop.queueTask(() => { busy(4); note('long task'); loop.queueTask(() => note('last')); });"
        "settle();"
    ) == ["overdue", "task", "long task", "later", "last"]


def test_a_timer_that_becomes_the_first_joins_the_tasks_only_then(
    order_of: Callable[..., list[Any]],
) -> None:
    """Both are overdue before the task is queued, but the second had to wait for the first."""
    assert order_of(
        "loop.addTimer(() => { note('first'); busy(3); }, -10, -1, 0);"
        "loop.addTimer(() => note('second'), -10, -1, 0);"
        "loop.queueTask(() => note('task')); settle();"
    ) == ["first", "task", "second"]


def test_a_task_may_bring_others(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "const task = (n) => () => { note(n); if (n < 3) loop.queueTask(task(n + 1)); }; loop.queueTask(task(0)); settle();"
    ) == [0, 1, 2, 3]


def test_jobs_may_go_on_with_timers_and_events(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "Promise.resolve().then(() => loop.addTimer(() => Promise.resolve().then(() =>"
        " loop.listen(3, () => { loop.forget(3); note('event'); })), 0, -1, 0)); settle();",
        [(3, "x")],
    ) == ["event"]


def test_jobs_run_before_waiting_and_may_make_it_needless(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "loop.listen(1, () => {}); Promise.resolve().then(() => loop.forget(1)); settle(); note('over');"
    ) == ["over"]


def test_chains_of_promises_may_be_long(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "(async () => { for (let i = 0; i < 100_000; i += 1) await null; note('done'); })(); settle();"
    ) == ["done"]


def test_jobs_run_when_they_are_asked_for(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "Promise.resolve().then(() => note('job')); loop.drainJobs(); note('after'); loop.drainJobs();"
    ) == ["job", "after"]


# -- listeners ---------------------------------------------------------------------------------------


def test_events_are_dispatched_until_nobody_listens(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "loop.listen(7, (payload) => { note(payload); if (payload === 'end') loop.forget(7); }); settle();",
        [(7, "a"), (7, "b"), (9, "for nobody")],
        [(7, "end"), (7, "too late")],
    ) == ["a", "b", "end"]


def test_events_of_several_listeners_come_in_order(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "for (const handle of [1, 2]) loop.listen(handle, (payload) => { note(handle, payload);"
        "  if (payload === null) loop.forget(handle); }); settle();",
        [(2, "a"), (1, "b"), (2, "c"), (1, None), (1, "gone"), (2, None)],
    ) == [[2, "a"], [1, "b"], [2, "c"], [1, None], [2, None]]


def test_times_of_events_are_those_at_which_they_came(order_of: Callable[..., list[Any]]) -> None:
    assert (
        order_of(
            "let last = core.now();"
            "loop.listen(1, (payload, time) => { note(time >= last, time <= core.now()); last = time;"
            "  busy(2); if (payload) loop.forget(1); }); settle();",
            [(1, 0), (1, 0)],
            [(1, 1)],
        )
        == [[True, True]] * 3
    )


def test_a_listener_that_throws_ends_the_settling(make_vu: Callable[..., VU]) -> None:
    """Tasks behind it run the next time."""
    vu = make_vu(
        f"{SETTLE} loop.listen(1, (payload) => {{ note(payload); if (payload === 'bad') throw new RangeError('no');"
        " if (payload === 'end') loop.forget(1); });"
        " entries.run = () => { try { settle(); return order; } catch (error) { return `${error}`; } };"
    )
    for payload in ("good", "bad", "end"):
        vu.interpreter.post(1, payload)
    assert vu.call("run") == "RangeError: no"
    assert vu.call("run") == ["good", "bad", "end"]


def test_an_entry_that_throws_leaves_nothing_behind(make_vu: Callable[..., VU]) -> None:
    """As our own code does when memory runs out."""
    vu = make_vu(
        f"{SETTLE} entries.fail = () => {{ loop.addTimer(() => note('timer'), 1, -1, 0);"
        " loop.queueTask(() => note('task')); Promise.resolve().then(() => note('job'));"
        " loop.listen(1, () => {}); throw new RangeError('no'); };"
        " entries.run = () => { settle(); return order; };"
    )
    with pytest.raises(JSError, match="RangeError: no"):
        vu.call("fail")
    assert vu.call("run") == []


def test_posts_to_an_idle_vu_wait(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        f"{SETTLE} loop.listen(1, (payload) => {{ note(payload); loop.forget(1); }});"
        "entries.run = () => { settle(); return order; };"
    )
    vu.interpreter.post(1, "early")
    assert vu.state == IDLE
    assert vu.call("run") == ["early"]


def test_posts_from_the_hub(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        f"{SETTLE} loop.listen(1, (payload) => {{ note(payload); loop.forget(1); }});"
        "entries.run = () => { settle(); return order; };"
    )
    timer = gevent.get_hub().loop.timer(0.002)
    timer.start(vu.interpreter.post, 1, "x")
    assert vu.call("run") == ["x"]
    timer.close()


def test_large_posts(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "let size = 0; loop.listen(1, (payload) => { size += payload.byteLength; if (!payload.byteLength) loop.forget(1); });"
        "entries.run = () => { loop.settle(() => {}); return size; };"
    )
    for _ in range(20):
        vu.interpreter.post(1, bytes(1 << 20))
    vu.interpreter.post(1, b"")
    assert vu.call("run") == 20 << 20


def test_many_listeners(order_of: Callable[..., list[Any]]) -> None:
    """They come and go while others are served."""
    assert order_of(
        "let sum = 0;"
        "for (let i = 1; i <= 500; i += 1) loop.listen(i, (payload) => { sum += payload; loop.forget(i);"
        "  if (i % 2) { const more = 1000 + i; loop.listen(more, (n) => { sum += n; loop.forget(more); }); } });"
        "settle(); note(sum);",
        [(handle, 1) for handle in range(1, 501)],
        [(1000 + handle, 10) for handle in range(1, 501, 2)],
    ) == [500 + 2500]


# -- rejections --------------------------------------------------------------------------------------


def test_rejections_that_nobody_handles_are_told(order_of: Callable[..., list[Any]]) -> None:
    """One at a time, and the settling ends there."""
    assert order_of(
        "Promise.reject(2).catch(() => {});"
        "(async () => { await null; throw new Error('from a job'); })();"
        "loop.queueTask(() => { Promise.reject(new Error('from a task')); });"
        "settle(); note('between'); settle(); settle();"
    ) == [["rejected", "Error: from a job"], "between", ["rejected", "Error: from a task"]]


def test_rejections_that_are_handled_in_the_same_jobs_are_none(
    order_of: Callable[..., list[Any]],
) -> None:
    assert order_of(
        "const later = Promise.reject('later'); Promise.resolve().then(() => later.catch(() => note('caught')));"
        "const all = Promise.all([Promise.reject(1), Promise.reject(2)]); all.catch((one) => note(one));"
        "settle();"
    ) == ["caught", 1]


def test_the_first_of_many_rejections_is_told(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "for (let i = 0; i < 100; i += 1) Promise.reject(i);"
        "note(loop.hasWork()); settle(); note(loop.hasWork()); settle();"
    ) == [True, ["rejected", "0"], False]


def test_what_the_listener_of_rejections_throws_is_thrown(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "Promise.reject(1); try { loop.settle(() => { throw new Error('from it'); }); } catch (e) { note(e.message); }"
    ) == ["from it"]


# -- what is waited for ------------------------------------------------------------------------------


def test_what_there_is_to_wait_for(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        """
        note(loop.hasWork());
        const look = (start, end) => { start(); note(loop.hasWork()); end(); note(loop.hasWork()); };
        let id; look(() => { id = loop.addTimer(() => {}, 1e6, -1, 0); }, () => loop.removeTimer(id));
        look(() => loop.listen(1, () => {}), () => loop.forget(1));
        look(() => loop.queueTask(() => {}), settle);
        look(() => Promise.resolve().then(() => {}), settle);
        let session; look(() => { session = core.createSession(() => {}, false); }, () => session.stop());
        look(() => Promise.reject(1), settle);
        """
    ) == [False, *[True, False] * 5, True, ["rejected", "1"], False]


def test_what_is_abandoned_is_not_waited_for(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "loop.addTimer(() => note('timer'), 1, -1, 0); loop.listen(1, () => {}); loop.queueTask(() => note('task'));"
        "const session = core.createSession(() => {}, false); Promise.reject(1);"
        "core.abandon(); note(loop.hasWork()); settle();"
    ) == [False]


def test_dropping_timers_leaves_sessions(order_of: Callable[..., list[Any]]) -> None:
    assert order_of(
        "loop.addTimer(() => {}, 1, -1, 0); loop.listen(1, () => {}); loop.queueTask(() => note('task'));"
        "const session = core.createSession(() => {}, false);"
        "note(core.dropTimers()); note(loop.hasWork()); session.stop(); note(loop.hasWork());"
    ) == [["setTimeout 1"], True, False]


def test_settling_inside_of_a_task(order_of: Callable[..., list[Any]]) -> None:
    """As a failed iteration waits for the closings of its sockets."""
    assert order_of(
        "loop.queueTask(() => { note('outer'); loop.queueTask(() => note('inner')); settle(); note('end'); });"
        "settle();"
    ) == ["outer", "inner", "end"]


# -- whatever comes ------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.just(["task"]),
        st.just(["job"]),
        st.just(["rejection"]),
        st.tuples(st.just("timer"), st.integers(0, 3)).map(list),
    ),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_everything_runs_exactly_once(make_vu: Callable[..., VU], steps: list[list[Any]]) -> None:
    vu = make_vu("""
        entries.run = (steps) => {
          const ran = new Array(steps.length).fill(0);
          let rejections = 0;
          steps.forEach(([kind, delay], i) => {
            const run = () => { ran[i] += 1; };
            if (kind === 'task') loop.queueTask(run);
            else if (kind === 'job') Promise.resolve().then(run);
            else if (kind === 'timer') loop.addTimer(run, delay, -1, 0);
            else loop.queueTask(() => { run(); Promise.reject(i); });
          });
          for (let i = 0; i <= steps.length; i += 1) loop.settle(() => { rejections += 1; });
          return [ran, rejections, loop.hasWork()];
        };
    """)
    rejections = sum(1 for step in steps if step == ["rejection"])
    assert vu.call("run", steps) == [[1] * len(steps), rejections, False]
    vu.close()
