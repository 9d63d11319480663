"""Source texts of functions: VUs that read a module from the same bytecode share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.engine import process_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU

FUNCTIONS = {
    "declaration": "function declaration(a, b) { return a + b; }",
    "inner": "function inner() { const deep = () => { return () => 'deepest'; }; return deep()(); }",
    "arrow": "(x) => x * 2",
    "asynchronous": "async (x) => { await x; }",
    "generator": "function* () { yield 1; }",
    "asynchronous generator": "async function* () { yield 1; }",
    "class": "class Shape { #side = 2; static count = 0; get area() { return this.#side ** 2; } }",
    "empty class": "class {}",
    "other letters": "() => 'é 漢字 😀'",
    "comments": "function /* one */ (/* two */) { /* three */ }",
    "lines": "function () {\n  // a comment\n\n  return [\n    1,\n  ];\n}",
    "the same": "(x) => x * 2",
    "a text that others begin with": "(x) => x",
}
MODULE = f"export default {{ {', '.join(f'{name!r}: {text}' for name, text in FUNCTIONS.items())} }};"
ENTRIES = """
import functions from 'functions';
entries.texts = () => Object.entries(functions).map(([name, one]) => [name, String(one)]);
entries.method = () => String(Object.getOwnPropertyDescriptor(functions.class.prototype, 'area').get);
"""


@pytest.mark.parametrize("is_compiled", [True, False])
def test_all_vus_show_functions_as_they_are_written(
    make_vu: Callable[..., VU], is_compiled: bool
) -> None:
    """The first VU may compile the module. The second finds the texts, the third knows their places."""
    if is_compiled:
        assert process_engine().compile("functions", MODULE, is_script=True)
    vus = [make_vu(ENTRIES, modules={"functions": MODULE}) for _ in range(4)]
    vus.pop(1).close()
    for vu in vus:
        assert dict(vu.call("texts")) == FUNCTIONS
        assert vu.call("method") == "get area() { return this.#side ** 2; }"


def test_all_vus_have_the_same_places_of_errors(make_vu: Callable[..., VU]) -> None:
    text = """
        const fail = () => {
          throw new Error('failed');
        };
        export const stack = (n) => {
          if (n) return stack(n - 1);
          try {
            [1].map(() => fail());
          } catch (error) { return error.stack; }
        };
    """
    source = "import { stack } from 'stack'; entries.stack = () => stack(2);"
    stacks = [make_vu(source, modules={"stack": text}).call("stack") for _ in range(4)]
    assert "stack:3:" in stacks[0]
    assert "stack:8:" in stacks[0]
    assert len(set(stacks)) == 1


def nested(depth: int, size: int) -> str:
    """The text of a function in a function in a function ..., the innermost with so many characters."""
    text = f"return '{'x' * size}'.length;"
    for level in range(depth):
        text = f"return (function level{level}() {{ {text} }})();"
    return f"export function outermost() {{ {text} }}"


def test_vus_have_no_texts_of_their_own(make_vu: Callable[..., VU]) -> None:
    """The text of an inner function is in that of each function around it, too."""
    module = nested(30, 50_000)
    source = "import { outermost } from 'nested'; entries.run = outermost;"
    vus = [make_vu(source, modules={"nested": module}) for _ in range(3)]
    compiles, *reads = (vu.memory for vu in vus)
    assert compiles > 30 * 50_000
    assert all(memory < compiles - 30 * 50_000 for memory in reads)
    assert [vu.call("run") for vu in vus] == [50_000] * 3


def test_functions_that_are_freed_leave_the_texts_of_others(make_vu: Callable[..., VU]) -> None:
    source = """
        import * as factory from 'factory';
        entries.drop = () => { factory.drop(); core.abandon(); return factory.names().length; };
        entries.text = () => String(factory.kept);
    """
    module = """
        let dropped = [function one() { return 1; }, class Two { three() {} }];
        export const drop = () => { dropped = []; };
        export const names = () => dropped;
        export const kept = (a) => a;
    """
    vus = [make_vu(source, modules={"factory": module}) for _ in range(3)]
    for vu in vus[1:]:
        assert vu.call("drop") == 0
        assert vu.call("text") == "(a) => a"
    vus[1].close()
    assert vus[2].call("text") == "(a) => a"


def test_a_module_is_read_with_all_that_it_imports(make_vu: Callable[..., VU]) -> None:
    """The table of compiled modules grows while the engine reads the first of them."""
    count = 200
    modules = {
        f"m{n}": f"import {{ f as g }} from 'm{n + 1}'; export const f = () => g() + 1;"
        for n in range(count)
    }
    modules[f"m{count}"] = "export const f = () => 0;"
    assert process_engine().compile("m0", modules["m0"], is_script=True)
    source = "import { f } from 'm0'; entries.run = f; entries.text = () => String(f);"
    for _ in range(3):
        vu = make_vu(source, modules=modules)
        assert vu.call("run") == count
        assert vu.call("text") == "() => g() + 1"


def test_forgotten_modules(make_vu: Callable[..., VU]) -> None:
    """VUs go on when the bytecode that they have read is gone, and others have the new texts."""
    source = "import { f } from 'replaced'; entries.run = f; entries.text = () => String(f);"
    old = [make_vu(source, modules={"replaced": "export const f = () => 'old';"}) for _ in range(2)]
    process_engine().forget_modules()
    new = [
        make_vu(source, modules={"replaced": "export const f = () => { return 'new'; };"})
        for _ in range(2)
    ]
    assert [vu.call("run") for vu in (*old, *new)] == ["old", "old", "new", "new"]
    assert [vu.call("text") for vu in new] == ["() => { return 'new'; }"] * 2
    for vu in old:
        vu.close()
    assert [vu.call("text") for vu in new] == ["() => { return 'new'; }"] * 2
