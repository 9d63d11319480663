"""Numbers and bytes as JSON has them, by the rules of Go's protojson."""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from typing import Final

#: A number of JSON; what follows it must not look like more of it.
NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?(?![-+._a-zA-Z0-9])")
_MOST_DIGITS: Final = 20
_MAP_KEY: Final = re.compile(r"[+-]?[0-9]+")
_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_STANDARD: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_URL: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}")
#: Whole numbers below have few digits.
_EXACT: Final = 1 << 20
_FLOAT32: Final = struct.Struct("<f")


def whole_number(match: re.Match[str], limits: tuple[int, int]) -> int | None:
    """Return the whole number that JSON writes, e.g. 5.0 or 1e3; None if it is none, or too large."""
    integer, fraction, exponent = match.groups()
    digits = "" if integer == "0" else integer
    fraction = (fraction or "").rstrip("0")
    if not digits and not fraction:
        return 0
    power = int(exponent or 0)
    if power >= 0:
        if len(fraction) > power or len(digits) + power > _MOST_DIGITS:
            return None
        digits += fraction + "0" * (power - len(fraction))
    else:
        kept = len(digits) + power
        if fraction or kept < 0 or digits[kept:].strip("0"):
            return None
        digits = digits[:kept]
    if not digits:
        return None
    value = -int(digits) if match[0][0] == "-" else int(digits)
    return value if limits[0] <= value <= limits[1] else None


def in_text(text: str) -> re.Match[str] | None:
    """Return the number with which a text begins, as texts may stand for numbers."""
    return NUMBER.match(text) if text == text.strip() else None


def floating(match: re.Match[str], *, is_double: bool) -> float | None:
    """Return the floating-point number that JSON writes; None if it is too large."""
    value = float(match[0])
    if math.isinf(value):
        return None
    if not is_double:
        try:
            return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
        except OverflowError:
            return None
    return value


def special(text: str) -> float | None:
    """Return NaN or an infinity by its name."""
    return _WORDS.get(text)


def shown_float(value: float, *, is_double: bool) -> float | str:
    """Return a floating-point number as JSON has it."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value if is_double or _is_exact(value) else _shortest(value)


def _is_exact(value: float) -> bool:
    """Return True if a number of 32 bits has the same digits with 64."""
    return abs(value) < _EXACT and value == int(value)


def _shortest(value: float) -> float:
    """Return the double with the fewest digits that is this number in 32 bits."""
    for digits in range(6, 9):
        candidate = float(f"{value:.{digits}g}")
        if _FLOAT32.pack(candidate) == _FLOAT32.pack(value):
            return candidate
    return float(f"{value:.9g}")


def map_number(text: str, limits: tuple[int, int]) -> int | None:
    """Return a map key as Go's ParseInt reads it; ParseUint takes no sign."""
    if not _MAP_KEY.fullmatch(text) or (limits[0] == 0 and text[0] in "+-"):
        return None
    value = int(text)
    return value if limits[0] <= value <= limits[1] else None


def bytes_in(text: str) -> bytes | None:
    """Return the bytes of a base64 text in either alphabet; None if it is none."""
    is_padded = len(text) % 4 == 0
    text = text.replace("\r", "").replace("\n", "")
    is_url = "-" in text or "_" in text
    if not (_URL if is_url else _STANDARD).fullmatch(text):
        return None
    if not is_padded:
        if text.endswith("="):
            return None
        text += "=" * (-len(text) % 4)
    try:
        return base64.urlsafe_b64decode(text) if is_url else base64.b64decode(text)
    except binascii.Error:
        return None


def varint(number: int) -> bytes:
    """Return a number as protobuf's wire format has it: 7 bits per byte, the lowest first."""
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
