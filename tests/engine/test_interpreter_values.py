"""Values between JavaScript and Python."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from core_vu import VU
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.errors import JSError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAME = "entries.same = (value) => value;"


@pytest.fixture(scope="module")
def same() -> Iterator[VU]:
    """An interpreter that returns what it gets."""
    vu = VU(SAME)
    yield vu
    vu.close()


NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=200)),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(TEXTS, inner, max_size=6)),
    max_leaves=30,
)


@pytest.mark.slow
@given(VALUES)
def test_values_survive(same: VU, value: Any) -> None:
    assert same.call("same", value) == value


@pytest.mark.slow
@given(st.lists(VALUES, max_size=8))
def test_arguments_survive(same: VU, values: list[Any]) -> None:
    same.evaluate("entries.all = (...all) => all;")
    assert same.call("all", *values) == values


@pytest.mark.parametrize(
    "value",
    [0, -1.5, "", "ü" * 3000, "\0\u2028", [], {}, None, True, b"", bytes(1 << 20), "x" * (1 << 20)],
)
def test_single_values_survive(same: VU, value: Any) -> None:
    assert same.call("same", value) == value


def test_numbers_that_python_has_too(same: VU) -> None:
    assert math.isnan(same.call("same", math.nan))
    assert same.call("same", math.inf) == math.inf
    assert math.copysign(1, same.call("same", -0.0)) == -1
    assert isinstance(same.call("same", 3.0), int)


def test_nothing_is_none_both_ways(same: VU) -> None:
    same.evaluate(
        "entries.nothing = () => {}; entries.look = (a) => [a === null, typeof host('nothing')];"
    )
    same._named["nothing"] = lambda: None
    assert same.call("nothing") is None
    assert same.call("look", None) == [True, "undefined"]


@given(st.text(max_size=30))
def test_halves_of_surrogate_pairs_become_replacements(same: VU, text: str) -> None:
    """On the way in and on the way out, in keys too."""
    mended = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert same.call("same", [text, {text: text}]) == [mended, {mended: mended}]


def test_halves_that_javascript_makes(make_vu: Callable[..., VU]) -> None:
    vu = make_vu(
        "entries.run = () => { say('a\\ud83d'); say('\\ud83d' + '\\ude00'); return 'b\\ude00'; };"
    )
    assert vu.call("run") == "b\ufffd"
    assert vu.said == ["a\ufffd", "\U0001f600"]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("new Uint8Array([1, 2, 3]).subarray(1)", b"\2\3"),
        ("new DataView(new ArrayBuffer(3), 1)", b"\0\0"),
        ("new ArrayBuffer(0)", b""),
        ("10n ** 30n", str(10**30)),
        ("2n ** 62n", 2**62),
        ("[1, , undefined, () => {}, Symbol('x')]", [1, None, None, None, None]),
        ("({ a: undefined, b: () => {}, c: null, get d() { return 4; } })", {"c": None, "d": 4}),
        ("new Date(0)", {}),
        ("new Map([[1, 2]])", {}),
        ("Object.create({ inherited: 1 })", {}),
        ("new (class { own = 1; #hidden = 2; })()", {"own": 1}),
        ("new Proxy({ a: 1 }, {})", {"a": 1}),
        ("new String('text')", {str(index): one for index, one in enumerate("text")}),
        ("JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
    ],
)
def test_what_python_sees_of_objects(make_vu: Callable[..., VU], source: str, seen: object) -> None:
    vu = make_vu(f"entries.run = () => {{ say({source}); return {source}; }};")
    assert vu.call("run") == seen
    assert vu.said == [seen]


def test_keys_are_own_properties(same: VU) -> None:
    """Whatever their names are, and whatever the script has made of Object.prototype."""
    same.evaluate("""
        entries.look = (value) => {
          Object.defineProperty(Object.prototype, 'x', { set() { throw new Error('setter'); }, configurable: true });
          try {
            return [Object.keys(value), Object.getPrototypeOf(value) === Object.prototype, value.x];
          } finally { delete Object.prototype.x; }
        };
    """)
    assert same.call("look", {"__proto__": 1, "x": 2}) == [["__proto__", "x"], True, 2]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("const a = []; a.push(a); return a;", "TypeError"),
        ("let a = []; for (let i = 0; i < 2000; i += 1) a = [a]; return a;", "TypeError"),
        ("return { get x() { throw new RangeError('getter'); } };", "RangeError: getter"),
        ("return new Proxy({}, { ownKeys() { throw new RangeError('trap'); } });", "RangeError: trap"),
        ("const b = new ArrayBuffer(1); b.transfer(); return b;", "TypeError"),
    ],
)
def test_values_that_cannot_cross(make_vu: Callable[..., VU], source: str, text: str) -> None:
    """They are exceptions of whoever gives them."""
    vu = make_vu(
        f"const make = () => {{ {source} }}; entries.give = make;"
        "entries.ask = () => { try { say(make()); } catch (error) { return String(error); } };"
    )
    with pytest.raises(JSError, match=text):
        vu.call("give")
    assert text in vu.call("ask")
    assert vu.said == []
