"""Numbers as Go's strconv reads them, with its words for what is none."""

from __future__ import annotations

import json
import re

_INT = re.compile(r"[+-]?[0-9]+\Z")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_FLOAT = re.compile(
    rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\Z"
    r"|[+-]?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)\Z|[nN][aA][nN]\Z"
)
_INT64 = 1 << 63


def quote(text: str) -> str:
    """In double quotes, as Go's %q."""
    return json.dumps(text, ensure_ascii=False)


def parse_int(text: str) -> int:
    """A whole number of 64 bits. Raises ValueError."""
    if not _INT.match(text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    number = int(text) if len(text) < 40 else _INT64
    if not -_INT64 <= number < _INT64:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


def parse_float(text: str) -> float:
    """Any number, `1_000`, `1e3`, `inf` and `nan` too. Raises ValueError."""
    if not _FLOAT.match(text):
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
    number = float(text)
    if number in (float("inf"), float("-inf")) and text[-1].isdigit():
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    return number
