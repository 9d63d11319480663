"""Numbers as the end-of-test summary writes them. k6 makes them with JavaScript's own functions, so
these here follow JavaScript: what it cuts off, and what it rounds."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_DATA: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_FIXED: Final = {"s": (0.001, "s"), "ms": (1.0, "ms"), "us": (1000.0, "µs")}
#: From here on JavaScript writes whole numbers with an exponent.
_HUGE: Final = 1e21


def number(value: float) -> str:
    """As JavaScript's String(value)."""
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
    """As JavaScript's value.toFixed(digits): a half goes up, away from zero."""
    if not math.isfinite(value) or abs(value) >= _HUGE:
        return number(value)
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"


def plain(value: float) -> str:
    """A number without unit: up to 6 decimals, without idle zeros."""
    return number(float(fixed(value, 6)))


def _cut(value: float, digits: int) -> str:
    """At most so many decimals, cut off, without idle zeros."""
    scale = 10**digits
    return number(float(fixed(math.trunc(scale * value) / scale, digits)))


def time(milliseconds: float, unit: str = "") -> str:
    """A time given in milliseconds; `unit` s, ms or us, or "" for what fits."""
    if not math.isfinite(milliseconds):
        return number(milliseconds)
    if unit in _FIXED:
        factor, name = _FIXED[unit]
        return fixed(milliseconds * factor, 2) + name
    if milliseconds == 0:
        return "0s"
    if milliseconds < 0.001:  # and whatever is negative
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
    """Bytes, in powers of 1000."""
    if size < 10 or not math.isfinite(size):
        return f"{number(size)} B"
    power = min(math.floor(math.log(size) / math.log(1000)), len(_DATA) - 1)
    value = math.floor(size / 1000**power * 10 + 0.5) / 10
    return f"{fixed(value, 1 if value < 10 else 0)} {_DATA[power]}"


def percent(rate: float) -> str:
    """85.71% (cut, always two decimals)."""
    return fixed(math.trunc(rate * 100 * 100) / 100, 2) + "%"


def value_of(value: float, contains: str, unit: str) -> str:
    """A value by what its metric contains."""
    if contains == "time":
        return time(value, unit)
    return data(value) if contains == "data" else plain(value)
