"""engine/loop.js and engine/timers.js by themselves: Python's half is played by the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.interpreter import Interpreter, supported
from jsrunner.script.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

HARNESS = """
import { callPython, entries, host, timers } from 'jsrunner:host';
import { flush, now } from 'jsrunner:samples';
import * as loop from 'jsrunner:loop';
const say = (...values) => host('say', values);
const busy = (milliseconds) => { const end = now() + milliseconds; while (now() < end); };
let over = false;
const settle = (jobsDone = false) => loop.settle(
  jobsDone, (reason) => say('rejected', String(reason)), () => over,
);
entries.settle = settle;
entries.run = () => {
  %s
};
"""


class Loop:
    """Runs a piece of JavaScript that has `loop`, `say`, `settle`, `busy` and what host.js offers.

    `answers` are what waiting gives, one after the other: lists of [handle, time, payload, ...], texts,
    codes, or functions that return such.
    """

    def __init__(self, *answers: Any) -> None:
        self.said: list[Any] = []
        self.waits: list[str] = []
        self.answers = list(answers)
        self.clock = 0.0

    def run(self, source: str, *, native: bool | None = None) -> Any:
        script = Script("script.js", source="")
        sources = {"harness": HARNESS % source}
        interpreter = Interpreter(
            {
                b"loop.set_clock": self._set_clock,
                b"say": lambda values: self.said.append(values[0] if len(values) == 1 else values),
                b"give": lambda: 5,
            },
            load=lambda name: sources.get(name) or script.load(name),
            normalize=lambda base, name: name,
            native=native,
        )
        interpreter.hot[4] = interpreter.hot[5] = self._wait
        self.interpreter = interpreter
        interpreter.run_module("import 'harness';", "start")
        done = interpreter.call("run")
        while done is False:  # the promise jobs have run now
            done = interpreter.call("settle", True)
        return done

    def _set_clock(self, now: float) -> None:
        self.clock = now

    def _wait(self, name: bytes) -> bytes:
        self.waits.append(name[1:].decode())
        if self.interpreter.native:
            ran = self.interpreter.run_jobs()
            if ran is not None:
                return ran
        answer = self.answers.pop(0)
        return orjson.dumps(answer() if callable(answer) else answer)


@pytest.fixture(params=[True, False], ids=["native", "bridge"])
def native(request: pytest.FixtureRequest) -> bool:
    if request.param:
        assert supported()
    return request.param


# -- timers ------------------------------------------------------------------------------------------


def order_of(source: str) -> list[Any]:
    """What timers say, which are all due: nothing has to be waited for."""
    found = Loop()
    assert found.run(f"{source}\n return settle();") is True
    return found.said


def test_timers_run_by_due_time_then_by_registration() -> None:
    assert order_of(
        "for (const [i, delay] of [-3, -5, -3, -9, -5].entries())"
        " loop.addTimer(() => say(i), delay, -1, 'setTimeout');"
    ) == [3, 1, 4, 0, 2]


def test_ids_count_up_and_are_shared() -> None:
    found = Loop()
    assert found.run(
        "return [1, 2, 3].map((i) => loop.addTimer(() => {}, 0, i === 2 ? 5 : -1, 'x'));"
    ) == [1, 2, 3]


def test_removed_timers_do_not_run() -> None:
    assert order_of(
        "const ids = [1, 2, 3, 4, 5].map((i) => loop.addTimer(() => say(i), -i, -1, 'x'));"
        "loop.removeTimer(ids[4]); loop.removeTimer(ids[1]); loop.removeTimer(99);"
    ) == [4, 3, 1]


def test_a_timer_can_remove_itself_and_others() -> None:
    assert order_of(
        "let count = 0;"
        "const interval = loop.addTimer(() => { say('tick'); count += 1;"
        "  if (count === 3) loop.removeTimer(interval); }, 0, 0, 'setInterval');"
        "const never = loop.addTimer(() => say('never'), 50, -1, 'x');"
        "loop.addTimer(() => loop.removeTimer(never), 0, -1, 'x');"
    ) == ["tick", "tick", "tick"]


def test_an_interval_counts_from_the_end_of_its_callback() -> None:
    found = Loop()
    found.run(
        "const id = loop.addTimer(() => busy(5), -1, 1000, 'x');"
        "const before = now();"
        "loop.addTimer(() => { say(timers[0].due - before >= 1005); loop.removeTimer(id); },"
        "  0, -1, 'x');"
        "settle();"
    )
    assert found.said == [True]


def test_an_exception_leaves_the_other_timers_alone() -> None:
    found = Loop()
    found.run(
        "loop.addTimer(() => { throw new Error('boom'); }, -2, -1, 'setTimeout');"
        "loop.addTimer(() => { throw new Error('again'); }, -3, 7, 'setInterval');"
        "loop.addTimer(() => {}, 60, -1, 'setTimeout');"
        "for (let i = 0; i < 2; i += 1) { try { settle(); } catch (error) { say(error.message); } }"
        "say(loop.abandon()); say(loop.hasWork());"
    )
    assert found.said == ["again", "boom", ["setInterval 2", "setTimeout 3"], False]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 20)),
        st.tuples(st.just("remove"), st.integers(1, 40)),
        st.tuples(st.just("run"), st.just(0)),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def heap() -> Callable[[list[tuple[str, int]]], list[int]]:
    found = Loop()
    found.run(
        "entries.play = (actions) => {"
        "  const ran = [];"
        "  const first = loop.addTimer(() => {}, 0, -1, 'x');"  # ids go on from example to example
        "  loop.removeTimer(first);"
        "  for (const [action, n] of actions) {"
        "    if (action === 'add') loop.addTimer(() => {}, n * 1000, -1, 'x');"
        "    else if (action === 'remove') loop.removeTimer(first + n);"
        "    else if (timers.length) ran.push(timers[0].id - first), loop.removeTimer(timers[0].id);"
        "    Array.from(timers, (one, at) => { if (one.at !== at) ran.push('misplaced'); });"
        "  }"
        "  while (timers.length) { ran.push(timers[0].id - first); loop.removeTimer(timers[0].id); }"
        "  return ran;"
        "};"
    )
    return lambda actions: found.interpreter.call("play", actions)


@given(ACTIONS)
def test_the_heap_keeps_the_order(
    heap: Callable[[list[tuple[str, int]]], list[int]], actions: list[tuple[str, int]]
) -> None:
    waiting: dict[int, int] = {}
    ran: list[int] = []
    number = 0

    def first() -> int:
        # Timers of the same delay were added one after the other, and so they are due.
        return min(waiting, key=lambda one: (waiting[one], one))

    for action, n in actions:
        if action == "add":
            number += 1
            waiting[number] = n
        elif action == "remove":
            waiting.pop(n, None)
        elif waiting:
            ran.append(first())
            del waiting[ran[-1]]
    while waiting:
        ran.append(first())
        del waiting[ran[-1]]
    assert heap(actions) == ran


def test_python_sees_the_timers_that_wait() -> None:
    found = Loop()
    found.run(
        "loop.addTimer(() => {}, 2000, -1, 'setTimeout');"
        "loop.addTimer(() => {}, 9000, 5, 'setInterval');"
        "loop.addTimer(() => {}, 1000, -1, 'setTimeout');"
    )
    assert found.interpreter.native is not None
    assert found.interpreter.native.waiting_timers() == [
        "setTimeout 3",
        "setTimeout 1",
        "setInterval 2",
    ]


# -- events ------------------------------------------------------------------------------------------


def test_events_are_dispatched_until_nobody_listens() -> None:
    found = Loop([[7, 1.5, "a", "b"], [9, 2, "for nobody"]], [[7, 3, "end"]])
    assert found.run(
        "loop.listen(7, (payload, time) => { say(payload, time);"
        "  if (payload === 'end') loop.forget(7); }); return settle();"
    )
    assert found.said == [["a", 1.5], ["b", 1.5], ["end", 3]]


def test_an_alarm_is_set_once_for_each_first_timer() -> None:
    found = Loop([[1, 1, 0]], [[1, 2, 1]], [[1, 3, 2]], 2, [[1, 4, 3]])
    found.run(
        "let id = loop.addTimer(() => {}, 60000, -1, 'x');"
        "loop.listen(1, (n) => { if (n === 1) loop.addTimer(() => {}, 50000, -1, 'x');"
        "  if (n === 2) { loop.removeTimer(2); loop.removeTimer(1); }"
        "  if (n === 3) loop.forget(1); });"
        "settle();"
    )
    first, second, third, fourth, fifth = found.waits
    assert 59000 < float(first) <= 60000
    assert second == ""
    assert 49000 < float(third) <= 50000
    assert fourth == "-"
    assert fifth == ""  # what rang was an alarm that nobody needed any more


def test_an_alarm_that_has_rung_too_soon_is_set_again() -> None:
    found = Loop(*[2] * 100_000)
    found.run("loop.addTimer(() => say('due'), 3, -1, 'x'); settle();")
    assert found.said == ["due"]
    assert len(found.waits) > 1
    assert all(found.waits)


def test_timers_and_events_run_in_the_order_in_which_they_came() -> None:
    found = Loop()
    found.answers.append(lambda: [[1, found.clock - 100, "early"], [1, found.clock + 1e6, "late"]])
    found.run(
        "loop.listen(1, (payload) => { say(payload); if (payload === 'late') loop.forget(1);"
        "  if (payload === 'early') loop.addTimer(() => say('timer'), 0, -1, 'x'); });"
        "settle();"
    )
    assert found.said == ["early", "timer", "late"]


def test_a_timer_that_becomes_the_first_joins_the_tasks_only_then() -> None:
    found = Loop()
    # Both are overdue before the task is queued, but the second had to wait for the first.
    found.run(
        "loop.addTimer(() => { say('first'); busy(3); }, -10, -1, 'x');"
        "loop.addTimer(() => say('second'), -10, -1, 'x');"
        "loop.queueTask(() => say('task'));"
        "settle();"
    )
    assert found.said == ["first", "task", "second"]


def test_what_came_meanwhile_is_asked_for_after_control_had_left() -> None:
    found = Loop([[1, 0, "a", "b"]], [[1, 1, "c"]], [[1, 2, "end"]])
    found.run(
        "loop.listen(1, (payload) => { say(payload); if (payload === 'a') flush();"
        "  if (payload === 'end') loop.forget(1); }); settle();"
    )
    assert found.waits == ["", "turn", ""]
    assert found.said == ["a", "b", "c", "end"]


def test_who_has_much_to_do_gives_way() -> None:
    found = Loop([[1, 0, *[1] * 12]], *[[]] * 20)
    found.run(
        "let n = 0; loop.listen(1, () => { busy(1); n += 1; if (n === 12) loop.forget(1); }); settle();"
    )
    assert found.waits[0] == ""
    assert found.waits.count("turn") >= 2


def test_timers_that_are_always_due_give_way() -> None:
    found = Loop([[1, 0, "now"]])
    found.run(
        "const again = () => loop.addTimer(again, 0, -1, 'x'); again();"
        "loop.listen(1, () => { over = true; }); settle();"
    )
    assert found.waits == ["turn"]


def test_a_departure_takes_along_what_is_to_be_sent() -> None:
    found = Loop("an answer", [[1, 5, "events"]], "", [[1, 5, "end"]])
    found.run(
        "let text = 'first';"
        "const find = () => { const name = text && `\\x05${text}`; text = undefined; return name; };"
        "loop.onDeparture(find, (answer, time) => { say(answer, time > 1e12); text = 'next'; });"
        "loop.listen(1, (payload) => { say(payload); if (payload === 'end') loop.forget(1); });"
        "settle();"
    )
    assert found.said == [["an answer", True], "events", ["", True], "end"]
    assert found.waits == ["first", "next", "", "next"]


# -- promise jobs ------------------------------------------------------------------------------------


def test_jobs_run_before_the_next_event(native: bool) -> None:
    found = Loop([[1, 0, "a", "b"]])
    assert found.run(
        "loop.listen(1, async (payload) => { say(payload); for (let i = 0; i < 500; i += 1) await null;"
        "  say(`jobs of ${payload}`); if (payload === 'b') loop.forget(1); }); return settle();",
        native=native,
    )
    assert found.said == ["a", "jobs of a", "b", "jobs of b"]


def test_jobs_run_before_waiting_and_may_have_made_it_needless(native: bool) -> None:
    found = Loop()
    assert found.run(
        "loop.listen(1, () => {}); Promise.resolve().then(() => loop.forget(1)); return settle();",
        native=native,
    )
    assert found.said == []


def test_jobs_may_go_on_with_timers_and_events(native: bool) -> None:
    found = Loop([[3, 0, "x"]])
    assert found.run(
        "Promise.resolve().then(() => loop.addTimer(() => Promise.resolve().then(() =>"
        " loop.listen(3, () => { loop.forget(3); say('event'); })), 0, -1, 'x')); return settle();",
        native=native,
    )
    assert found.said == ["event"]


def test_chains_of_promises_may_be_long() -> None:
    found = Loop()
    found.run(
        "(async () => { for (let i = 0; i < 100000; i += 1) await null; say('done'); })(); settle();"
    )
    assert found.said == ["done"]


def test_between_jobs_others_have_their_turn() -> None:
    turns: list[int] = []
    found = Loop()
    found.run(
        "const work = async () => { for (let i = 0; i < 3000; i += 1) await null; };"
        "entries.work = () => { work(); settle(); };"
    )
    found.interpreter.between_jobs = lambda: turns.append(1)
    found.interpreter.call("work")
    assert len(turns) == 3000 // 256


def test_rejections_that_nobody_handles_are_told() -> None:
    found = Loop([[1, 0, 0]])
    found.run(
        "loop.listen(1, () => { loop.forget(1); Promise.reject(new Error('from a task')); });"
        "Promise.reject(2).catch(() => {});"
        "(async () => { await null; throw new Error('from a job'); })();"
        "settle();"
    )
    assert found.said == [["rejected", "Error: from a job"], ["rejected", "Error: from a task"]]


def test_nothing_goes_on_when_it_is_over() -> None:
    found = Loop()
    assert found.run(
        "loop.addTimer(() => say('never'), 0, -1, 'x'); loop.listen(1, () => {});"
        "Promise.resolve().then(() => { over = true; }); return settle();"
    )
    assert found.said == []


# -- tasks of modules --------------------------------------------------------------------------------


def test_promises_of_modules_settle_by_tasks() -> None:
    found = Loop()
    found.run(
        "const failing = (kind) => () => { throw kind; };"
        "loop.promised(() => 1).then(say);"
        "loop.promised(failing(new TypeError('t'))).catch((error) => say(error.message));"
        "loop.promised(() => Promise.resolve(3)).then(say);"
        "Promise.resolve().then(() => say('job'));"
        "say('sync'); settle();"
    )
    assert found.said == ["sync", "job", 3, 1, "t"]


@pytest.mark.parametrize(
    ("payload", "said"), [([None, "value"], "value"), ([["text", {"a": 1}], None], ["text", 1])]
)
def test_work_aside(payload: object, said: object) -> None:
    found = Loop([[5, 0, payload]])
    found.run(
        "loop.aside('give').then(say, (error) => say(error.error(), error.a)); settle();"
        "say(loop.hasWork());"
    )
    assert found.said == [said, False]


def test_what_has_failed_waits_for_nothing_more() -> None:
    found = Loop([[1, 0, "x", "y"], [2, 0, "z"], [1, 0, "w"]])
    found.run(
        "for (const n of [1, 2, 3]) loop.listen(n, () => { throw new Error('boom'); },"
        "  (payloads) => say(n, payloads));"
        "loop.listen(4, () => {});"
        "try { settle(); } catch (error) { say(error.message); }"
        "loop.abandon(); say(loop.hasWork());"
    )
    assert found.said == ["boom", [1, ["y", "w"]], [2, ["z"]], [3, []], False]
