"""TextEncoder and TextDecoder."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "data"),
    [("", []), ("aü€😀", [97, 195, 188, 226, 130, 172, 240, 159, 152, 128]), ("\0", [0])],
)
def test_encode(run: Callable[..., list[str]], text: str, data: list[int]) -> None:
    found = run(f"console.log(JSON.stringify([...new TextEncoder().encode({json.dumps(text)})]));")
    assert json.loads(found[0]) == data


def test_encode_mends_half_a_surrogate_pair(run: Callable[..., list[str]]) -> None:
    assert run("console.log(new TextEncoder().encode('\\ud800x').join());") == ["239,191,189,120"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=3),
    codec=st.sampled_from(["utf-8", "utf-16le", "utf-16be"]),
)
def test_pieces_give_the_whole(
    run: Callable[..., list[str]], data: bytes, cuts: list[int], codec: str
) -> None:
    """However a text is cut, it is the same text."""
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [list(data[a:b]) for a, b in itertools.pairwise(edges)]
    whole, joined = run(f"""
        const decode = (pieces) => {{
          const decoder = new TextDecoder('{codec}', {{ ignoreBOM: true }});
          const texts = pieces.map((piece) => decoder.decode(new Uint8Array(piece), {{ stream: true }}));
          return texts.join('') + decoder.decode();
        }};
        console.log(JSON.stringify(decode([{list(data)}])));
        console.log(JSON.stringify(decode({pieces})));
    """)
    assert joined == whole
    assert json.loads(whole) == data.decode(codec, "replace")


def test_byte_order_mark(run: Callable[..., list[str]]) -> None:
    assert run("""
        const bytes = new Uint8Array([239, 187, 191, 65]);
        const decoder = new TextDecoder();
        console.log(decoder.decode(bytes), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).length);
        let text = '';
        for (const byte of bytes) text += decoder.decode(new Uint8Array([byte]), { stream: true });
        console.log(text, text.length, decoder.decode());
    """) == ["A 2", "A 1 "]


def test_fatal(run: Callable[..., list[str]]) -> None:
    assert run("""
        const decoder = new TextDecoder('utf-8', { fatal: true });
        try {
          decoder.decode(new Uint8Array([255]));
        } catch (e) {
          console.log(e instanceof TypeError, e.message);
        }
        console.log(decoder.decode(new Uint8Array([65])), decoder.fatal, decoder.encoding);
    """) == ["true decoding text: invalid byte sequence", "A true utf-8"]


def test_views_and_other_input(run: Callable[..., list[str]]) -> None:
    assert run("""
        const { buffer } = new Uint8Array([65, 66, 67]);
        const decoder = new TextDecoder();
        console.log(decoder.decode(buffer), decoder.decode(new DataView(buffer, 1, 1)), decoder.decode() === '');
        console.log(decoder.decode('text'), decoder.decode([65, 66]));
        for (const attempt of [() => decoder.decode({}), () => decoder.decode(5), () => new TextDecoder('latin1')]) {
          try {
            attempt();
          } catch (e) {
            console.log(e.name, e.message);
          }
        }
    """) == [
        "ABC B true",
        "text AB",
        "GoError data is not an ArrayBuffer, typed array, or DataView",
        "GoError data is not an ArrayBuffer, typed array, or DataView",
        "RangeError unsupported encoding: latin1",
    ]
