"""Formatting of numbers with their units for the end-of-test summary.

k6 formats them with JavaScript's functions. These functions cut off and round as JavaScript does.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_DATA: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_FIXED: Final = {"s": (0.001, "s"), "ms": (1.0, "ms"), "us": (1000.0, "µs")}
#: The number from which on JavaScript writes integers with an exponent.
_HUGE: Final = 1e21


def number(value: float) -> str:
    """Format a number as JavaScript's `String(value)`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == math.trunc(value) and abs(value) < 2**53:
        return str(int(value))
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text.removesuffix(".0")
    if 1e-7 < abs(value) < _HUGE:
        return f"{Decimal(text):f}"
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def fixed(value: float, digits: int) -> str:
    """Format a number as JavaScript's `value.toFixed(digits)`: a half is rounded away from zero."""
    if not math.isfinite(value) or abs(value) >= _HUGE:
        return number(value)
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"


def plain(value: float) -> str:
    """Format a number without unit: up to 6 decimals, without trailing zeros."""
    return number(float(fixed(value, 6)))


def _cut(value: float, digits: int) -> str:
    """Format a number, cut off after some decimals, without trailing zeros."""
    scale = 10**digits
    return number(float(fixed(math.trunc(scale * value) / scale, digits)))


def time(milliseconds: float, unit: str = "") -> str:
    """Format a time.

    Args:
        milliseconds: The time.
        unit: s, ms or us; "" for a unit that fits the time.
    """
    if not math.isfinite(milliseconds):
        return number(milliseconds)
    if unit in _FIXED:
        factor, name = _FIXED[unit]
        return fixed(milliseconds * factor, 2) + name
    if milliseconds == 0:
        return "0s"
    if milliseconds < 0.001:  # or negative
        nanoseconds = milliseconds * 1_000_000
        return f"{number(math.trunc(nanoseconds) if math.isfinite(nanoseconds) else nanoseconds)}ns"
    if milliseconds < 1:
        return _cut(milliseconds * 1000, 2) + "µs"
    if milliseconds < 1000:
        return _cut(milliseconds, 2) + "ms"
    seconds = _cut(milliseconds % 60_000 / 1000, 0 if milliseconds > 60_000 else 2) + "s"
    minutes = math.trunc(milliseconds / 60_000)
    if minutes < 1:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def data(size: float) -> str:
    """Format a number of bytes, with units that are powers of 1000."""
    if size < 10 or not math.isfinite(size):
        return f"{number(size)} B"
    power = min(math.floor(math.log(size) / math.log(1000)), len(_DATA) - 1)
    value = math.floor(size / 1000**power * 10 + 0.5) / 10
    return f"{fixed(value, 1 if value < 10 else 0)} {_DATA[power]}"


def percent(rate: float) -> str:
    """Format a rate, from 0 to 1, as a percentage that is cut off after two decimals: 85.71%."""
    return fixed(math.trunc(rate * 100 * 100) / 100, 2) + "%"


def value_of(value: float, contains: str, unit: str) -> str:
    """Format a value of a metric.

    Args:
        value: The value.
        contains: The metric's `contains`: default, time or data.
        unit: The unit of times: s, ms or us; "" for a unit that fits.
    """
    if contains == "time":
        return time(value, unit)
    return data(value) if contains == "data" else plain(value)
