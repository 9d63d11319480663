"""A scanner for JSON's scalars with the rules and the error texts of Go's encoding/json."""

from __future__ import annotations

import re
from typing import Final

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
#: The longest run of plain characters of a string.
_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS: Final = re.compile(rb"[0-9]*")
_LITERALS: Final = {b"t": b"true", b"f": b"false", b"n": b"null"}
#: Escapes of Go's strconv.Quote, and of the quotation mark around a character.
_ESCAPES: Final = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", "'": r"\'",
}  # fmt: skip


class InvalidJSON(Exception):
    """A text is no JSON. `position` is the index of the wrong byte, or the length of the text."""

    def __init__(self, position: int, context: str) -> None:
        self.position, self.context = position, context


def quote(byte: int) -> str:
    """Return a byte as Go shows it: the character of that number in quotation marks."""
    character = chr(byte)
    escaped = _ESCAPES.get(character)
    if escaped is None:
        if character.isprintable():
            escaped = character
        else:
            escaped = f"\\x{byte:02x}" if byte < 0x80 else f"\\u{byte:04x}"
    return f"'{escaped}'"


def skip_space(data: bytes, position: int) -> int:
    """Return the position of the next byte that is no white space."""
    match = _SPACE.match(data, position)
    assert match is not None
    return match.end()


def scan_scalar(data: bytes, position: int) -> int:
    """Return the position behind a string, a number or a literal. Raises InvalidJSON."""
    first = data[position : position + 1]
    if first == b'"':
        return scan_string(data, position + 1)
    if first == b"-" or first.isdigit():
        return _number(data, position)
    if first in _LITERALS:
        return _literal(data, position, _LITERALS[first])
    raise InvalidJSON(position, "looking for beginning of value")


def scan_string(data: bytes, position: int) -> int:
    """Return the position behind a string whose first quotation mark has been read."""
    while True:
        match = _PLAIN.match(data, position)
        assert match is not None
        position = match.end()
        first = data[position : position + 1]
        if first == b'"':
            return position + 1
        if first != b"\\":
            raise InvalidJSON(position, "in string literal")
        escape = data[position + 1 : position + 2]
        if escape == b"u":
            for at in range(position + 2, position + 6):
                if data[at : at + 1] not in tuple(
                    bytes((digit,)) for digit in b"0123456789abcdefABCDEF"
                ):
                    raise InvalidJSON(at, "in \\u hexadecimal character escape")
            position += 6
        elif escape and escape in b'"\\/bfnrt':
            position += 2
        else:
            raise InvalidJSON(position + 1, "in string escape code")


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
        raise InvalidJSON(position, context)
    return match.end()


def _literal(data: bytes, position: int, word: bytes) -> int:
    for at, wanted in enumerate(word):
        if data[position + at : position + at + 1] != bytes((wanted,)):
            raise InvalidJSON(position + at, f"in literal {word.decode()} (expecting '{chr(wanted)}')")
    return position + len(word)
