"""Function objects of the core's own kinds: uncurried functions, and what is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.engine.errors import JSError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU

COUNTED = "globalThis.loads = (globalThis.loads ?? 0) + 1; "


def test_uncurried_functions(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const slice = core.uncurryThis(String.prototype.slice);
        const kind = core.uncurryThis(function () { 'use strict'; return [typeof this, arguments.length]; });
        entries.run = () => [slice('abcdef', 2, 4), kind(), kind(1), kind(1, 2, 3), typeof slice,
          slice instanceof Function, Reflect.ownKeys(slice).length];
        entries.thrown = () => slice(null);
        entries.refused = () => core.uncurryThis({});
        entries.constructed = () => new slice('a');
        """
    )
    assert vu.call("run") == ["cd", ["undefined", 0], ["number", 0], ["number", 2], "function", True, 0]
    for entry in ("thrown", "refused", "constructed"):
        with pytest.raises(JSError, match="TypeError"):
            vu.call(entry)


def test_a_function_is_loaded_by_its_first_call(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const add = core.later('jsrunner:late', 'add');
        entries.loads = () => globalThis.loads ?? 0;
        entries.run = () => [add.call({ base: 10 }, 1, 2), add.call({ base: 20 }, 1, 2), globalThis.loads];
        """,
        modules={"jsrunner:late": COUNTED + "export function add(a, b) { return this.base + a + b; }"},
    )
    assert vu.call("loads") == 0
    assert vu.call("run") == [13, 23, 1]


def test_a_member_is_loaded_by_its_first_use(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const define = (target, names, isWritable) => {
          for (const name of names) core.defineLater(target, 'jsrunner:late', name, isWritable);
          return target;
        };
        const shape = (target, name) => {
          const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(target, name);
          return [value, writable, enumerable, configurable];
        };
        entries.run = () => {
          const open = define({}, ['one', 'two'], true);
          const fixed = define({}, ['one'], false);
          const frozen = Object.freeze(define({}, ['one'], true));
          open.two = 'mine';
          const before = globalThis.loads;
          let refused;
          try { 'use strict'; fixed.one = 2; } catch (error) { refused = error.message; }
          return [before, open.one, open.two, fixed.one, refused, frozen.one, frozen.one,
            shape(open, 'one'), shape(open, 'two'), shape(fixed, 'one'), globalThis.loads];
        };
        """,
        modules={"jsrunner:late": COUNTED + "export const one = 1; export const two = 2;"},
    )
    assert vu.call("run") == [
        None, 1, "mine", 1, "Cannot assign to read only property 'one'", 1, 1,
        [1, True, True, True], ["mine", True, True, True], [1, False, True, False], 1,
    ]  # fmt: skip


def test_loading_succeeds_where_stack_or_memory_run_out(make_vu: Callable[..., VU]) -> None:
    """A failure would be remembered by the engine for ever."""
    vu = make_vu(
        """
        const one = core.later('jsrunner:late', 'one');
        entries.run = () => {
          let result;
          const descend = () => {
            try { descend(); } catch { result ??= one(); }
          };
          descend();
          return [result, one()];
        };
        """,
        modules={"jsrunner:late": "export const one = () => 'one';"},
    )
    assert vu.call("run")[1] == "one"


def test_a_module_that_is_loaded_when_memory_has_run_out_leaves_the_room_that_was_there(
    make_vu: Callable[..., VU],
) -> None:
    """Otherwise the memory that the module keeps would be missing for the code that continues."""
    vu = make_vu(
        """
        const fill = core.later('jsrunner:late', 'fill');
        const hoard = [];
        entries.run = () => {
          // What is left up to the limit of memory is less than the last size. Smaller values may go beyond it.
          for (let size = 1 << 26; size >= 4096; size /= 2) {
            try { for (;;) hoard.push(new ArrayBuffer(size)); } catch {}
          }
          fill();
          return new Uint8Array(5000).length;
        };
        """,
        modules={
            "jsrunner:late": "const kept = new Uint8Array(1e5); export const fill = () => kept.length;"
        },
    )
    assert vu.call("run") == 5000


def test_what_fails_to_load_throws(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        const one = core.later('jsrunner:late', 'one');
        const absent = core.later('jsrunner:other', 'absent');
        entries.run = () => one();
        entries.absent = () => absent();
        """,
        modules={"jsrunner:late": "throw new RangeError('no');", "jsrunner:other": "export {};"},
    )
    for _ in range(2):
        with pytest.raises(JSError, match="RangeError: no"):
            vu.call("run")
    with pytest.raises(JSError, match="not a function"):
        vu.call("absent")


def test_functions_are_freed_with_what_they_hold(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        """
        entries.run = () => {
          for (let i = 0; i < 1000; i += 1) {
            const target = { fill: new ArrayBuffer(1e4) };
            target.self = core.uncurryThis(() => target);
            core.defineLater(target, 'jsrunner:late', 'one', true);
          }
        };
        """
    )
    vu.call("run")
    before = vu.memory
    for _ in range(10):
        vu.call("run")
    assert vu.memory < before + (4 << 20)
