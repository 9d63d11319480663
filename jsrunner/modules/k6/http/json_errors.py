"""Error texts for texts that are no JSON, those of Go's encoding/json and k6's `response.json()`."""

from __future__ import annotations

from typing import Final

from jsrunner.engine.json_scanner import InvalidJSON, quote, scan_scalar, scan_string, skip_space
from jsrunner.text import decode_bytewise

#: The contexts, inside of a scalar, in which no space may follow.
_UNFINISHED: Final = (
    *("in literal", "in numeric literal", "after decimal point", "in exponent"),
    *("in \\u hexadecimal", "in string escape"),
)


def describe(data: bytes) -> str:
    """Return the text of the exception for `data`, which is no JSON."""
    offset, text = _reason(data)
    return _placed(data, offset, text)


def reason(data: bytes) -> str:
    """Return Go's reason why `data` is no JSON, without the place."""
    return _reason(data)[1]


def _reason(data: bytes) -> tuple[int, str]:
    """Return (count of the bytes up to the wrong byte, Go's reason)."""
    try:
        _scan(data)
    except InvalidJSON as wrong:
        position = wrong.position
        if position < len(data):
            return position + 1, f"invalid character {quote(data[position])} {wrong.context}"
        if wrong.context.startswith(_UNFINISHED):  # Go's scanner reads a space at the end
            return len(data), f"invalid character ' ' {wrong.context}"
        return len(data), "unexpected end of JSON input"
    return 0, "unexpected end of JSON input"


def _placed(data: bytes, offset: int, text: str) -> str:
    """Return the text with its place; `offset` counts the bytes up to the wrong byte."""
    before = decode_bytewise(data[:offset])
    line = before.count("\n") + 1
    character = len(before) - before.rfind("\n") - 1
    if before.endswith("\n"):
        character = 1
    return f"cannot parse json due to an error at line {line}, character {character} , error: {text}"


def _scan(data: bytes) -> None:
    """Scan a text. Raises InvalidJSON at the first wrong byte."""
    inside: list[bytes] = []
    position = _value(data, skip_space(data, 0), inside)
    while True:
        position = skip_space(data, position)
        if not inside:
            if position < len(data):
                raise InvalidJSON(position, "after top-level value")
            return
        next_byte = data[position : position + 1]
        if inside[-1] == b"{":
            if next_byte == b"}":
                inside.pop()
                position += 1
            elif next_byte == b",":
                position = _key(data, skip_space(data, position + 1))
                position = _value(data, position, inside)
            else:
                raise InvalidJSON(position, "after object key:value pair")
        elif next_byte == b"]":
            inside.pop()
            position += 1
        elif next_byte == b",":
            position = _value(data, skip_space(data, position + 1), inside)
        else:
            raise InvalidJSON(position, "after array element")


def _value(data: bytes, position: int, inside: list[bytes]) -> int:
    """Scan a value, or an object or array up to its first value."""
    while True:
        first = data[position : position + 1]
        if first == b"{":
            position = skip_space(data, position + 1)
            if data[position : position + 1] == b"}":
                return position + 1
            inside.append(first)
            position = _key(data, position)
        elif first == b"[":
            position = skip_space(data, position + 1)
            if data[position : position + 1] == b"]":
                return position + 1
            inside.append(first)
        else:
            return scan_scalar(data, position)


def _key(data: bytes, position: int) -> int:
    if data[position : position + 1] != b'"':
        raise InvalidJSON(position, "looking for beginning of object key string")
    position = skip_space(data, scan_string(data, position + 1))
    if data[position : position + 1] != b":":
        raise InvalidJSON(position, "after object key")
    return skip_space(data, position + 1)
