"""MessagePack to JavaScript, and there and back, with msgspec at the other end."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from core_library import ScriptError
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from core_library import CodecLibrary, Engine

encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode

texts = st.text(max_size=40)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    texts,
    st.binary(max_size=300),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(texts, inner, max_size=20)),
    max_leaves=40,
)


def in_order_of_javascript(value: Any) -> Any:
    """Keys that are array indices come first, ascending; integral floats become integers."""
    if isinstance(value, list):
        return [in_order_of_javascript(element) for element in value]
    if isinstance(value, dict):
        indices = [
            k for k in value if k.isascii() and k.isdigit() and str(int(k)) == k and int(k) < 2**32 - 1
        ]
        keys = sorted(indices, key=int) + [key for key in value if key not in indices]
        return [(key, in_order_of_javascript(value[key])) for key in keys]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 and str(value) != "-0.0":
        return int(value)
    return value


@pytest.mark.slow
@given(values)
@settings(max_examples=100)
def test_there_and_back(session_engine: Engine, value: Any) -> None:
    session_engine.read(encode(value))
    back = decode(session_engine.write("value"))
    assert repr(in_order_of_javascript(back)) == repr(in_order_of_javascript(value))


@given(values)
def test_values_are_those_that_json_gives(session_engine: Engine, value: Any) -> None:
    def without_bytes(value: Any) -> Any:
        if isinstance(value, list):
            return [without_bytes(element) for element in value]
        if isinstance(value, dict):
            return {key: without_bytes(inner) for key, inner in value.items()}
        if isinstance(value, bytes) or (isinstance(value, float) and math.isinf(value)):
            return None
        return value

    value = without_bytes(value)
    session_engine.read(encode(value))
    assert session_engine.eval("JSON.stringify(value)") == session_engine.eval(
        f"JSON.stringify(JSON.parse({json.dumps(json.dumps(value))}))"
    )


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (b"\xc0", "value === null"),
        (b"\xc2", "value === false"),
        (b"\xcc\xff", "value === 255"),
        (b"\xcd\xff\xff", "value === 65535"),
        (b"\xce\xff\xff\xff\xff", "value === 4294967295"),
        (b"\xcf" + b"\xff" * 8, "value === 18446744073709552000"),
        (b"\xd0\x80", "value === -128"),
        (b"\xd1\x80\x00", "value === -32768"),
        (b"\xd2\x80\x00\x00\x00", "value === -2147483648"),
        (b"\xd3\x80" + bytes(7), "value === -9223372036854776000"),
        (b"\xe0", "value === -32"),
        (b"\xca" + struct.pack(">f", 0.5), "value === 0.5"),
        (b"\xcb" + struct.pack(">d", -0.0), "Object.is(value, -0)"),
        (b"\xcb" + struct.pack(">d", math.nan), "Number.isNaN(value)"),
        (b"\xca" + struct.pack(">f", -math.inf), "value === -Infinity"),
        (b"\xd9\x02\xc3\xbc", "value === 'ü'"),
        (b"\xdb\x00\x00\x00\x01a", "value === 'a'"),
        (b"\xa2a\x00", "value === 'a\\0'"),
        (
            b"\xc4\x02\x01\xff",
            "value instanceof ArrayBuffer && new Uint8Array(value).join() === '1,255'",
        ),
        (b"\xc6\x00\x00\x00\x00", "value.byteLength === 0"),
        (b"\xdd\x00\x00\x00\x01\x01", "Array.isArray(value) && value.length === 1 && value[0] === 1"),
        (b"\xdf\x00\x00\x00\x01\xa1a\x01", "Object.keys(value).join() === 'a' && value.a === 1"),
        (b"\x82\xa1a\x01\xa1a\x02", "JSON.stringify(value) === '{\"a\":2}'"),
        (b"\x81\xa0\x01", "value[''] === 1"),
    ],
)
def test_forms(engine: Engine, data: bytes, source: str) -> None:
    engine.read(data)
    assert engine.eval(source) == "true"


def test_objects_are_plain(engine: Engine) -> None:
    engine.read(encode({"a": [1, {"b": 2}]}))
    assert engine.eval("Object.getPrototypeOf(value) === Object.prototype") == "true"
    assert engine.eval("value.a instanceof Array && value.a.length === 2") == "true"
    descriptor = '{"value":2,"writable":true,"enumerable":true,"configurable":true}'
    assert engine.eval("JSON.stringify(Object.getOwnPropertyDescriptor(value.a[1], 'b'))") == descriptor
    assert engine.eval("value.a.push(3), value.a[5] = 1, value.a.length") == "6"


def test_no_javascript_runs(engine: Engine) -> None:
    engine.eval("""
        for (const name of ['a', '0', 'x', 'length'])
          for (const prototype of [Object.prototype, Array.prototype])
            try { Object.defineProperty(prototype, name, {set() { throw new Error('ran') }}) } catch {}
        globalThis.Array = globalThis.Object = globalThis.ArrayBuffer = function () { throw new Error('ran') };
        1""")
    engine.read(encode({"a": [1, 2], "x": b"1", "__proto__": {"y": 1}, "constructor": 1}))
    assert engine.eval("value.a[0] + value.x.byteLength") == "2"
    assert engine.eval("value.y === undefined") == "true"
    assert engine.eval("value['__proto__'].y") == "1"
    assert engine.eval("value.constructor") == "1"


MALFORMED = {
    "nothing": b"",
    "a second value": b"\x01\x02",
    "reserved": b"\xc1",
    "ext 8": b"\xc7\x01\x05x",
    "fixext": b"\xd4\x05x",
    "short int": b"\xce\x00\x00",
    "short float": b"\xcb\x00",
    "no length": b"\xda\x00",
    "short str": b"\xa5abcd",
    "str of 4 GB": b"\xdb\xff\xff\xff\xffabc",
    "short bin": b"\xc4\x05abcd",
    "bin of 4 GB": b"\xc6\xff\xff\xff\xff",
    "short array": b"\x93\x01\x02",
    "array of 2^32": b"\xdd\xff\xff\xff\xff\x01",
    "element that is wrong": b"\x93\x01\xa1x\xc1",
    "short map": b"\x82\xa1a\x01",
    "map without its last value": b"\x82\xa1a\x01\xa1b",
    "map of 2^32": b"\xdf\xff\xff\xff\xff\xa1a\x01",
    "key that is a number": b"\x81\x01\x01",
    "key that is nil": b"\x81\xc0\x01",
    "key that is bin": b"\x81\xc4\x01a\x01",
    "short key": b"\x81\xa5ab",
    "key without length": b"\x81\xda\x00",
    "value that is wrong": b"\x81\xa1a\xc1",
    "arrays without end": b"\x91" * 100_000,
    "maps without end": b"\x81\xa1a" * 100_000,
    "1001 arrays": b"\x91" * 1001 + b"\x01",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_input_is_an_internal_error(engine: Engine, data: bytes) -> None:
    with pytest.raises(ScriptError):  # the engine prepares its first InternalError
        engine.read(b"\xc1")
    before = engine.memory()
    with pytest.raises(ScriptError, match=r"^InternalError: malformed MessagePack: "):
        engine.read(data)
    assert engine.memory() == before
    engine.read(b"\x01")
    assert engine.eval("value") == "1"


def test_each_prefix_and_each_changed_byte(engine: Engine) -> None:
    data = encode(
        {"a": [1, -5, 1.5, "tüxt", b"bin", None, True, 70_000, -70_000, 2**40], "b": {"c": {}}}
    )
    for size in range(len(data)):
        with pytest.raises(ScriptError, match=r"^InternalError: malformed MessagePack: "):
            engine.read(data[:size])
    for at in range(len(data)):
        for byte in range(256):
            problem = "InternalError: malformed MessagePack: "
            try:
                engine.read(data[:at] + bytes((byte,)) + data[at + 1 :])
            except ScriptError as error:
                problem = str(error)
            assert problem.startswith("InternalError: malformed MessagePack: ")


@pytest.mark.slow
@pytest.mark.parametrize("polls", [0, 1, 3])
def test_core_can_stop_a_long_read(engine: Engine, polls: int) -> None:
    data = encode([{"a": [i]} for i in range(100_000)])
    engine.give_up_after(polls)
    try:
        with pytest.raises(ScriptError, match=r"^TypeError: given up$"):
            engine.read(data)
    finally:
        engine.give_up_after(-1)
    engine.read(data)
    assert engine.eval("value.length") == "100000"


def test_depth_of_1000(engine: Engine) -> None:
    engine.read(b"\x91" * 1000 + b"\x05")
    assert engine.write("value") == b"\x91" * 1000 + b"\x05"


def test_invalid_utf8_is_replaced(engine: Engine) -> None:
    engine.read(b"\x92\xa3a\xffb\x81\xa1\xff\x01")
    assert engine.eval("value[0]") == "a\ufffdb"
    assert engine.eval("Object.keys(value[1])[0]") == "\ufffd"


def test_no_memory(codec_library: CodecLibrary) -> None:
    """At whatever allocation it fails: an exception, and nothing is lost."""
    data = encode({"a": [{"b": "x" * 5000, "c": b"y" * 5000}] * 20, "d": list(range(5000))})
    with codec_library.engine() as engine:
        counts = []
        for limit in [100_000, *range(100_000, 900_000, 7919)]:
            engine.limit(limit)
            failed = False
            try:
                engine.read(data)
            except ScriptError:
                failed = True
            engine.limit(1 << 40)
            engine.eval("value = undefined")
            counts.append((failed, engine.memory()))
        assert {failed for failed, _ in counts} == {True, False}
        assert len({count for _, count in counts[1:]}) == 1


def test_nothing_leaks(engine: Engine) -> None:
    data = encode({"a": [1, "ü" * 100, b"x" * 100, {"b": [{"c": None}]}], "d": 1.5})

    def run_all() -> None:
        engine.read(data)
        for bad in MALFORMED.values():
            with pytest.raises(ScriptError):
                engine.read(bad)

    run_all()
    before = engine.memory()
    for _ in range(5):
        run_all()
    assert engine.memory() == before
