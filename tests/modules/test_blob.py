"""Blob of k6/websockets: what it is made of, and what its stream gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "import { Blob } from 'k6/websockets';\n"
CONVERT = "GoError: failed to process [blobParts]: "


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ("", ""),
        ("null", ""),
        ("new Set(['a', 'ü'])", "aü"),
        ("{ length: 2, 0: 'a', 1: 'b' }", "ab"),
        ("(function* () { yield 'x'; yield new Blob(['y']); })()", "xy"),
        ("[new Uint16Array([0x4241]), new Uint8Array([67, 68]).buffer, 'e']", "ABCDe"),
    ],
)
def test_parts(run: Callable[..., list[str]], parts: str, text: str) -> None:
    assert run(f"{HEAD}console.log(await new Blob({parts}).text());") == [text]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("'abc'", CONVERT + "could not convert abc to []interface {}"),
        ("5", CONVERT + "could not convert 5 to []interface {}"),
        ("{}", CONVERT + "cannot convert [object Object] to []interface {}: not an array or iterable"),
        ("[null]", CONVERT + "unsupported type: <nil>"),
        ("[1.5]", CONVERT + "unsupported type: float64"),
        ("[1n]", CONVERT + "unsupported type: *big.Int"),
        ("[new Date(0)]", CONVERT + "unsupported type: time.Time"),
        ("new Uint8Array(1)", CONVERT + "unsupported type: int64"),
        ("['a'], null", "GoError: [options] must be an object"),
        ("['a'], 'text/plain'", "GoError: [options] must be an object"),
    ],
)
def test_refused(run: Callable[..., list[str]], arguments: str, text: str) -> None:
    assert run(f"{HEAD}try {{ new Blob({arguments}); }} catch (e) {{ console.log(String(e)); }}") == [
        text
    ]


def test_stream(run: Callable[..., list[str]]) -> None:
    assert run(
        HEAD
        + """
        const reader = new Blob(['x'.repeat(1500)]).stream().getReader();
        const read = [];
        for (let i = 0; i < 4; i += 1) {
          const { done, value } = await reader.read();
          read.push(done, value?.length);
        }
        console.log(read.join(), Blob.length);
        """
    ) == ["false,1024,false,476,false,0,true, 0"]
