"""Where and why a text is no JSON, as Go's encoding/json and k6's `response.json()` say it."""

from __future__ import annotations

import re
from typing import Final

import orjson

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
#: The longest run of what a string may hold.
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS: Final = re.compile(rb"[0-9]*")
_LITERALS: Final = {b"t": b"true", b"f": b"false", b"n": b"null"}


class _Wrong(Exception):
    """What is wrong at a byte; the end of the text if that is where it is."""

    def __init__(self, position: int, context: str) -> None:
        self.position, self.context = position, context


def describe(data: bytes) -> str:
    """The text of the exception for `data`, which is no JSON."""
    offset, text = _reason(data)
    return _placed(data, offset, text)


def reason(data: bytes) -> str:
    """Return why `data` is no JSON, without where: the text of Go's encoding/json."""
    return _reason(data)[1]


def _reason(data: bytes) -> tuple[int, str]:
    """(how many bytes were read, the wrong one included; what is wrong)."""
    try:
        _scan(data)
    except _Wrong as wrong:
        position = wrong.position
        if position < len(data):
            return position + 1, f"invalid character {_shown(data[position])} {wrong.context}"
        return len(data), "unexpected end of JSON input"
    return 0, "unexpected end of JSON input"


def _placed(data: bytes, offset: int, text: str) -> str:
    """`offset` is how many bytes were read, the wrong one included."""
    before = data[:offset].decode("utf-8", "go")
    line = before.count("\n") + 1
    character = len(before) - before.rfind("\n") - 1
    if before.endswith("\n"):
        character = 1
    return f"cannot parse json due to an error at line {line}, character {character} , error: {text}"


def _shown(byte: int) -> str:
    if byte == 0x27:
        return r"'\''"
    if byte == 0x22:
        return "'\"'"
    return f"'{orjson.dumps(chr(byte)).decode()[1:-1]}'"


def _scan(data: bytes) -> None:
    """Raises _Wrong at the first byte that JSON cannot have there."""
    inside: list[bytes] = []
    position = _value(data, _space(data, 0), inside)
    while True:
        position = _space(data, position)
        if not inside:
            if position < len(data):
                raise _Wrong(position, "after top-level value")
            return
        next_byte = data[position : position + 1]
        if inside[-1] == b"{":
            if next_byte == b"}":
                inside.pop()
                position += 1
            elif next_byte == b",":
                position = _key(data, _space(data, position + 1))
                position = _value(data, position, inside)
            else:
                raise _Wrong(position, "after object key:value pair")
        elif next_byte == b"]":
            inside.pop()
            position += 1
        elif next_byte == b",":
            position = _value(data, _space(data, position + 1), inside)
        else:
            raise _Wrong(position, "after array element")


def _space(data: bytes, position: int) -> int:
    match = _SPACE.match(data, position)
    assert match is not None
    return match.end()


def _value(data: bytes, position: int, inside: list[bytes]) -> int:
    """Read a value, or into an object or array as far as its first one."""
    while True:
        first = data[position : position + 1]
        if first == b"{":
            position = _space(data, position + 1)
            if data[position : position + 1] == b"}":
                return position + 1
            inside.append(first)
            position = _key(data, position)
        elif first == b"[":
            position = _space(data, position + 1)
            if data[position : position + 1] == b"]":
                return position + 1
            inside.append(first)
        elif first == b'"':
            return _string(data, position + 1)
        elif first == b"-" or first.isdigit():
            return _number(data, position)
        elif first in _LITERALS:
            return _literal(data, position, _LITERALS[first])
        else:
            raise _Wrong(position, "looking for beginning of value")


def _key(data: bytes, position: int) -> int:
    if data[position : position + 1] != b'"':
        raise _Wrong(position, "looking for beginning of object key string")
    position = _space(data, _string(data, position + 1))
    if data[position : position + 1] != b":":
        raise _Wrong(position, "after object key")
    return _space(data, position + 1)


def _string(data: bytes, position: int) -> int:
    while True:
        match = _PLAIN.match(data, position)
        assert match is not None
        position = match.end()
        first = data[position : position + 1]
        if first == b'"':
            return position + 1
        if first != b"\\":
            raise _Wrong(position, "in string literal")
        escape = data[position + 1 : position + 2]
        if escape == b"u":
            for at in range(position + 2, position + 6):
                if data[at : at + 1] not in tuple(bytes((one,)) for one in b"0123456789abcdefABCDEF"):
                    raise _Wrong(at, "in \\u hexadecimal character escape")
            position += 6
        elif escape and escape in b'"\\/bfnrt':
            position += 2
        else:
            raise _Wrong(position + 1, "in string escape code")


def _number(data: bytes, position: int) -> int:
    if data[position : position + 1] == b"-":
        position += 1
    if data[position : position + 1] == b"0":
        position += 1
    else:
        position = _digits(data, position, "in numeric literal")
    if data[position : position + 1] == b".":
        position = _digits(data, position + 1, "after decimal point in numeric literal")
    if data[position : position + 1] in (b"e", b"E"):
        position += 1
        if data[position : position + 1] in (b"+", b"-"):
            position += 1
        position = _digits(data, position, "in exponent of numeric literal")
    return position


def _digits(data: bytes, position: int, context: str) -> int:
    match = _DIGITS.match(data, position)
    assert match is not None
    if match.end() == position:
        raise _Wrong(position, context)
    return match.end()


def _literal(data: bytes, position: int, word: bytes) -> int:
    for at, wanted in enumerate(word):
        if data[position + at : position + at + 1] != bytes((wanted,)):
            raise _Wrong(position + at, f"in literal {word.decode()} (expecting '{chr(wanted)}')")
    return position + len(word)
