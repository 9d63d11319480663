"""A VU: interruptions and deadlines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent
import pytest
from core_scripts import HARNESS, OPERATIONS
from core_vu import ASKING, DEADLINE, IDLE, LISTENING, SLEEPING, VU, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Scripts that never end by themselves, most of them because they catch whatever ends them.
STUBBORN = {
    "loop": "for (;;) {}",
    "loop that catches": "for (;;) { try { for (;;) {} } catch {} finally { continue; } }",
    "recursion": "const f = () => { try { f(); } finally { f(); } }; f();",
    "promise executor": "for (;;) new Promise(() => { for (;;) {} });",
    "then": "return Promise.resolve().then(() => { for (;;) {} });",
    "then that goes on": "const again = () => Promise.resolve().then(again); again(); again();",
    "await": "return (async () => { for (;;) await null; })();",
    "many that await": "return Promise.all(new Array(1000).fill().map(async () => { for (;;) await null; }));",
    "async function": "const f = async () => { for (;;) {} }; for (;;) f().catch(() => {});",
    "async generator": """
        async function* g() { for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } } }
        const again = () => g().next().then(again, again);
        for (;;) again();""",
    "generator": "function* g() { try { for (;;) {} } finally { for (;;) {} } } for (;;) [...g()];",
    "thenable": "return Promise.resolve({ then() { for (;;) {} } });",
    "awaited thenable": "return (async () => { for (;;) { try { await { then() { for (;;) {} } }; } catch {} } })();",
    "getter": "for (;;) { try { ({ get x() { for (;;) {} } }).x; } catch {} }",
    "proxy": """
        const p = new Proxy({}, { get() { for (;;) {} }, ownKeys() { for (;;) {} } });
        for (;;) { try { Object.keys(p); p.x; } catch {} }""",
    "toJSON": "for (;;) { try { JSON.stringify({ toJSON() { for (;;) {} } }); } catch {} }",
    "replacer": "for (;;) { try { JSON.stringify([1, 2], () => { for (;;) {} }); } catch {} }",
    "reviver": "for (;;) { try { JSON.parse('[1, 2]', () => { for (;;) {} }); } catch {} }",
    "comparator": "for (;;) { try { [3, 2, 1].sort(() => { for (;;) {} }); } catch {} }",
    "regexp": "for (;;) { try { /^(a+)+$/.test('a'.repeat(40) + 'b'); } catch {} }",
    "replacement": "for (;;) { try { 'abc'.replace(/b/, () => { for (;;) {} }); } catch {} }",
    "toString": "for (;;) { try { `${{ toString() { for (;;) {} } }}`; } catch {} }",
    "valueOf": "for (;;) { try { +{ valueOf() { for (;;) {} } }; } catch {} }",
    "iterator": """
        const endless = { next() { for (;;) {} }, return() { for (;;) {} } };
        for (;;) { try { for (const x of { [Symbol.iterator]: () => endless }) x; } catch {} }""",
    "species": """
        class A extends Array { static get [Symbol.species]() { for (;;) {} } }
        for (;;) { try { new A(1, 2).map((x) => x); } catch {} }""",
    "class": "for (;;) { try { new (class { x = (() => { for (;;) {} })(); })(); } catch {} }",
    "static block": "for (;;) { try { (class { static { for (;;) {} } }); } catch {} }",
    "bound function": "const f = (() => { for (;;) {} }).bind(); for (;;) { try { f(); } catch {} }",
    "Reflect": "for (;;) { try { Reflect.apply(() => { for (;;) {} }, null, []); } catch {} }",
    "eval": "for (;;) { try { eval('for (;;) {}'); } catch {} }",
    "Function": "for (;;) { try { new Function('for (;;) {}')(); } catch {} }",
    "built-in with callback": "for (;;) new Array(1000).fill(0).map((x) => x + 1);",
    "timers": "const again = () => loop.addTimer(again, 0, -1, 0); again();",
    "tasks": "const again = () => loop.queueTask(again); again();",
    "values for Python": "const deep = { get x() { return deep; } }; for (;;) { try { host('say', deep); } catch {} }",
    "quick requests": "for (;;) { try { host('quick'); } catch {} }",
    "dropped sessions": "for (;;) { core.createSession(() => {}, true).stop(); }",
}

#: Scripts that wait for what never comes.
WAITING_SCRIPTS = {
    "sleep": ("core.sleep(1e9);", SLEEPING),
    "sleep that is repeated": "for (;;) { try { core.sleep(1e9); } catch {} }",
    "blocking request": ("host('blocking');", ASKING),
    "blocking request that is repeated": "for (;;) { try { host('blocking'); } catch {} }",
    "timer": ("loop.addTimer(() => {}, 1e9, -1, 0);", WAITING),
    "listener": ("loop.listen(5, () => {});", WAITING),
    "pending promise": ("loop.listen(5, () => {}); return new Promise(() => {});", WAITING),
    "k6/ws session that dials": ("core.createSession(() => {}, true).run();", LISTENING),
    "k6/websockets session that dials": (
        "kept.session = core.createSession(() => {}, false);",
        WAITING,
    ),
}

SOURCES = {
    **STUBBORN,
    **{name: one if isinstance(one, str) else one[0] for name, one in WAITING_SCRIPTS.items()},
}


def define(name: str) -> str:
    """JavaScript that defines one of SOURCES as an entry."""
    return f"define({name!r}, (ballast) => {{ {SOURCES[name]} }});"


def interrupted(vu: VU, name: str, seconds: float, *, from_outside: bool) -> None:
    """Call an entry and interrupt it after some time: by its deadline or by `interrupt`."""
    if not from_outside:
        with pytest.raises(Interrupted):
            vu.call(name, within=seconds)
        return
    calling = vu.start(name)
    until(lambda: vu.state != IDLE)  # other VUs may have their turn first
    gevent.sleep(seconds)
    vu.interpreter.interrupt()
    assert isinstance(calling.get(timeout=DEADLINE), Interrupted)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_whatever_a_script_does_is_interrupted(vu: VU, name: str) -> None:
    """By its deadline and from outside, at any moment; the VU goes on with its state, and nothing leaks."""
    vu.evaluate(define(name))
    before = 0
    for count in range(60):
        if count == 10:
            before = vu.memory
        interrupted(vu, name, 0.0003 * (count % 12), from_outside=count % 2 == 0)
        assert not vu.interpreter.is_lost
        if count % 10 == 0:
            assert vu.call("whole") == ["quick", "job", "timer", "task"]
    assert vu.call("begun") == 60
    assert vu.call("whole") == ["quick", "job", "timer", "task"]
    assert vu.memory < before + 1_500_000  # 15 times the ballast of one
    assert vu.faults == []


@pytest.mark.parametrize(
    "name", [name for name, one in WAITING_SCRIPTS.items() if not isinstance(one, str)]
)
def test_what_waits_is_interrupted_there(vu: VU, name: str) -> None:
    vu.evaluate(define(name))
    calling = vu.start(name)
    until(lambda: vu.state == WAITING_SCRIPTS[name][1])
    vu.interpreter.interrupt()
    assert vu.state == IDLE
    assert isinstance(calling.get(), Interrupted)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(sorted(SOURCES))), min_size=4, max_size=24)
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_vus_are_interrupted_beside_each_other(
    make_vu: Callable[..., VU], plan: list[tuple[int, str]]
) -> None:
    vus = [make_vu(HARNESS + "".join(map(define, SOURCES)), operations=OPERATIONS) for _ in range(4)]

    def play(vu: VU, names: list[str]) -> None:
        for count, name in enumerate(names):
            interrupted(vu, name, 0.001 * (count % 4), from_outside=count % 2 == 0)

    players = [
        gevent.spawn(play, vu, [name for number, name in plan if number == index])
        for index, vu in enumerate(vus)
    ]
    gevent.joinall(players, timeout=DEADLINE, raise_error=True)
    assert sum(vu.call("begun") for vu in vus) == len(plan)
    for vu in vus:
        assert vu.call("whole") == ["quick", "job", "timer", "task"]
        vu.close()


def begun_and_interrupted(vu: VU) -> None:
    """Call the entry `run`, and interrupt it when it has said something."""
    before = len(vu.said)
    calling = vu.start("run")
    until(lambda: len(vu.said) > before)
    vu.interpreter.interrupt()
    assert isinstance(calling.get(timeout=DEADLINE), Interrupted)


def test_an_interruption_cannot_be_caught(vu: VU) -> None:
    vu.evaluate("""
        const marks = [];
        entries.marks = () => marks;
        entries.run = () => {
          Promise.resolve().then(() => marks.push('job'));
          loop.addTimer(() => marks.push('timer'), 0, -1, 0);
          loop.queueTask(() => marks.push('task'));
          Promise.reject(1).catch(() => marks.push('rejection'));
          marks.push('begin');
          say('begun');
          try { for (;;) {} } catch { marks.push('catch'); } finally { marks.push('finally'); }
        };
        entries.settle = () => loop.settle((reason) => marks.push(`rejected ${reason}`));
    """)
    begun_and_interrupted(vu)
    vu.call("settle")
    assert vu.call("marks") == ["begin"]


def test_generators_and_promises_outlast_an_interruption(vu: VU) -> None:
    vu.evaluate("""
        function* numbers() { for (let i = 0; ; i += 1) yield i; }
        const generator = numbers();
        let resolve;
        const promise = new Promise((one) => { resolve = one; });
        const map = new Map([['a', [1, 2]]]);
        entries.run = () => { generator.next(); map.set('b', 3); say('begun'); for (;;) {} };
        entries.look = () => {
          const seen = [generator.next().value, [...map]];
          promise.then((value) => seen.push(value));
          resolve('resolved');
          loop.settle(() => {});
          return seen;
        };
    """)
    begun_and_interrupted(vu)
    assert vu.call("look") == [1, [["a", [1, 2]], ["b", 3]], "resolved"]


def test_a_deadline_that_has_passed(vu: VU) -> None:
    vu.evaluate("entries.spin = () => { for (;;) {} }; entries.sleep = () => core.sleep(1e9);")
    for name in ("spin", "sleep"):
        with pytest.raises(Interrupted):
            vu.call(name, within=-1.0)


def test_a_deadline_is_that_of_its_command(vu: VU) -> None:
    vu.evaluate("entries.wait = (milliseconds) => core.sleep(milliseconds);")
    vu.call("wait", 1, within=1.0)
    vu.interpreter.call("wait", 1050)


def test_idle_vus_are_not_interrupted(vu: VU) -> None:
    vu.interpreter.interrupt()
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def test_timers_that_were_stopped_are_named(vu: VU) -> None:
    vu.evaluate("""
        entries.run = () => {
          loop.addTimer(() => {}, 9e5, -1, loop.TIMEOUT);
          loop.addTimer(() => {}, 5e5, 7e5, loop.INTERVAL);
          loop.addTimer(() => {}, 1e5, -1, loop.OWN);
          say('begun');
          loop.settle(() => {});
        };
    """)
    begun_and_interrupted(vu)
    assert vu.interpreter.stopped_timers == ["setInterval 2", "setTimeout 1"]
    assert vu.call("whole") == ["quick", "job", "timer", "task"]
    begun_and_interrupted(vu)
    assert vu.interpreter.stopped_timers == ["setInterval 5", "setTimeout 4"]


def test_a_session_that_nobody_has_any_more_is_not_waited_for(vu: VU) -> None:
    vu.evaluate("entries.run = () => { core.createSession(() => {}, false); loop.settle(() => {}); };")
    vu.call("run")
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def test_init_code_is_interrupted(vu: VU) -> None:
    with pytest.raises(Interrupted):
        vu.evaluate("for (;;) {}", "file:///endless.js", time.monotonic() + 0.01)
    assert not vu.interpreter.is_lost
    assert vu.call("whole") == ["quick", "job", "timer", "task"]
    with pytest.raises(Interrupted):
        vu.evaluate(
            "await new Promise(() => { for (;;) {} });", "file:///x.js", time.monotonic() + 0.01
        )


def test_an_interpreter_that_cannot_be_mended_is_made_anew(make_vu: Callable[..., VU]) -> None:
    """As where an interruption finds more promise jobs than it lets run out."""
    vu = make_vu(
        HARNESS
        + "entries.run = () => { for (let i = 0; i < 150_000; i += 1) Promise.resolve().then(() => {});"
        "  say('ready'); for (;;) {} };",
        operations=OPERATIONS,
    )
    calling = vu.start("run")
    until(lambda: vu.said)
    vu.interpreter.interrupt()
    assert isinstance(calling.get(), Interrupted)
    assert vu.interpreter.is_lost
    assert vu.memory == 0
    with pytest.raises(JSError):
        vu.call("begun")
    vu.evaluate(HARNESS)
    assert vu.call("begun") == 0
    assert vu.call("whole") == ["quick", "job", "timer", "task"]
