"""JavaScript values to MessagePack: kinds, order, errors; decoded with msgspec."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from core_library import ScriptError
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from core_library import Engine

decode = msgspec.msgpack.decode


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("undefined", None),
        ("null", None),
        ("() => 1", None),
        ("Symbol('s')", None),
        ("(class {})", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-1", -1),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
        ("2 ** 32", 2**32),
        ("-(2 ** 40)", -(2**40)),
        ("2 ** 53", 2**53),
        ("-(2 ** 53)", -(2**53)),
        ("2 ** 53 + 2", 2.0**53 + 2),
        ("1.5", 1.5),
        ("1e300", 1e300),
        ("5e-324", 5e-324),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("''", ""),
        ("'a' + 'ü€😀'", "aü€😀"),
        ("1n", 1),
        ("-(2n ** 63n)", -(2**63)),
        ("2n ** 63n - 1n", 2**63 - 1),
        ("2n ** 63n", str(2**63)),
        ("-(2n ** 63n) - 1n", str(-(2**63) - 1)),
        ("10n ** 40n", "1" + "0" * 40),
        ("[10n ** 20n, 1n]", [str(10**20), 1]),
        ("'\\ud800'", "\ufffd"),
        ("'a\\udc00\\ud800b'", "a\ufffd\ufffdb"),
        ("'\\ud83d\\ude00\\ud83d'", "😀\ufffd"),
        ("'í\\ud7ff\\ue000'", "í\ud7ff\ue000"),
        ("({'\\udfff': 1})", {"\ufffd": 1}),
        ("[]", []),
        ("[1, [2, []], 'x']", [1, [2, []], "x"]),
        ("[undefined, () => 1, Symbol('s')]", [None, None, None]),
        ("({})", {}),
        ("({a: 1, b: undefined, c() {}, d: Symbol('s'), e: null})", {"a": 1, "e": None}),
        ("({a: {b: {c: [{d: 1}]}}})", {"a": {"b": {"c": [{"d": 1}]}}}),
        ("new Date(0)", {}),
        ("/x/", {}),
        ("new Map([[1, 2]])", {}),
        ("new Error('x')", {}),
        ("Object.assign(new Error('x'), {code: 1})", {"code": 1}),
        ("new String('ab')", {"0": "a", "1": "b"}),
        ("new Number(5)", {}),
        ("Object.create({inherited: 1})", {}),
        ("Object.create(null, {a: {value: 1, enumerable: true}, b: {value: 2}})", {"a": 1}),
        ("({[Symbol('s')]: 1, t: 2})", {"t": 2}),
        ("JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
        ("(function () { return arguments })(1, 2)", {"0": 1, "1": 2}),
    ],
)  # fmt: skip
def test_values(session_engine: Engine, source: str, expected: Any) -> None:
    value = decode(session_engine.write(source))
    assert value == expected
    assert type(value) is type(expected)


def test_negative_zero_and_nan_are_floats(session_engine: Engine) -> None:
    assert session_engine.write("-0") == b"\xcb" + struct.pack(">d", -0.0)
    assert math.isnan(decode(session_engine.write("NaN")))


@given(st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False)))
def test_numbers_in_their_shortest_form(session_engine: Engine, number: float) -> None:
    data = session_engine.write(f"({number!r})".replace("inf", "Infinity"))
    assert decode(data) == number
    if isinstance(number, int) or math.isinf(number) or not number.is_integer() or abs(number) > 2**53:
        assert data == msgspec.msgpack.encode(number)


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_lone_surrogates_are_replaced(session_engine: Engine, text: str) -> None:
    source = json.dumps(text)
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H").tolist()
    expected, i = "", 0
    while i < len(units):
        if 0xD800 <= units[i] < 0xDC00 and i + 1 < len(units) and 0xDC00 <= units[i + 1] < 0xE000:
            expected += chr(0x10000 + (units[i] - 0xD800 << 10) + units[i + 1] - 0xDC00)
            i += 1
        else:
            expected += "\ufffd" if 0xD800 <= units[i] < 0xE000 else chr(units[i])
        i += 1
    assert decode(session_engine.write(source)) == expected
    assert decode(session_engine.write(f"({{[{source}]: 1}})")) == {expected: 1}


@pytest.mark.parametrize("size", [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536])
def test_sizes_around_the_headers(session_engine: Engine, size: int) -> None:
    assert session_engine.write(f"'x'.repeat({size})") == msgspec.msgpack.encode("x" * size)
    assert session_engine.write(f"new Array({size}).fill(7)") == msgspec.msgpack.encode([7] * size)
    assert session_engine.write(f"new Uint8Array({size}).fill(7)") == msgspec.msgpack.encode(
        b"\7" * size
    )
    members = {str(i): i for i in range(size)}
    source = f"Object.fromEntries(Array.from({{length: {size}}}, (_, i) => [i, i]))"
    assert session_engine.write(source) == msgspec.msgpack.encode(members)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 20, 65536])
def test_members_that_are_left_out_are_not_counted(session_engine: Engine, size: int) -> None:
    source = (
        f"(() => {{ const o = {{}}; for (let i = 0; i < {size}; i++) "
        "o['k' + i] = i % 2 ? undefined : i; return [o, 'end'] })()"
    )
    expected = {f"k{i}": i for i in range(0, size, 2)}
    assert decode(session_engine.write(source)) == [expected, "end"]


def test_order_of_members(session_engine: Engine) -> None:
    """Integer keys in ascending order, then the others as they were made."""
    value = decode(session_engine.write("({b: 1, 2: 2, a: 3, 1: 4, '-1': 5})"))
    assert list(value.items()) == [("1", 4), ("2", 2), ("b", 1), ("a", 3), ("-1", 5)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("new ArrayBuffer(3)", b"\0\0\0"),
        ("new ArrayBuffer(0)", b""),
        ("new Uint8Array([1, 2, 255]).buffer", b"\1\2\xff"),
        ("new Uint8Array([1, 2, 255])", b"\1\2\xff"),
        ("new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", b"\2\3"),
        ("new Uint8ClampedArray([300])", b"\xff"),
        ("new Uint16Array([1, 258])", b"\1\0\2\1"),
        ("new Float64Array([1.5])", struct.pack("<d", 1.5)),
        ("new BigInt64Array([-1n])", b"\xff" * 8),
        ("new DataView(new Uint8Array([1, 2, 3, 4]).buffer)", b"\1\2\3\4"),
        ("new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)", b"\2\3"),
        ("new DataView(new ArrayBuffer(0))", b""),
        ("new Uint8Array(new SharedArrayBuffer(2))", b"\0\0"),
        ("var b = new ArrayBuffer(4, {maxByteLength: 9}), v = new Uint8Array(b, 1); b.resize(7); v", b"\0" * 6),
        ("var b = new ArrayBuffer(4, {maxByteLength: 9}), v = new Uint16Array(b); b.resize(7); v", b"\0" * 6),
        ("var b = new ArrayBuffer(4, {maxByteLength: 9}), v = new DataView(b, 1); b.resize(7); v", b"\0" * 6),
        ("var b = new ArrayBuffer(4, {maxByteLength: 9}); b.resize(7); b", b"\0" * 7),
        ("class T extends Uint8Array {} new T([1])", b"\1"),
        ("Object.defineProperty(new DataView(new ArrayBuffer(2)), 'byteLength', {value: 9})", b"\0\0"),
    ],
)  # fmt: skip
def test_buffers(engine: Engine, source: str, expected: bytes) -> None:
    assert decode(engine.write(source)) == expected


@pytest.mark.parametrize(
    "source",
    [
        "var b = new ArrayBuffer(4); b.transfer(); b",
        "var b = new ArrayBuffer(4), v = new Uint8Array(b); b.transfer(); v",
        "var b = new ArrayBuffer(4), v = new DataView(b); b.transfer(); v",
        "var b = new ArrayBuffer(8, {maxByteLength: 9}), v = new DataView(b, 4, 4); b.resize(2); v",
        "var b = new ArrayBuffer(8, {maxByteLength: 9}), v = new DataView(b, 4); b.resize(2); v",
        "var b = new ArrayBuffer(8, {maxByteLength: 9}), v = new Uint8Array(b, 4); b.resize(2); v",
    ],
)
def test_detached_and_shrunk_buffers(engine: Engine, source: str) -> None:
    with pytest.raises(ScriptError, match=r"^TypeError: "):
        engine.write(source)
    assert decode(engine.write("1")) == 1


def test_engine_keeps_views_as_the_codec_believes(engine: Engine) -> None:
    assert engine.check()


# -- what runs, and what does not ------------------------------------------------------------------


def test_getters_and_traps_run(engine: Engine) -> None:
    assert decode(engine.write("({get a() { return this.b + 1 }, b: 1})")) == {"a": 2, "b": 1}
    assert decode(engine.write("Object.defineProperty([1, 2], 1, {get() { return 5 }})")) == [1, 5]
    assert decode(engine.write("Object.defineProperty({}, 'a', {set(v) {}, enumerable: true})")) == {}
    assert decode(engine.write("new Proxy({a: 1, b: 2}, {get: (t, k) => t[k] * 10})")) == {
        "a": 10,
        "b": 20,
    }
    assert decode(engine.write("new Proxy([1, 2], {get: (t, k) => k === 'length' ? 2 : +k})")) == [0, 1]
    assert decode(engine.write("new Proxy(new Proxy([7], {}), {})")) == [7]
    assert decode(engine.write("new Proxy(() => 1, {})")) is None
    names = "new Proxy({}, {ownKeys: () => ['z', 'y'], getOwnPropertyDescriptor: (t, k) => ({value: k, enumerable: k === 'z', configurable: true})})"  # fmt: skip
    assert decode(engine.write(names)) == {"z": None} or decode(engine.write(names)) == {}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("({get a() { throw new RangeError('mine') }})", "RangeError: mine"),
        ("[{get a() { throw 5 }}]", "5"),
        ("new Proxy({a: 1}, {get() { throw 'got' }})", "got"),
        ("new Proxy({}, {ownKeys() { throw 'keys' }})", "keys"),
        ("new Proxy({a: 1}, {getOwnPropertyDescriptor() { throw 'descriptor' }})", "descriptor"),
        ("var r = Proxy.revocable([], {}); r.revoke(); r.proxy", "TypeError: revoked proxy"),
    ],
)
def test_what_they_throw_is_passed_on(engine: Engine, source: str, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        engine.write(source)
    assert str(caught.value) == text
    assert decode(engine.write("[1]")) == [1]


def test_no_other_javascript_runs(engine: Engine) -> None:
    """No toJSON, toString, valueOf, iterator, species, nor anything in prototypes."""
    engine.eval("""
        const ran = () => { throw new Error('ran') };
        const prototypes = [Object, Array, String, Number, BigInt, Date, DataView, Uint8Array, ArrayBuffer,
                            Object.getPrototypeOf(Uint8Array)].map(c => c.prototype);
        const names = ['toJSON', 'toString', 'valueOf', 'length', 'byteLength', 'byteOffset', 'buffer', 'x', '0',
                       '1', Symbol.iterator, Symbol.toPrimitive];
        const descriptor = {get: ran, set: ran, configurable: true, __proto__: null};
        for (let p = 0; p < prototypes.length; p++)
          for (let n = 0; n < names.length; n++)
            try { Object.defineProperty(prototypes[p], names[n], descriptor) } catch {}
        globalThis.values = {x: [1, , 'y', 2n ** 70n], d: new Date(0), v: new DataView(new ArrayBuffer(1)),
                             u: new Uint8Array(2), b: new ArrayBuffer(3), n: 1.5};
        1""")
    assert decode(engine.write("values")) == {
        "x": [1, None, "y", str(2**70)],
        "d": {},
        "v": b"\0",
        "u": b"\0\0",
        "b": b"\0\0\0",
        "n": 1.5,
    }


def test_holes_are_nil(engine: Engine) -> None:
    assert decode(engine.write("[, 1, , 2, ,]")) == [None, 1, None, 2, None]
    assert decode(engine.write("var a = [1]; a[5] = 2; a")) == [1, None, None, None, None, 2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("var o = {get a() { delete this.b; return 1 }, b: 2}; o", {"a": 1}),
        ("var o = {get a() { this.c = 3; return 1 }, b: 2}; o", {"a": 1, "b": 2}),
        ("var a = [0, 1, 2]; Object.defineProperty(a, 0, {get() { a.length = 1; return 9 }}); a", [9, None, None]),
        ("var a = [0, 1]; Object.defineProperty(a, 0, {get() { a.push(5); return 9 }}); a", [9, 1]),
        ("var u = new Uint8Array(3), o = {get a() { u.buffer.transfer(); return 1 }, b: 2}; o", {"a": 1, "b": 2}),
    ],
)  # fmt: skip
def test_getters_that_change_what_is_written(engine: Engine, source: str, expected: Any) -> None:
    assert decode(engine.write(source)) == expected


# -- limits ----------------------------------------------------------------------------------------


def test_depth(engine: Engine) -> None:
    engine.eval(
        "function nest(depth, inner) { for (let i = 0; i < depth; i++) inner = i % 2 ? [inner] : {a: inner}; return inner }"
    )
    assert engine.write("nest(1000, null)") == b"\x91\x81\xa1a" * 500 + b"\xc0"
    for source in (
        "nest(1001, null)",
        "nest(100000, null)",
        "var o = {}; o.o = o; o",
        "var a = [1]; a.push(a); a",
        "var o = {get o() { return {o: this} }}; o",
        "var p = new Proxy({}, {get: () => p, ownKeys: () => ['k'], getOwnPropertyDescriptor: () => ({configurable: true, enumerable: true})}); p",
    ):
        with pytest.raises(ScriptError, match=r"^TypeError: value is nested too deeply$"):
            engine.write(source)


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "var a = []; a.length = 2 ** 32 - 1; a",
        "new Proxy([], {get: (t, k) => k === 'length' ? 2 ** 53 : 0})",
        "var o = [1, 2, 3, 4, 5, 6, 7, 8]; for (let i = 0; i < 100; i++) o = [o, o, o, o]; o",
        "var s = 'x'.repeat(2 ** 28), o = [s, s, s]; o",
    ],
)
def test_values_that_are_too_large_end_soon(engine: Engine, source: str) -> None:
    with pytest.raises(ScriptError, match=r"^RangeError: value is too large$"):
        engine.write(source)


@pytest.mark.parametrize("polls", [0, 1, 3])
def test_core_can_stop_a_long_write(engine: Engine, polls: int) -> None:
    source = "var o = [1, 2, 3, 4, 5, 6, 7, 8]; for (let i = 0; i < 100; i++) o = [o, {o}]; o"
    engine.give_up_after(polls)
    try:
        with pytest.raises(ScriptError, match=r"^TypeError: given up$"):
            engine.write(source)
        assert decode(engine.write("[1]")) == [1]
    finally:
        engine.give_up_after(-1)


def test_nothing_leaks(engine: Engine) -> None:
    sources = [
        "({a: [1, 'x' + 'ü', 2n ** 70n], get b() { return {c: new DataView(new ArrayBuffer(9))} }})",
        "[{get a() { throw new Error('x') }}]",
        "[{get a() { return 1 }, set a(v) {}}]",
        "new Proxy([{}], {})",
        "new Proxy({a: 1, b: 2}, {get() { throw 1 }})",
        "var o = {}; o.o = [o]; o",
        "var r = Proxy.revocable([], {}); r.revoke(); r.proxy",
        "var b = new ArrayBuffer(4), v = new Uint8Array(b); b.transfer(); v",
    ]

    def run_all() -> None:
        for source in sources:
            with contextlib.suppress(ScriptError):
                engine.write(source)

    run_all()
    before = engine.memory()
    for _ in range(5):
        run_all()
    assert engine.memory() == before
