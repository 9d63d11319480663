"""Built-in functions that no script can replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.errors import JSError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU

#: What a script may do to the language before a module of jsrunner's is loaded.
DESTROY = """
const { ownKeys } = Reflect;
const scope = globalThis;
const names = ownKeys(scope);
for (let i = 0; i < names.length; i += 1) {
  const value = scope[names[i]];
  if (value !== scope && (typeof value === 'function' || typeof value === 'object')) {
    for (const target = [value, value.prototype]; target.length; target.length -= 1) {
      const owner = target[target.length - 1];
      const keys = owner ? ownKeys(owner) : [];
      for (let k = 0; k < keys.length; k += 1) {
        try { owner[keys[k]] = () => 'replaced'; } catch {}
      }
    }
  }
  try { scope[names[i]] = undefined; } catch {}
}
"""


def test_a_built_in_function_is_the_language_s_after_a_script_has_replaced_it(
    make_vu: Callable[..., VU],
) -> None:
    vu = make_vu(
        f"""
        const values = [new Map([[1, 2]]), new Uint8Array(5), Symbol('a name'), /b+/g, Object(1n)];
        {DESTROY}
        entries.run = () => {{
          const made = {{
            keys: core.builtin('Object.keys')({{ a: 1, b: 2 }}),
            largest: core.builtin('Math.max')(1, 3, 2),
            root: core.builtin('Math.sqrt')(16),
            power: core.builtin('Math.pow')(2, 5),
            uri: core.builtin('encodeURIComponent')('a b'),
            slice: core.uncurried('String.prototype.slice')('abcdef', 2, 4),
            padded: core.uncurried('String.prototype.padStart')('7', 3, '0'),
            last: core.uncurried('Array.prototype.pop')([1, 2, 3]),
            entry: core.uncurried('Map.prototype.get')(values[0], 1),
            size: core.uncurried('Map.prototype.size')(values[0]),
            length: core.uncurried('Uint8Array.__proto__.prototype.length')(values[1]),
            tag: core.uncurried('Uint8Array.__proto__.prototype.@@toStringTag')(values[1]),
            description: core.uncurried('Symbol.prototype.description')(values[2]),
            match: core.uncurried('RegExp.prototype.exec')(values[3], 'abbc')[0],
            big: core.uncurried('BigInt.prototype.toString')(values[4], 2),
            instance: core.uncurried('Function.prototype.@@hasInstance')(class {{}}, 1),
            call: core.uncurried('Function.prototype.call')(function (n) {{ return [this.own, n]; }}, {{ own: 5 }}, 6),
          }};
          return made;
        }};
        """
    )
    assert vu.call("run") == {
        "keys": ["a", "b"], "largest": 3, "root": 4, "power": 32, "uri": "a%20b", "slice": "cd", "padded": "007",
        "last": 3, "entry": 2, "size": 1, "length": 5, "tag": "Uint8Array", "description": "a name", "match": "bb",
        "big": "1", "instance": False, "call": [5, 6],
    }  # fmt: skip


def test_missing_arguments_are_undefined(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const slice = core.uncurried('String.prototype.slice');
        const padEnd = core.uncurried('String.prototype.padEnd');
        entries.run = () => [slice('abc'), padEnd('abc'), padEnd('abc', 5).length, slice.length, slice.name,
          typeof slice, Object.getPrototypeOf(slice) === Function.prototype];
        entries.thrown = () => slice();
        entries.constructed = () => new slice('a');
        """
    )
    assert vu.call("run") == ["abc", "abc", 5, 3, "slice", "function", True]
    for entry in ("thrown", "constructed"):
        with pytest.raises(JSError, match="TypeError"):
            vu.call(entry)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("builtin('Object.none')", "Object.none is no built-in function"),
        ("builtin('none.of.this')", "none.of.this is no built-in function"),
        ("builtin('')", " is no built-in function"),
        ("builtin('Math.PI')", "Math.PI is no built-in function"),
        (f"builtin('{'a' * 100}')", "is no built-in function"),
        ("builtin(Symbol())", "TypeError"),
        ("uncurried('Math.sqrt')", "Math.sqrt has no `this`"),
        ("uncurried('Map')", "Map has no `this`"),
    ],
)
def test_paths_of_no_function(make_vu: Callable[..., VU], call: str, error: str) -> None:
    vu = make_vu(f"entries.run = () => core.{call};")
    with pytest.raises(JSError, match=error):
        vu.call("run")


def test_a_built_in_function_is_recognized(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const { random } = Math;
        entries.run = () => [random, core.builtin('Math.random'), Math.max, () => 1, random.bind(), undefined, 'x']
          .map((value) => core.isBuiltin('Math.random', value));
        """
    )
    assert vu.call("run") == [True, True, False, False, False, False, False]


def test_functions_do_not_outlive_their_vu(make_vu: Callable[..., VU]) -> None:
    for _ in range(20):
        vu = make_vu("entries.run = () => core.uncurried('String.prototype.at')('abc', -1);")
        assert vu.call("run") == "c"
        vu.close()
