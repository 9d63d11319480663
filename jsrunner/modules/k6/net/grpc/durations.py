"""Timeouts of connections and calls."""

from __future__ import annotations

from typing import Final

from jsrunner.options.duration import parse_duration

_MOST_CACHED: Final = 1000

_durations: dict[str | float, float] = {}


def duration(value: str | float) -> float:
    """Return seconds of a text or of milliseconds. Raises ValueError."""
    seconds = _durations.get(value)
    if seconds is None:
        if len(_durations) >= _MOST_CACHED:
            _durations.clear()
        seconds = _durations[value] = parse_duration(value)
    return seconds
