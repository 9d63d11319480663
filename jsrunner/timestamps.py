"""Times as Go's RFC3339Nano writes them: local time, trailing zeros cut."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any


def rfc3339(time_s: float) -> str:
    """Return the text of a time with microseconds; `time_s` is seconds since the epoch."""
    return rfc3339_ns(round(time_s * 1e6) * 1000)  # a float holds no more than microseconds of it


def rfc3339_ns(nanoseconds: int) -> str:
    """Return the text of a time with nanoseconds since the epoch."""
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    return _second(whole).replace("%", f".{rest:09d}".rstrip("0") if rest else "", 1)


_cache: list[Any] = [None, ""]


def _second(whole: int) -> str:
    """Return a second's text with a % for its fraction; mostly the second is the same as before."""
    if _cache[0] != whole:
        local = datetime.fromtimestamp(whole, tz=timezone.utc).astimezone()
        zone = local.strftime("%z")
        offset = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
        _cache[:] = [whole, local.strftime("%Y-%m-%dT%H:%M:%S") + "%" + offset]
    text: str = _cache[1]
    return text
