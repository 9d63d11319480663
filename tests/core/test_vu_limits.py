"""A VU: recursion and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from core_scripts import HARNESS, OPERATIONS
from core_vu import DEADLINE, VU

from jsrunner.core.binding import load
from jsrunner.engine.engine import process_engine
from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """Each VU has a stack of its own, also while another VU is deep in a recursion."""
    source = "const depth = (n) => (n ? 1 + depth(n - 1) : (core.sleep(1), 0)); entries.depth = depth;"
    calls = [make_vu(source).start("depth", 3000 + number) for number in range(10)]
    assert [one.get(timeout=DEADLINE) for one in calls] == [3000 + number for number in range(10)]


MEGABYTE = 1 << 20


@pytest.fixture
def small_memory() -> Iterator[None]:
    """Give VUs that the test makes 32 MB of memory each."""
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


@pytest.mark.slow
@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", HUNGRY)
def test_memory_is_limited(make_vu: Callable[..., VU], name: str) -> None:
    """Code that needs more memory gets an exception, each time; the VU goes on and can be freed."""
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


@pytest.mark.slow
@pytest.mark.usefixtures("small_memory")
def test_an_error_of_memory_has_a_stack_whatever_is_left(make_vu: Callable[..., VU]) -> None:
    """QuickJS frees an entry of the stack twice if there is no memory for the list of entries."""
    vu = make_vu(
        HARNESS + "Error.prepareStackTrace = (error, frames) => `${frames.length} frames`;"
        "entries.run = (size) => { const all = [new ArrayBuffer(size)];"
        "  try { for (;;) all.push(new Array(1000).fill(1)); } catch (e) { all.length = 0; return e && e.stack; } };",
        operations=OPERATIONS,
    )
    for size in range(0, 16 << 10, 192):
        assert "frames" in vu.call("run", size)
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


#: Statements that use up the memory with small blocks.
HOARDS = {
    "rejections": "all.push(Promise.reject(1))",
    "handled rejections": "{ const one = Promise.reject(1); one.catch(() => 1); all.push(one); }",
    "async functions": "all.push((async () => { throw 1; })())",
    "closures": "all.push(() => all)",
    "objects": "all.push({ a: 1 })",
    "short strings": "all.push(`${all.length}`.repeat(100))",
    "a list": "last = { last }",
    "a list of promises": "{ const before = last; last = Promise.reject(1).catch(() => before); }",
}


@pytest.mark.slow
@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", HOARDS)
def test_small_blocks_use_up_the_memory(make_vu: Callable[..., VU], name: str) -> None:
    """Each call ends with an error, in whatever depth, and the VU goes on."""
    vu = make_vu(
        HARNESS + "Error.prepareStackTrace = (error, frames) => frames;"
        "entries.run = (size, depth) => {"
        "  const all = [new ArrayBuffer((28 << 20) + size)]; let last = null;"
        f"  const fill = (depth) => {{ if (depth) fill(depth - 1); else for (;;) {HOARDS[name]}; }};"
        "  fill(depth); };",
        operations=OPERATIONS,
    )
    for size in range(0, 160, 8):
        with pytest.raises(JSError, match="out of memory"):
            vu.call("run", size, size % 40)
    assert vu.memory <= 33 * MEGABYTE
    assert vu.call("whole") == ["quick", "job", "timer", "task"]


@pytest.mark.usefixtures("small_memory")
def test_garbage_does_not_use_up_the_memory(make_vu: Callable[..., VU]) -> None:
    """Objects that refer to each other are freed when the limit is reached, at the latest."""
    vu = make_vu(
        "entries.run = () => { const all = new ArrayBuffer(30 << 20);"
        "  for (let i = 0; i < 1e6; i += 1) { const one = { all }; one.self = one; } };"
    )
    vu.call("run")


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("size", [900, 937, 974, 1011])
def test_interpreters_that_ran_out_of_memory_are_let_go(make_vu: Callable[..., VU], size: int) -> None:
    """They are not freed, because QuickJS would abort the process if it has lost an object."""
    vu = make_vu()
    with pytest.raises(JSError):
        vu.evaluate(f"const a = []; for (;;) a.push(new Array({size}).fill(1));", "file:///x.js")
    vu.close()


@pytest.mark.usefixtures("small_memory")
def test_no_memory_for_an_interpreter(make_vu: Callable[..., VU]) -> None:
    for size in range(20_000, 110_000, 997):
        load(memory_bytes=size)
        with pytest.raises(JSError):
            make_vu()
    load()
    assert make_vu(HARNESS, operations=OPERATIONS).call("whole") == ["quick", "job", "timer", "task"]
