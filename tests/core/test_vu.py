"""One VU: commands, interruptions in every state, limits of stack and memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent
import pytest
from core_vu import ASKING, DEADLINE, IDLE, LISTENING, SLEEPING, VU, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsrunner.core.binding import load
from jsrunner.engine.engine import process_engine
from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

HARNESS = """
let begun = 0;
entries.begun = () => begun;
globalThis.kept = {};
globalThis.define = (name, body) => {
  entries[name] = () => {
    begun += 1;
    const ballast = new ArrayBuffer(100_000);
    body(ballast);
    loop.settle(() => {});
  };
};
entries.whole = () => {
  const order = [];
  loop.addTimer(() => order.push('timer'), 0, -1, 0);
  loop.queueTask(() => order.push('task'));
  Promise.resolve().then(() => order.push('job'));
  core.sleep(0);
  order.push(host('quick'));
  loop.settle(() => {});
  return order;
};
"""


def blocking() -> None:
    gevent.sleep(1e6)


blocking.is_blocking = True  # type: ignore[attr-defined]

OPERATIONS: dict[str, Callable[..., object]] = {"quick": lambda: "quick", "blocking": blocking}
SOURCES = {
    **STUBBORN,
    **{name: one if isinstance(one, str) else one[0] for name, one in WAITING_SCRIPTS.items()},
}


def define(name: str) -> str:
    """JavaScript that defines one of SOURCES as an entry."""
    return f"define({name!r}, (ballast) => {{ {SOURCES[name]} }});"


@pytest.fixture
def vu(make_vu: Callable[..., VU]) -> VU:
    return make_vu(HARNESS, operations=OPERATIONS)


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


# -- commands ----------------------------------------------------------------------------------------


def test_a_command_at_a_time(vu: VU) -> None:
    vu.evaluate("entries.sleep = () => core.sleep(1e9);")
    calling = vu.start("sleep")
    until(lambda: vu.state == SLEEPING)
    with pytest.raises(RuntimeError, match="busy"):
        vu.call("whole")
    vu.interpreter.interrupt()
    calling.get()
    assert vu.state == IDLE
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def test_an_unknown_command_is_an_error(vu: VU) -> None:
    with pytest.raises(JSError, match="TypeError: not a function"):
        vu.call("nothing")


def test_at_most_eight_arguments(vu: VU) -> None:
    vu.evaluate("entries.count = (...all) => all;")
    assert vu.call("count", *range(8)) == list(range(8))
    assert vu.call("count", *range(9)) == list(range(8))


def test_vus_are_made_and_freed(make_vu: Callable[..., VU]) -> None:
    """The number of a freed one is used again."""
    first = make_vu()
    index = first.index
    first.close()
    for _ in range(100):
        vu = make_vu("entries.one = () => 1;")
        assert vu.index == index
        assert vu.call("one") == 1
        vu.close()


def test_a_vu_is_freed_with_all_that_it_holds(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "const session = core.createSession(() => session, false);"
        "loop.addTimer(() => session, 1e6, 1, 1); loop.listen(3, () => session); loop.queueTask(() => {});"
        "Promise.reject(session); globalThis.session = session; core.createSession(() => {}, true);"
        "entries.last = () => new ArrayBuffer(1e6);"
    )
    vu.call("last")
    vu.close()
    vu.close()
    assert vu.state in (0, IDLE)


# -- interruptions -----------------------------------------------------------------------------------


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
          try { for (;;) {} } catch { marks.push('catch'); } finally { marks.push('finally'); }
        };
        entries.settle = () => loop.settle((reason) => marks.push(`rejected ${reason}`));
    """)
    with pytest.raises(Interrupted):
        vu.call("run", within=0.01)
    vu.call("settle")
    assert vu.call("marks") == ["begin"]


def test_generators_and_promises_outlast_an_interruption(vu: VU) -> None:
    vu.evaluate("""
        function* numbers() { for (let i = 0; ; i += 1) yield i; }
        const generator = numbers();
        let resolve;
        const promise = new Promise((one) => { resolve = one; });
        const map = new Map([['a', [1, 2]]]);
        entries.run = () => { generator.next(); map.set('b', 3); for (;;) {} };
        entries.look = () => {
          const seen = [generator.next().value, [...map]];
          promise.then((value) => seen.push(value));
          resolve('resolved');
          loop.settle(() => {});
          return seen;
        };
    """)
    with pytest.raises(Interrupted):
        vu.call("run", within=0.01)
    assert vu.call("look") == [1, [["a", [1, 2]], ["b", 3]], "resolved"]


def test_a_deadline_that_has_passed(vu: VU) -> None:
    vu.evaluate("entries.spin = () => { for (;;) {} }; entries.sleep = () => core.sleep(1e9);")
    for name in ("spin", "sleep"):
        with pytest.raises(Interrupted):
            vu.call(name, within=-1.0)


def test_a_deadline_can_be_moved(vu: VU) -> None:
    vu.evaluate("entries.spin = () => { for (;;) {} };")
    calling = vu.start("spin")
    gevent.sleep(0.01)
    vu.library.core_set_deadline(vu.index, time.monotonic())
    assert isinstance(calling.get(timeout=DEADLINE), Interrupted)


def test_a_deadline_is_that_of_its_command(vu: VU) -> None:
    vu.evaluate("entries.wait = (milliseconds) => core.sleep(milliseconds);")
    vu.call("wait", 1, within=0.03)
    vu.interpreter.call("wait", 40)


def test_idle_vus_are_not_interrupted(vu: VU) -> None:
    vu.interpreter.interrupt()
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def test_timers_that_were_stopped_are_named(vu: VU) -> None:
    vu.evaluate("""
        entries.run = () => {
          loop.addTimer(() => {}, 9e5, -1, loop.TIMEOUT);
          loop.addTimer(() => {}, 5e5, 7e5, loop.INTERVAL);
          loop.addTimer(() => {}, 1e5, -1, loop.OWN);
          loop.settle(() => {});
        };
    """)
    with pytest.raises(Interrupted):
        vu.call("run", within=0.01)
    assert vu.interpreter.stopped_timers == ["setInterval 2", "setTimeout 1"]
    assert vu.call("whole") == ["quick", "job", "timer", "task"]
    with pytest.raises(Interrupted):
        vu.call("run", within=0.01)
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


# -- limits ------------------------------------------------------------------------------------------

RECURSIONS = {
    "function": "const f = () => f(); f();",
    "getter": "const o = { get x() { return this.x; } }; o.x;",
    "proxy": "const p = new Proxy({}, { get: (t, n, r) => r[n] }); p.x;",
    "toString": "const o = { toString() { return `${this}`; } }; `${o}`;",
    "map": "const f = () => [1].map(f); f();",
    "sort": "const f = () => [2, 1].sort(f); f();",
    "replace": "const f = () => 'a'.replace(/a/g, f); f();",
    "constructor": "class A { constructor() { new A(); } } new A();",
    "spread": "const f = (...all) => f(...all); f(1, 2, 3);",
    "apply": "const f = () => Reflect.apply(f, null, []); f();",
    "flat": "let deep = []; for (let i = 0; i < 1e5; i += 1) deep = [deep]; deep.flat(Infinity);",
    "join": "let deep = []; for (let i = 0; i < 1e5; i += 1) deep = [deep]; String(deep);",
    "JSON.parse": "JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));",
    "toJSON": "const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o);",
    "eval": "const f = () => eval('f()'); f();",
    "syntax": "new Function('('.repeat(1e6));",
    "generator": "function* g() { yield* g(); } g().next();",
    "async": "const f = async () => { await f(); }; f().catch(() => {}); const g = () => g(); g();",
    "values for Python": "let deep = []; for (let i = 0; i < 50000; i += 1) deep = [deep]; host('quick', deep);",
    "nested calls of host": "const o = { get x() { return host('quick', o); } }; host('quick', o);",
}


@pytest.mark.parametrize("name", RECURSIONS)
def test_endless_recursion_is_an_error(vu: VU, name: str) -> None:
    vu.evaluate(f"""
        entries.run = () => {{
          try {{ {RECURSIONS[name]} }} catch (error) {{ return error.name; }}
          return 'none';
        }};
    """)
    for _ in range(3):
        assert vu.call("run") in ("RangeError", "InternalError", "SyntaxError", "TypeError")
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


def test_recursion_may_be_deep(vu: VU) -> None:
    vu.evaluate("""
        const depth = (n) => (n ? 1 + depth(n - 1) : 0);
        entries.depth = depth;
        class Node { constructor(n) { this.next = n ? new Node(n - 1) : null; } }
        entries.node = (n) => { new Node(n); return n; };
    """)
    assert vu.call("depth", 5000) == 5000
    assert vu.call("node", 4000) == 4000


def test_deep_recursion_in_many_vus(make_vu: Callable[..., VU]) -> None:
    """Each has its own stack, also while another one is in the middle of it."""
    source = "const depth = (n) => (n ? 1 + depth(n - 1) : (core.sleep(1), 0)); entries.depth = depth;"
    calls = [make_vu(source).start("depth", 3000 + number) for number in range(10)]
    assert [one.get(timeout=DEADLINE) for one in calls] == [3000 + number for number in range(10)]


MEGABYTE = 1 << 20


@pytest.fixture
def small_memory() -> Iterator[None]:
    """VUs that are made now have 32 MB."""
    process_engine()
    load(memory_bytes=32 * MEGABYTE)
    yield
    load()


HUNGRY = {
    "arrays": "const a = []; for (;;) a.push(new Array(1000).fill(1));",
    "strings": "let s = 'x'.repeat(1000); for (;;) s += s + 'y';",
    "distinct strings": "const a = []; for (let i = 0; ; i += 1) a.push(`${i}`.repeat(10));",
    "buffers": "const a = []; for (;;) a.push(new ArrayBuffer(1e6));",
    "objects": "const o = {}; for (let i = 0; ; i += 1) o[`key${i}`] = { i };",
    "map": "const m = new Map(); for (let i = 0; ; i += 1) m.set({}, i);",
    "closures": "const a = []; for (;;) { const b = a.length; a.push(() => b); }",
    "promises": "const a = []; for (;;) a.push(new Promise((resolve) => a.push(resolve)));",
    "jobs": "for (;;) Promise.resolve().then(() => {});",
    "timers": "for (;;) loop.addTimer(() => {}, 1e6, -1, 0);",
    "functions": "const a = []; for (let i = 0; ; i += 1) a.push(new Function(`return ${i}`));",
    "regular expressions": "const a = []; for (let i = 0; ; i += 1) a.push(new RegExp(`a{${i % 1000}}|${i}`));",
    "symbols": "const a = []; for (;;) a.push(Symbol('x'));",
    "answers": "const a = []; for (;;) a.push(host('large'));",
    "sessions": "const a = []; for (;;) { a.push(core.createSession(() => a, true)); a[a.length - 1].stop(); }",
    "generators": "function* g() { yield 1; } const a = []; for (;;) { const b = g(); b.next(); a.push(b); }",
    "errors": "const a = []; for (;;) { const e = new Error('x'); e.stack; a.push(e); }",
}


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", HUNGRY)
def test_memory_is_limited(make_vu: Callable[..., VU], name: str) -> None:
    """What needs more is an error of the script, again and again; the VU goes on and can be freed."""
    vu = make_vu(
        HARNESS
        + f"entries.run = () => {{ try {{ {HUNGRY[name]} }} catch (e) {{ return String(e); }} }};",
        operations={**OPERATIONS, "large": lambda: b"x" * MEGABYTE},
    )
    for _ in range(2):
        try:
            text = vu.call("run")
        except (JSError, Interrupted) as error:  # where there was no memory to tell of it
            text = str(error)
            if vu.interpreter.is_lost:
                break
        assert text in ("null", "") or "memory" in text or "string too long" in text, text
        vu.interpreter.interrupt()
        assert vu.memory <= 33 * MEGABYTE


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("size", [900, 937, 974, 1011])
def test_interpreters_that_ran_out_of_memory_are_let_go(make_vu: Callable[..., VU], size: int) -> None:
    """QuickJS would end the process where it has lost track of an object."""
    vu = make_vu()
    with pytest.raises(JSError):
        vu.evaluate(f"const a = []; for (;;) a.push(new Array({size}).fill(1));", "file:///x.js")
    vu.close()


@pytest.mark.usefixtures("small_memory")
def test_no_memory_for_an_interpreter(make_vu: Callable[..., VU]) -> None:
    load(memory_bytes=100_000)
    with pytest.raises(JSError):
        make_vu()
    load()
    assert make_vu(HARNESS, operations=OPERATIONS).call("whole") == ["quick", "job", "timer", "task"]
