"""Base64 and hexadecimal of Uint8Array, by the examples and steps of the TC39 proposal
(https://tc39.es/proposal-arraybuffer-base64/spec/)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.modules.globals.uint8array import from_base64, from_hex

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPT = """
const attempt = (f) => {
  try {
    const value = f();
    console.log(value instanceof Uint8Array ? `[${value}]` : JSON.stringify(value));
  } catch (e) {
    console.log(e.name);
  }
};
"""


def test_text_of_bytes(run: Callable[..., list[str]]) -> None:
    assert run(
        ATTEMPT
        + """
        const bytes = new Uint8Array([251, 255, 254, 1]);
        attempt(() => bytes.toBase64());
        attempt(() => bytes.toBase64({ alphabet: 'base64url' }));
        attempt(() => bytes.toBase64({ omitPadding: 'yes' }));
        attempt(() => bytes.toHex() + bytes.subarray(1, 3).toHex() + new Uint8Array(0).toHex());
        attempt(() => bytes.toBase64(Object.assign(() => {}, { alphabet: 'base64url', omitPadding: true })));
    """
    ) == ['"+//+AQ=="', '"-__-AQ=="', '"+//+AQ"', '"fbfffe01fffe"', '"-__-AQ"']


def test_bytes_of_text(run: Callable[..., list[str]]) -> None:
    assert run(
        ATTEMPT
        + """
        attempt(() => Uint8Array.fromBase64(' +/\\n/+AQ= = '));
        attempt(() => Uint8Array.fromBase64('-__-AQ', { alphabet: 'base64url' }));
        attempt(() => Uint8Array.fromBase64('AQIDBA', { lastChunkHandling: 'stop-before-partial' }));
        attempt(() => Uint8Array.fromHex('00FFaB'));
        attempt(() => { class Own extends Uint8Array {} return Own.fromHex('01').constructor === Uint8Array; });
    """
    ) == ["[251,255,254,1]", "[251,255,254,1]", "[1,2,3]", "[0,255,171]", "true"]


def test_bytes_that_are_there(run: Callable[..., list[str]]) -> None:
    """Bytes that fit are written, up to an error."""
    assert run(
        ATTEMPT
        + """
        const into = (size, method, ...args) => attempt(() => {
          const bytes = new Uint8Array(size);
          try {
            return [bytes[method](...args), ...bytes];
          } catch (e) {
            return [e.name, ...bytes];
          }
        });
        into(5, 'setFromBase64', 'AQID BAUG');
        into(4, 'setFromBase64', 'AQID BA==');
        into(4, 'setFromBase64', 'AQIDB!==');
        into(0, 'setFromBase64', '!');
        into(2, 'setFromHex', '0102zz');
        into(3, 'setFromHex', '0102zz');
        into(3, 'setFromHex', '010');
        attempt(() => {
          const all = new Uint8Array(6);
          return [all.subarray(2, 4).setFromHex('ff'), ...all];
        });
    """
    ) == [
        '[{"read":4,"written":3},1,2,3,0,0]',
        '[{"read":9,"written":4},1,2,3,4]',
        '["SyntaxError",1,2,3,0]',
        '[{"read":0,"written":0}]',
        '[{"read":4,"written":2},1,2]',
        '["SyntaxError",1,2,0]',
        '["SyntaxError",0,0,0]',
        '[{"read":2,"written":1},0,0,255,0,0,0]',
    ]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("Uint8Array.fromBase64('A')", "SyntaxError"),
        ("Uint8Array.fromBase64('AQ=')", "SyntaxError"),
        ("Uint8Array.fromBase64('AQ==A')", "SyntaxError"),
        ("Uint8Array.fromBase64('A===')", "SyntaxError"),
        ("Uint8Array.fromBase64('AQI', { lastChunkHandling: 'strict' })", "SyntaxError"),
        ("Uint8Array.fromBase64('AR==', { lastChunkHandling: 'strict' })", "SyntaxError"),
        ("Uint8Array.fromBase64('-_', { alphabet: 'base64' })", "SyntaxError"),
        ("Uint8Array.fromBase64('+/', { alphabet: 'base64url' })", "SyntaxError"),
        ("Uint8Array.fromBase64('\\ud800')", "SyntaxError"),
        ("Uint8Array.fromHex('0')", "SyntaxError"),
        ("Uint8Array.fromHex('0x')", "SyntaxError"),
        ("Uint8Array.fromBase64(new String('AQ=='))", "TypeError"),
        ("Uint8Array.fromHex(12)", "TypeError"),
        ("Uint8Array.fromBase64('', null)", "TypeError"),
        ("Uint8Array.fromBase64('', { alphabet: new String('base64') })", "TypeError"),
        ("Uint8Array.fromBase64('', { lastChunkHandling: 'lax' })", "TypeError"),
        ("new Uint8Array(1).toBase64('base64url')", "TypeError"),
        ("Uint8Array.prototype.toHex.call(new Uint8ClampedArray(1))", "TypeError"),
        ("Uint8Array.prototype.setFromHex.call([], '')", "TypeError"),
        ("new (Uint8Array.fromHex)('00')", "TypeError"),
        (
            "(() => { const a = new Uint8Array(1); a.buffer.transfer(); return a.toHex(); })()",
            "TypeError",
        ),
    ],
)
def test_refusals(run: Callable[..., list[str]], call: str, error: str) -> None:
    assert run(f"{ATTEMPT} attempt(() => {call});") == [error]


def test_properties(run: Callable[..., list[str]]) -> None:
    said = run("""
        for (const [owner, name] of [[Uint8Array, 'fromBase64'], [Uint8Array, 'fromHex'],
            [Uint8Array.prototype, 'setFromBase64'], [Uint8Array.prototype, 'setFromHex'],
            [Uint8Array.prototype, 'toBase64'], [Uint8Array.prototype, 'toHex']]) {
          const { value, ...how } = Object.getOwnPropertyDescriptor(owner, name);
          console.log(value.name, value.length, JSON.stringify(how));
        }
    """)
    how = '{"writable":true,"enumerable":false,"configurable":true}'
    lengths = {
        "fromBase64": 1, "fromHex": 1, "setFromBase64": 1, "setFromHex": 1, "toBase64": 0, "toHex": 0,
    }  # fmt: skip
    assert said == [f"{name} {length} {how}" for name, length in lengths.items()]


@given(data=st.binary(max_size=40), limit=st.integers(0, 45))
def test_a_limit_takes_whole_chunks(data: bytes, limit: int) -> None:
    text = base64.b64encode(data).decode()
    read, found, is_valid = from_base64(text, limit, "base64", "strict")
    assert is_valid
    assert data.startswith(found)
    assert len(found) == len(data) if limit >= len(data) else limit - 2 <= len(found) <= limit
    assert read == (len(text) if limit >= len(data) > 0 and limit else len(found) // 3 * 4)


@given(text=st.text(alphabet="AQ=g -\n", max_size=12), handling=st.sampled_from(["loose", "strict"]))
def test_valid_text_is_what_all_others_take(text: str, handling: str) -> None:
    """Loose takes what Python takes without its white space and with padding added."""
    read, found, is_valid = from_base64(text, None, "base64", handling)
    if is_valid:
        bare = "".join(text.split()).rstrip("=")
        assert base64.b64decode(bare + "=" * (-len(bare) % 4)) == found
        assert read == len(text)


@given(data=st.binary(max_size=20), limit=st.one_of(st.none(), st.integers(0, 20)))
def test_hexadecimal(data: bytes, limit: int | None) -> None:
    count = len(data) if limit is None else min(limit, len(data))
    assert from_hex(data.hex(), limit) == (2 * count, data[:count], True)


def test_long_texts_cross_whole(run: Callable[..., list[str]]) -> None:
    data = bytes(range(256)) * 200
    said = run(f"""
        const bytes = Uint8Array.fromBase64({json.dumps(base64.b64encode(data).decode())});
        console.log(bytes.length, bytes[300], Uint8Array.fromHex(bytes.toHex()).toBase64().length);
    """)
    assert said == [f"{len(data)} 44 {len(base64.b64encode(data))}"]
