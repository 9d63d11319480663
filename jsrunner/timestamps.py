"""Formatting of times as Go's RFC3339Nano does it: local time, without trailing zeros."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache


def rfc3339(time_s: float) -> str:
    """Format a time with microseconds.

    Args:
        time_s: Seconds since the epoch. A float of them has no more digits than microseconds.
    """
    return rfc3339_ns(round(time_s * 1e6) * 1000)


def rfc3339_ns(nanoseconds: int) -> str:
    """Format a time with nanoseconds.

    Args:
        nanoseconds: Nanoseconds since the epoch.
    """
    second, fraction = divmod(nanoseconds, 1_000_000_000)
    return _second_text(second).replace("%", f".{fraction:09d}".rstrip("0") if fraction else "", 1)


@lru_cache(maxsize=1)  # times come in order: mostly the second is that of the last call
def _second_text(second: int) -> str:
    """Format a second, with a % in place of its fraction."""
    local = datetime.fromtimestamp(second, tz=timezone.utc).astimezone()
    zone = local.strftime("%z")
    offset = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return local.strftime("%Y-%m-%dT%H:%M:%S") + "%" + offset
