"""Messages as JSON: the quick way and the exact one agree, and what goes in comes out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.proto import json_decoder, json_encoder
from jsrunner.proto.compiler import Compiler, Missing
from jsrunner.proto.errors import MappingError
from jsrunner.proto.json_decoder import _Reader
from jsrunner.proto.schema import Library, Schema

CASES = Path(__file__).parents[1] / "compat" / "cases" / "grpc" / "_proto"
FILES = {str(path.relative_to(CASES)): path.read_text() for path in CASES.glob("*/*.proto")}


def read(path: str) -> str:
    if path not in FILES:
        raise Missing(path)
    return FILES[path]


LIBRARY = Library()
LIBRARY.add(Schema(Compiler(read).compile(["kit/types.proto"])))


def type_of(name: str) -> Any:
    method = LIBRARY.method(f"/kit.types.Types/{name}")
    assert method is not None
    return method.request


def decoded(name: str, value: Any) -> Any:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return json_decoder.decode(type_of(name), text, LIBRARY)


def quick(name: str, value: Any) -> Any:
    """Return the result of `decode`, or its MappingError."""
    try:
        return decoded(name, value)
    except MappingError as error:
        return str(error)


def exact(name: str, value: Any) -> Any:
    """Return the result of the slower reader, or its MappingError."""
    type_ = type_of(name)
    message = type_.empty()
    try:
        _Reader(json.dumps(value, separators=(",", ":"), allow_nan=False), LIBRARY).message(
            type_, message
        )
    except MappingError as error:
        return str(error)
    return message


scalars = st.one_of(
    st.booleans(),
    st.integers(-(1 << 65), 1 << 65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["1", "1e2", "AQI=", "RED", "NaN", "-0", "x", ""]),
    st.none(),
)
names = st.sampled_from(
    ["aDouble", "aFloat", "an_int32", "anInt64", "aUint32", "a_uint64", "aBool", "a_bool", "aString",
     "someBytes", "aColor", "nope"]
)  # fmt: skip


@given(st.dictionaries(names, scalars, max_size=4))
def test_the_quick_way_is_the_exact_one(value: dict[str, Any]) -> None:
    assert quick("Scalars", value) == exact("Scalars", value)


trees = st.recursive(
    st.fixed_dictionaries({}, optional={"name": st.text(max_size=3), "leaf": st.just({"size": 3})}),
    lambda children: st.fixed_dictionaries(
        {},
        optional={
            "children": st.lists(children, max_size=2),
            "named": st.dictionaries(st.text(max_size=2), children, max_size=2),
        },
    ),
    max_leaves=6,
)


@given(trees)
def test_messages_in_messages(value: dict[str, Any]) -> None:
    message = decoded("Tree", value)
    assert message == exact("Tree", value)
    shown = json_encoder.encode(type_of("Tree"), message, LIBRARY)
    assert decoded("Tree", shown) == message


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_numbers_of_32_bits_have_few_digits(value: float) -> None:
    message = type_of("Scalars").make(a_float=value)
    shown = json_encoder.encode(type_of("Scalars"), message, LIBRARY)["aFloat"]
    assert type_of("Scalars").make(a_float=shown).a_float == value
    assert len(repr(shown)) <= len(repr(value))


@given(st.integers(-62135596800, 253402300799), st.integers(0, 999_999_999))
def test_timestamps(seconds: int, nanos: int) -> None:
    message = type_of("Timestamp").make(seconds=seconds, nanos=nanos)
    shown = json_encoder.encode(type_of("Timestamp"), message, LIBRARY)
    assert decoded("Timestamp", shown) == message


def test_special_numbers() -> None:
    message = type_of("Scalars").make(a_double=math.inf, a_float=-math.inf)
    shown = json_encoder.encode(type_of("Scalars"), message, LIBRARY)
    assert (shown["aDouble"], shown["aFloat"]) == ("Infinity", "-Infinity")
    assert decoded("Scalars", {"aDouble": "NaN"}).a_double != 0


def test_nesting_without_end_is_an_error() -> None:
    text = "{}"
    for _ in range(3000):
        text = '{"named":{"x":' + text + "}}"
    with pytest.raises(MappingError, match="exceeded max recursion depth"):
        json_decoder.decode(type_of("Tree"), text, LIBRARY)
