"""Parsing and formatting of durations, as k6 does it.

Inside jsrunner a duration is a float of seconds. Scripts use the texts of k6's page about options.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from jsrunner.options.numbers import parse_float, parse_int

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_UNIT = re.compile(r"[^0-9.]*")
#: Nanoseconds that do not fit into Go's signed 64-bit `time.Duration`: about 292 years.
_LIMIT: Final = 1 << 63


def parse_duration(value: object) -> float:
    """Parse a duration of the script's options or of an environment variable.

    Args:
        value: A number of milliseconds, a text with such a number, or a text with Go's units. Whole
            days may stand before these (`1d12h`).

    Returns:
        Seconds.

    Raises:
        ValueError: The value is no duration. The text is Go's.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"unexpected type for a duration: {value!r}")
    if not isinstance(value, str):
        return _from_milliseconds(value)
    try:
        milliseconds = parse_float(value)
    except ValueError:
        pass
    else:
        return _from_milliseconds(milliseconds)
    days, d, rest = value.partition("d")
    if not d:
        return parse_go_duration(value)
    seconds = parse_go_duration(rest) if rest else 0.0
    if seconds < 0:
        raise ValueError(f"invalid time format '{rest}'")
    day_count = parse_int(days)
    return day_count * 86400 + (-seconds if day_count < 0 else seconds)


def _from_milliseconds(number: float) -> float:
    """Convert milliseconds to seconds.

    A value that does not fit into 64 bits of nanoseconds becomes the lowest 64-bit number, as in k6.

    Raises:
        ValueError: The number is too large for a float.
    """
    try:
        nanoseconds = float(number) * _UNITS["ms"]
    except OverflowError:
        raise ValueError(f"'{number}' is not a valid duration value") from None
    fits = math.isfinite(nanoseconds) and abs(nanoseconds) < _LIMIT
    return (int(nanoseconds) if fits else -_LIMIT) / 1e9


def parse_go_duration(text: str) -> float:
    """Parse a duration in Go's syntax, in which each number has a unit: `1h30m`, `1.5s`, `-10ms`.

    Args:
        text: The duration, as flags take it.

    Returns:
        Seconds.

    Raises:
        ValueError: The text is no duration. The error's text is that of Go's `time.ParseDuration`.
    """
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    nanoseconds = Decimal(0)
    invalid = ValueError(f"time: invalid duration {_quoted(text)}")
    if not rest:
        raise invalid
    while rest:
        number = _NUMBER.match(rest)
        if number is None:
            raise invalid
        unit = _UNIT.match(rest, number.end())
        assert unit is not None
        if not unit[0]:
            raise ValueError(f"time: missing unit in duration {_quoted(text)}")
        if unit[0] not in _UNITS:
            raise ValueError(f"time: unknown unit {_quoted(unit[0])} in duration {_quoted(text)}")
        nanoseconds += Decimal(number[0]) * _UNITS[unit[0]]
        rest = rest[unit.end() :]
    is_negative = text.startswith("-")
    if nanoseconds > _LIMIT - (not is_negative):
        raise invalid
    seconds = int(nanoseconds) / 1e9
    return -seconds if is_negative else seconds


def _quoted(text: str) -> str:
    """Quote a text as Go's package time does: bytes outside of printable ASCII are escaped singly."""
    shown = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
        for byte in text.encode("utf-8", "replace")
    )
    return f'"{shown}"'


def format_duration(seconds: float) -> str:
    """Format a duration as Go prints it: `1m30s`, `500ms`, `0s`.

    Args:
        seconds: The duration, of which nanoseconds are kept.
    """
    nanoseconds = round(seconds * 1e9)
    if not nanoseconds:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < _UNITS["s"]:
        unit = "ms" if rest >= _UNITS["ms"] else "µs" if rest >= _UNITS["µs"] else "ns"
        return f"{sign}{_decimal(rest, _UNITS[unit])}{unit}"
    minutes, rest = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _UNITS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    return sign + text


def format_fixed(seconds: float, longest: float) -> str:
    """Format a time of a progress display with as many digits as the longest time needs, as k6 does.

    Args:
        seconds: The time. It is rounded to tenths; a negative time is shown as 0.
        longest: The longest time, in seconds, that is shown at this place.

    Returns:
        A text such as `00m02.3s` if `longest` is 10 minutes, or `01d02h00m00.0s` if it is days.
    """
    tenths = math.floor(round(max(seconds, 0) * 10 + 0.5, 6))
    limit = max(round(longest, 1), tenths / 10)
    text = f"{tenths // 10 % 60}.{tenths % 10}s"
    if limit < 10:
        return text
    text = f"{text:0>5}"
    minutes, hours, days = tenths // 600, tenths // 36_000, tenths // 864_000
    if limit < 60:
        return text
    if limit < 3600:
        return f"{minutes:0{1 if limit < 600 else 2}d}m{text}"
    text = f"{minutes % 60:02d}m{text}"
    if limit < 86_400:
        return f"{hours:0{1 if limit < 36_000 else 2}d}h{text}"
    return f"{days:0{len(str(int(limit // 86_400)))}d}d{hours % 24:02d}h{text}"


def _decimal(amount: int, unit: int) -> str:
    """Format the quotient of an amount and a power of ten, without trailing zeros."""
    integer, remainder = divmod(amount, unit)
    if not remainder:
        return str(integer)
    digits = len(str(unit)) - 1
    return f"{integer}.{remainder:0{digits}d}".rstrip("0")
