"""The template: VUs that begin as copies of an interpreter with evaluated modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.engine import process_engine
from jsrunner.engine.heat import Heat
from jsrunner.script.script import ScriptBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core_vu import VU

    from jsrunner.engine.engine import Engine

OURS = ("primordials", "errors", "host", "loop")

#: A module with state of many kinds.
STATE = """
import { SafeMap, uncurryThis } from 'jsrunner:primordials';
import { later } from 'jsrunner:core';
export const counts = { made: 0 };
export const list = [1, 'two', { three: 3.5 }, [4n, 'v'.repeat(5000), null, undefined]];
export const names = new SafeMap();
names.set('a', 1);
export class Counter { #n = 0; static all = 0; next() { Counter.all += 1; return (this.#n += 1); } }
export const counter = new Counter();
export const slice = uncurryThis(String.prototype.slice);
export const lazy = later('jsrunner:lazy', 'answer');
export const symbol = Symbol('a symbol');
export const pattern = /(?<word>\\w+)-\\d+/u;
export const bytes = new Uint8Array([1, 2, 3]).buffer;
export const settled = Promise.resolve('settled');
export function* numbers() { for (let i = 0; ; i += 1) yield i; }
export const generator = numbers();
generator.next();
counts.made += 1;
"""

#: Use all of it. `entries.use` returns what a fresh interpreter returns.
USE = """
import * as state from 'jsrunner:state';
entries.use = () => {
  state.counts.made += 1;
  state.list.push(state.counts.made);
  state.names.set('b', 2);
  state.names.set('c' + state.names.size, state.names);
  globalThis.grown = {};
  for (let i = 0; i < 3000; i += 1) globalThis.grown['name' + i] = { i, text: 'text ' + i };
  const view = new Uint8Array(state.bytes);
  view[0] += 1;
  return [
    state.counts.made, state.list.length, state.list[2].three, String(state.list[3][0]), state.list[3][1].length,
    state.names.get('a'), state.names.get('b'), state.names.size, state.counter.next(), state.Counter.all,
    state.slice('abcdef', 2, 4), state.lazy(5), String(state.symbol), state.pattern.exec('x ab-12').groups.word,
    view[0], state.generator.next().value, Object.keys(globalThis.grown).length,
    JSON.stringify({ z: [1, { y: globalThis.grown.name7 }] }), [3, 1, 2].sort().join(), `${new Date(0).toISOString()}`,
  ];
};
entries.settled = () => { let value; state.settled.then((text) => { value = text; }); core.drainJobs(); return value; };
entries.random = () => [Math.random(), Math.random()];
entries.failure = () => { try { null.x; } catch (error) { return [error instanceof TypeError, error.constructor.name]; } };
entries.wait = async () => { await null; return [core.hasWork()]; };
"""
RESULT = [
    2, 5, 3.5, "4", 5000, 1, 2, 3, 1, 1, "cd", 50, "Symbol(a symbol)", "ab", 2, 1, 3000,
    '{"z":[1,{"y":{"i":7,"text":"text 7"}}]}', "1,2,3", "1970-01-01T00:00:00.000Z",
]  # fmt: skip
MODULES = {"jsrunner:state": STATE, "jsrunner:lazy": "export const answer = (n) => n * 10;"}
IMPORTS = "".join(f"import 'jsrunner:{name}';" for name in (*OURS, "state"))


@pytest.fixture
def engine(make_vu: Callable[..., VU]) -> Iterator[Engine]:
    """The process's engine with compiled modules."""
    engine = process_engine()
    engine.forget_modules()
    script = ScriptBundle("script.js", source="")
    for name in OURS:
        assert engine.compile(f"jsrunner:{name}", script.load(f"jsrunner:{name}"), is_script=False)
    for name, text in MODULES.items():
        assert engine.compile(name, text, is_script=False)
    yield engine
    engine.forget_modules()


def test_copies_are_independent(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    vus = [make_vu(USE, modules=MODULES) for _ in range(10)]
    for vu in vus:
        assert vu.call("use") == RESULT
        assert vu.call("settled") == "settled"
        assert vu.call("failure") == [True, "TypeError"]
    second = vus[3].call("use")
    assert second[:2] == [3, 6]
    assert vus[4].call("use") == second


def test_blocks_that_come_when_they_are_accessed(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    count, fingerprint = engine.template_identity()
    for blocks in (bytes(count), bytes(number % 3 for number in range(count))):
        assert engine.make_template(IMPORTS, heat=Heat(fingerprint, blocks), tracks_contexts=False)
        assert engine.template_identity() == (count, fingerprint)
        for vu in [make_vu(USE, modules=MODULES) for _ in range(10)]:
            assert vu.call("use") == RESULT
            assert vu.call("failure") == [True, "TypeError"]
            vu.close()


def test_a_record_of_another_template_has_no_effect(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    count, fingerprint = engine.template_identity()
    for heat in (Heat(fingerprint, bytes(count + 1)), Heat(fingerprint + 1, bytes(count))):
        assert engine.make_template(IMPORTS, heat=heat, tracks_contexts=False)
        assert make_vu(USE, modules=MODULES).call("use") == RESULT


def test_a_copy_is_what_would_be_made(engine: Engine, make_vu: Callable[..., VU]) -> None:
    made = make_vu(USE, modules=MODULES)
    assert made.call("use") == RESULT
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    copy = make_vu(USE, modules=MODULES)
    assert copy.call("use") == RESULT
    # A copy reserves at most a few tables more: its memory is counted, and limited, as that of others.
    assert abs(copy.memory - made.memory) < 20_000


def test_copies_have_random_numbers_of_their_own(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    numbers = [number for _ in range(20) for number in make_vu(USE, modules=MODULES).call("random")]
    assert len(set(numbers)) == 40
    assert all(0 <= number < 1 for number in numbers)
    assert max(numbers) - min(numbers) > 0.5


def test_memory_of_copies_is_used_again(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    for _ in range(5):
        vus = [make_vu(USE, modules=MODULES) for _ in range(9)]
        for vu in vus:
            assert vu.call("use") == RESULT
        for vu in vus[::2] + vus[1::2]:
            vu.close()


def test_a_template_is_replaced_while_it_has_copies(engine: Engine, make_vu: Callable[..., VU]) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    vu = make_vu(USE, modules=MODULES)
    engine.compile("jsrunner:lazy", "export const answer = (n) => n * 11;", is_script=False)
    assert engine.make_template("import 'jsrunner:lazy';" + IMPORTS, tracks_contexts=False)
    other = make_vu(USE, modules=MODULES)
    changed = [55 if value == 50 else value for value in RESULT]
    assert other.call("use") == changed
    assert vu.call("use")[1:4] == [5, 3.5, "4"]
    vu.close()
    engine.forget_modules()
    assert other.call("use")[0] == 3
    other.close()


def test_interruptions_and_limits_are_those_of_each_copy(
    engine: Engine, make_vu: Callable[..., VU]
) -> None:
    endless = "entries.endless = () => { for (;;); }; entries.hoard = () => { const all = []; for (;;) all.push([...all]); };"
    deep = "entries.deep = () => { const f = () => f() + 1; try { f(); } catch (error) { return error.name; } };"
    assert engine.make_template(IMPORTS, tracks_contexts=False)
    vus = [make_vu(USE + endless + deep, modules=MODULES) for _ in range(4)]
    from jsrunner.engine.errors import Interrupted, JSError

    assert vus[0].call("deep") == "RangeError"
    with pytest.raises(Interrupted):
        vus[1].call("endless", within=0.1)
    with pytest.raises((JSError, Interrupted)):
        vus[2].call("hoard")
    for vu in (vus[0], vus[1], vus[3]):
        assert vu.call("use") == RESULT


def test_vus_that_track_contexts_need_such_a_template(
    engine: Engine, make_vu: Callable[..., VU]
) -> None:
    assert engine.make_template(IMPORTS, tracks_contexts=True)
    assert make_vu(USE, modules=MODULES, tracks_contexts=True).call("use") == RESULT
    assert make_vu(USE, modules=MODULES).call("use") == RESULT


@pytest.mark.parametrize(
    "imports",
    [
        "import 'jsrunner:missing';",
        "import 'jsrunner:asks';",
        "import 'jsrunner:throws';",
        "import {",
        "await new Promise(() => {});",
    ],
)
def test_without_a_template_vus_evaluate_the_modules(
    engine: Engine, make_vu: Callable[..., VU], imports: str
) -> None:
    engine.compile(
        "jsrunner:asks", "import { host } from 'jsrunner:host'; host('say', 1);", is_script=False
    )
    engine.compile("jsrunner:throws", "throw new Error('thrown');", is_script=False)
    assert not engine.make_template(IMPORTS + imports, tracks_contexts=False)
    vu = make_vu(USE, modules=MODULES)
    assert vu.call("use") == RESULT
    vu.close()
    assert engine.make_template(IMPORTS, tracks_contexts=False)
