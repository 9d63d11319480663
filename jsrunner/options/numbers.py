"""Parsing of numbers and quoting of texts as Go's strconv does it, with its error texts."""

from __future__ import annotations

import re

_INT = re.compile(r"[+-]?[0-9]+\Z")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_FLOAT = (
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\Z"
    r"|[+-]?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)\Z|[nN][aA][nN]\Z"
)
_INT64 = 1 << 63
#: The escapes of Go's `%q` that have a letter or sign instead of a number.
_ESCAPES = {
    '"': '\\"', "\\": "\\\\",
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip


def quote(text: str) -> str:
    """Quote a text as Go's `%q` does: in double quotes, with unprintable characters escaped."""
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    elif '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _escaped(character: str) -> str:
    """Return a character as it stands in a quoted text."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code < 0xE000:  # half of a surrogate pair: UTF-8 cannot encode it
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def parse_int(text: str) -> int:
    """Parse a decimal integer that fits into 64 bits.

    Raises:
        ValueError: The text is no such number. The error's text is that of Go's `strconv.ParseInt`.
    """
    if not _INT.match(text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    number = int(text) if len(text) < 40 else _INT64
    if not -_INT64 <= number < _INT64:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


def parse_float(text: str) -> float:
    """Parse a number such as `1.5`, `1_000`, `1e3`, `inf` or `nan`.

    Raises:
        ValueError: The text is no number, or the number is too large for a float. The error's text is
            that of Go's `strconv.ParseFloat`.
    """
    if not re.match(_FLOAT, text):
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
    number = float(text)
    if number in (float("inf"), float("-inf")) and text[-1].isdigit():
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    return number
