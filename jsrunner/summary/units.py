"""Numbers as the end-of-test summary writes them."""

from __future__ import annotations

import math
from typing import Final

_DATA: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_FIXED: Final = {"s": (1 / 1000, "s"), "ms": (1.0, "ms"), "us": (1000.0, "µs")}


def _trim(value: float, digits: int) -> str:
    """At most so many digits, cut off, without idle zeros."""
    scale = 10**digits
    cut = math.trunc(round(value * scale, 6)) / scale
    text = f"{cut:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def time(milliseconds: float, unit: str = "") -> str:
    """A time given in milliseconds; `unit` s, ms or us, or "" for what fits."""
    if unit in _FIXED:
        factor, name = _FIXED[unit]
        return f"{milliseconds * factor:.2f}{name}"
    if milliseconds == 0:
        return "0s"
    size = abs(milliseconds)
    if size < 0.001:
        return f"{math.trunc(milliseconds * 1e6)}ns"
    if size < 1:
        return _trim(milliseconds * 1000, 2) + "µs"
    if size < 1000:
        return _trim(milliseconds, 2) + "ms"
    seconds = milliseconds / 1000
    if size < 60_000:
        return _trim(seconds, 2) + "s"
    sign, whole = ("-", -seconds) if seconds < 0 else ("", seconds)
    minutes, rest = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}h{minutes}m{rest}s" if hours else f"{sign}{minutes}m{rest}s"


def data(size: float) -> str:
    """Bytes, in powers of 1000."""
    if size < 10:
        return f"{_trim(size, 6)} B"
    power = min(int(math.log10(size) // 3 + 1e-9), len(_DATA) - 1)
    value = math.floor(size / 1000**power * 10 + 0.5) / 10
    text = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{text} {_DATA[power]}"


def plain(value: float) -> str:
    """Any other number: up to 6 decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if math.isfinite(value) else _infinite(value)


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def percent(rate: float) -> str:
    """85.71% (cut, always two digits)."""
    return f"{math.trunc(round(rate * 10000, 6)) / 100:.2f}%"


def value_of(value: float, contains: str, unit: str) -> str:
    """A value by what its metric contains."""
    if contains == "time":
        return time(value, unit)
    return data(value) if contains == "data" else plain(value)
