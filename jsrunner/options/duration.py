"""Durations as k6 reads and writes them. Inside the program a duration is a float of seconds."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from jsrunner.options.numbers import parse_float, parse_int, quote

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
#: Go counts nanoseconds in 64 bits: some 292 years.
_LIMIT: Final = 1 << 63


def parse_duration(value: object) -> float:
    """A duration of the script's options or the environment: a number, or a text without a unit, is
    milliseconds; else Go's units, which whole days may lead (`1d12h`). Raises ValueError.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"unexpected type for a duration: {value!r}")
    if not isinstance(value, str):
        return _from_milliseconds(value, str(value))
    try:
        milliseconds = parse_float(value)
    except ValueError:
        pass
    else:
        return _from_milliseconds(milliseconds, value)
    days, d, rest = value.partition("d")
    if not d:
        return parse_go_duration(value)
    seconds = parse_go_duration(rest) if rest else 0.0
    if seconds < 0:
        raise ValueError(f"invalid time format '{rest}'")
    whole = parse_int(days)
    return whole * 86400 + (-seconds if whole < 0 else seconds)


def _from_milliseconds(number: float, text: str) -> float:
    nanoseconds = number * _UNITS["ms"]
    if not math.isfinite(nanoseconds) or abs(nanoseconds) >= _LIMIT:
        raise ValueError(f"time: invalid duration {quote(text)}")
    return int(nanoseconds) / 1e9


def parse_go_duration(text: str) -> float:
    """A duration of the command line: Go's syntax, every number with its unit. Raises ValueError."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    nanoseconds = Decimal(0)
    invalid = ValueError(f"time: invalid duration {quote(text)}")
    if not rest:
        raise invalid
    while rest:
        number = _NUMBER.match(rest)
        if number is None:
            raise invalid
        unit = _UNIT.match(rest, number.end())
        assert unit is not None
        if not unit[0]:
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        if unit[0] not in _UNITS:
            raise ValueError(f"time: unknown unit {quote(unit[0])} in duration {quote(text)}")
        nanoseconds += Decimal(number[0]) * _UNITS[unit[0]]
        rest = rest[unit.end() :]
    if nanoseconds >= _LIMIT:
        raise invalid
    seconds = int(nanoseconds) / 1e9
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """As Go prints it: `1m30s`, `500ms`, `0s`."""
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
    """To tenths of a second, cut, with as many digits as `longest` needs: `00m02.3s` of `10m0s`."""
    tenths = math.floor(round(max(seconds, 0) * 10, 6))
    minutes, rest = divmod(tenths, 600)
    text = f"{rest // 10}.{rest % 10}s"
    if longest < 10 and not minutes:
        return text
    if longest < 60 and not minutes:
        return f"{text:0>5}"
    if longest < 3600 and minutes < 60:
        return f"{minutes:0{len(str(int(longest // 60)))}d}m{text:0>5}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:0{len(str(int(longest // 3600)))}d}h{minutes:02d}m{text:0>5}"


def _decimal(amount: int, unit: int) -> str:
    whole, part = divmod(amount, unit)
    if not part:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{part:0{digits}d}".rstrip("0")
