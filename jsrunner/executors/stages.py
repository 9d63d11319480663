"""What the executors that follow stages share. Durations are seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jsrunner.options.kinds import Stage


def check_stages(stages: Sequence[Stage]) -> list[str]:
    """Return what is wrong with stages, in k6's words."""
    if not stages:
        return ["at least one stage has to be specified"]
    wrong = []
    for number, stage in enumerate(stages, 1):
        if stage.duration is None:
            wrong.append(f"stage {number} doesn't have a duration")
        elif stage.duration < 0:
            wrong.append(f"the duration for stage {number} can't be negative")
        if stage.target is None:
            wrong.append(f"stage {number} doesn't have a target")
        elif stage.target < 0:
            wrong.append(f"the target for stage {number} can't be negative")
    return wrong


def total_duration(stages: Sequence[Stage]) -> float:
    """Return how long the stages last together."""
    return sum(stage.duration or 0.0 for stage in stages)


def highest_target(start: int, stages: Sequence[Stage]) -> int:
    """Return the highest number that is reached, the one before the stages included."""
    return max([start, *(stage.target or 0 for stage in stages)])


def ramps(start: int, stages: Sequence[Stage]) -> Iterator[tuple[float, float, int, int]]:
    """Yield (begin, duration, number before, number after) of each stage.

    Args:
        start: The number before the first stage.
        stages: Valid stages.
    """
    begin, before = 0.0, start
    for stage in stages:
        duration, after = stage.duration or 0.0, stage.target or 0
        yield begin, duration, before, after
        begin += duration
        before = after
