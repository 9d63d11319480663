"""Stages of ramping-vus and ramping-arrival-rate: their check and their values over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jsrunner.options.kinds import Stage


def check_stages(stages: Sequence[Stage]) -> list[str]:
    """Return the errors of stages, with k6's texts."""
    if not stages:
        return ["at least one stage has to be specified"]
    errors = []
    for number, stage in enumerate(stages, 1):
        if stage.duration is None:
            errors.append(f"stage {number} doesn't have a duration")
        elif stage.duration < 0:
            errors.append(f"the duration for stage {number} can't be negative")
        if stage.target is None:
            errors.append(f"stage {number} doesn't have a target")
        elif stage.target < 0:
            errors.append(f"the target for stage {number} can't be negative")
    return errors


def total_duration(stages: Sequence[Stage]) -> float:
    """Return the sum of the stages' durations in seconds."""
    return sum(stage.duration or 0.0 for stage in stages)


def highest_target(start: int, stages: Sequence[Stage]) -> int:
    """Return the highest value of a ramp, its start value included."""
    return max([start, *(stage.target or 0 for stage in stages)])


def ramps(start: int, stages: Sequence[Stage]) -> Iterator[tuple[float, float, int, int]]:
    """Yield the begin, the duration, the first and the last value of each stage.

    Args:
        start: The value before the first stage.
        stages: Valid stages.

    Yields:
        (begin in seconds since the first stage's, duration in seconds, first value, last value).
    """
    begin, before = 0.0, start
    for stage in stages:
        duration, after = stage.duration or 0.0, stage.target or 0
        yield begin, duration, before, after
        begin += duration
        before = after
