"""ASCII texts that pass by the engine's functions: of every way in which the engine keeps a string, and in every use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from core_session import text
from core_vu import DEADLINE
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links

END = Frame(Opcode.CLOSE, b"\x03\xe8")

#: Send the value of the expression `made`.
SENDING = """
entries.run = (isBlocking) => see(connect(isBlocking, {
  open(value, more, session) {
    const long = 'abcdefghij'.repeat(2000);
    session.sendText(%s);
  },
}), isBlocking);
"""

#: Use received texts as the language's own.
USING = """
const shown = (text) => {
  const table = { [text]: 1 };
  const map = new Map([[text, 2]]);
  const half = text.slice(0, text.length >> 1);
  return [
    text.length, table[text], map.get(text), Object.keys(table)[0] === text, half + text.slice(half.length) === text,
    text + '', `${text}ä`.length, text.toUpperCase(), /^[a-z0-9]*$/.test(text), JSON.parse(JSON.stringify(text)) === text,
    text < 'zzz', Symbol.for(text) === Symbol.for(`${half}${text.slice(half.length)}`), text.codePointAt(0), text.at(-1),
  ];
};
entries.run = (isBlocking) => see(connect(isBlocking, { text(value) { seen[seen.length - 1][1] = shown(value); } }), isBlocking);
"""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("'short'", "short"),
        ("''", ""),
        ("long", "abcdefghij" * 2000),
        ("long.slice(3, 15003)", ("abcdefghij" * 2000)[3:15003]),
        ("long.slice(3, 15003).slice(7, 9007)", ("abcdefghij" * 2000)[10:9010]),
        ("long + 'k' + long", "abcdefghij" * 2000 + "k" + "abcdefghij" * 2000),
        ("Object.keys({ name: 1 })[0]", "name"),
        ("'length'", "length"),
        ("String(12.5)", "12.5"),
        ("'caf\\u00e9'", "café"),
        ("'x'.repeat(127) + '\\u00ff'", "x" * 127 + "ÿ"),
        ("'\\u00ff' + 'x'.repeat(128)", "ÿ" + "x" * 128),
        ("long + '\\u20ac'", "abcdefghij" * 2000 + "€"),
        ("(long + '\\u20ac').slice(0, 64)", ("abcdefghij" * 2000)[:64]),
        ("'\\ud800'", "\ufffd"),
        ("'\\u{1f600}'", "😀"),
        ("'a\\u0000b'", "a\0b"),
    ],
)
def test_strings_are_sent(link: Callable[..., Links], blocking: bool, made: str, expected: str) -> None:
    one = link(SENDING % made)
    running = one.vu.start("run", blocking)
    assert [(frame.opcode, bytes(frame.data)) for frame in one.peer().frames(1)] == [
        (Opcode.TEXT, expected.encode())
    ]
    one.peer().send(END)
    assert running.get(timeout=DEADLINE) == [["close", 1000, ""]]
    one.close()


@pytest.mark.parametrize("received", ["a", "abc123", "name", "x" * 63, "y" * 64, "0123456789" * 5000])
def test_received_texts_are_strings(link: Callable[..., Links], blocking: bool, received: str) -> None:
    one = link(USING)
    running = one.vu.start("run", blocking)
    one.peer().send(text(received), text(received), END)
    is_lower = received < "zzz"
    shown = [
        len(received), 1, 2, True, True, received, len(received) + 1, received.upper(), True, True, is_lower, True,
        ord(received[0]), received[-1],
    ]  # fmt: skip
    *texts, end = running.get(timeout=DEADLINE)
    assert texts == [["text", shown], ["text", shown]]
    assert end == ["close", 1000, ""]
    one.close()
