"""Durations as k6 reads and writes them. Inside the program a duration is a float of seconds."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

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
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_DAYS = re.compile(r"(\d+(?:\.\d*)?)d")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)\Z")


def parse_duration(value: object) -> float:
    """A duration of the script's options or the environment: a number, or a text without a unit, is
    milliseconds; else Go's units, which days may lead (`1d12h`). Raises ValueError.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"unexpected type for a duration: {value!r}")
    if isinstance(value, (int, float)):
        return value / 1000
    if _PLAIN.match(value):
        return float(value) / 1000
    sign, text = (-1, value[1:]) if value.startswith("-") else (1, value)
    days = _DAYS.match(text)
    if days is None:
        return parse_go_duration(value)
    rest = text[days.end() :]
    seconds = float(days[1]) * 86400 + (parse_go_duration(rest) if rest else 0.0)
    return sign * seconds


def parse_go_duration(text: str) -> float:
    """A duration of the command line: Go's syntax, every number with its unit. Raises ValueError."""
    body = text.lstrip("+-") if text[:1] in "+-" else text
    if body == "0":
        return 0.0
    nanoseconds, position = Decimal(0), 0
    for part in _PART.finditer(body):
        if part.start() != position:
            break
        nanoseconds += Decimal(part[1]) * _UNITS[part[2]]
        position = part.end()
    if not body or position != len(body):
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if _PLAIN.match(body):
            raise ValueError(f"time: missing unit in duration {quoted}")
        unknown = re.match(
            r"(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*"
            r"(?:\d+\.?\d*|\.\d+)([^\d.]+)",
            body,
        )
        if unknown:
            raise ValueError(f'time: unknown unit "{unknown[1]}" in duration {quoted}')
        raise ValueError(f"time: invalid duration {quoted}")
    seconds = int(nanoseconds) / 1e9
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """As Go prints it: `1m30s`, `500ms`, `0s`."""
    nanoseconds = round(seconds * 1e9)
    if not nanoseconds:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < 1_000_000_000:
        for unit in ("ms", "µs", "ns"):
            size = _UNITS[unit]
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, rest = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _UNITS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    return sign + text


def _decimal(amount: int, unit: int) -> str:
    whole, part = divmod(amount, unit)
    if not part:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{part:0{digits}d}".rstrip("0")
