"""Formatting of values by console.log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {
    "'a \"b\"'": 'a "b"',
    "['a \"b\"']": '[ "a "b"" ]',
    "undefined": "undefined",
    "null": "null",
    "[undefined, null, , 1]": "[ null, null, null, 1 ]",
    "{ a: undefined }": "{ a: null }",
    "[]": "[]",
    "{}": "{}",
    "{ a: 1, 'b c': 'x', d: { e: [1] } }": '{ a: 1, b c: "x", d: { e: [ 1 ] } }',
    "() => {}": "[object Function]",
    "[class {}]": "[ [object Function] ]",
    "Symbol('s')": "s",
    "[Symbol('s'), Symbol()]": '[ "s", "" ]',
    "12345678901234567890n": "12345678901234567890",
    "-0": "0",
    "[-0, 1e21, NaN, 0.1]": "[ 0, 1e+21, NaN, 0.1 ]",
    "true": "true",
    "new Error('boom')": "Error: boom",
    "[new TypeError('boom')]": "[ TypeError: boom ]",
    "new Date(0)": '"1970-01-01T00:00:00.000Z"',
    "[new Date(NaN)]": "[ null ]",
    "new (class A { b = 1; })()": "{ b: 1 }",
    "new Map([[1, 2]])": "{}",
    "[new Set([1]), /x/, Promise.resolve(), new DataView(new ArrayBuffer(1))]": "[ {}, {}, {}, {} ]",
    "new Uint8Array([0, 171]).buffer": "ArrayBuffer { [Uint8Contents]: <00 ab>, byteLength: 2 }",
    "new ArrayBuffer(0)": "ArrayBuffer { [Uint8Contents]: <>, byteLength: 0 }",
    "new Uint8Array([1, 2])": "Uint8Array(2) [ 1, 2 ]",
    "new Uint8ClampedArray([300])": "Uint8Array(1) [ 255 ]",
    "new Float64Array(0)": "Float64Array(0) []",
    "new BigInt64Array([5n])": "BigInt64Array(1) [ 5 ]",
    "((a) => (a.self = a))({ b: [] })": "{ b: [], self: [Circular] }",
    "((a) => { a.push(a); return a; })([1])": "[ 1, [Circular] ]",
}


def test_values(tmp_path: Path) -> None:
    lines = "\n".join(f"console.log({value});" for value in VALUES)
    stage = Stage(
        tmp_path, f"export function setup() {{ {lines} }} export default function () {{}}"
    ).run()
    assert stage.failure is None
    assert dict(zip(VALUES, stage.logged(), strict=True)) == VALUES


def test_levels_and_arguments(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        """
        export function setup() {
          console.log();
          console.log('%s', 1, { a: 'b' });
          for (const name of ['debug', 'info', 'warn', 'error']) console[name](name);
          console.log(Object.keys(console).sort(), console.table);
        }
        export default function () {}
        """,
    ).run()
    assert stage.failure is None
    assert stage.logged("info") == [
        "",
        '%s 1 { a: "b" }',
        "info",
        '[ "debug", "error", "info", "log", "warn" ] undefined',
    ]
    assert stage.logged("debug")[-1] == "debug"
    assert stage.logged("warning") == ["warn"]
    assert stage.logged("error") == ["error"]
