"""Texts about a scenario: the line that describes it, and the columns beside its progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from jsrunner.executors.arrival_rate import ArrivalRate
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.iterations import Iterations
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.options.duration import format_duration, format_fixed

if TYPE_CHECKING:
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan


class Reached(Struct, frozen=True):
    """The progress of a scenario."""

    #: Seconds since its start.
    elapsed: float
    #: VUs that run an iteration for it.
    active: int
    #: VUs that were made for it, if it may have more made while it runs.
    initialized: int
    #: Iterations that have ended by themselves.
    completed: int


def describe(config: ExecutorConfig, plan: ScenarioPlan) -> str:
    """Return a scenario's description, e.g. `5 looping VUs for 1s (gracefulStop: 30s)`."""
    notes = _notes(config, plan)
    if "exec" in config.explicit:
        notes.append(f"exec: {config.exec}")
    if config.start_time > 0:
        notes.append(f"startTime: {format_duration(config.start_time)}")
    if config.graceful_stop > 0:
        notes.append(f"gracefulStop: {format_duration(config.graceful_stop)}")
    return _summary(config, plan) + (f" ({', '.join(notes)})" if notes else "")


def _summary(config: ExecutorConfig, plan: ScenarioPlan) -> str:
    """Return the load of a scenario in a few words."""
    duration = format_duration(plan.duration)
    match config:
        case ConstantVUs():
            return f"{plan.vus} looping VUs for {duration}"
        case RampingVUs():
            return f"Up to {plan.vus} looping VUs for {duration} over {len(config.stages)} stages"
        case PerVUIterations():
            return f"{config.iterations} iterations for each of {plan.vus} VUs"
        case Iterations():
            return f"{plan.total} iterations shared among {plan.vus} VUs"
        case ConstantArrivalRate():
            return f"{_highest_rate(config, plan):.2f} iterations/s for {duration}"
        case RampingArrivalRate():
            return (
                f"Up to {_highest_rate(config, plan):.2f} iterations/s for {duration} over "
                f"{len(config.stages)} stages"
            )
    raise TypeError(config.type)


def _highest_rate(config: ArrivalRate, plan: ScenarioPlan) -> float:
    """Return this instance's highest number of iterations per second."""
    ramps = config.profile().ramps
    return max(max(ramp.first, ramp.last) for ramp in ramps) * float(plan.striping.segment.length)


def _notes(config: ExecutorConfig, plan: ScenarioPlan) -> list[str]:
    """Return the first notes in the parentheses of the description."""
    match config:
        case Iterations():
            return [f"maxDuration: {format_duration(config.max_duration)}"]
        case RampingVUs():
            return [f"gracefulRampDown: {format_duration(config.graceful_ramp_down)}"]
        case ArrivalRate():
            first, most = plan.vus, plan.max_vus
            return [f"maxVUs: {first}" if first == most else f"maxVUs: {first}-{most}"]
    return []


def progress_columns(config: ExecutorConfig, plan: ScenarioPlan, reached: Reached) -> tuple[str, ...]:
    """Return the columns right of a scenario's progress bar, e.g. `("2 VUs", "0.5s/1s")`."""
    duration, elapsed = plan.duration, reached.elapsed
    total_time = format_duration(duration)
    time = total_time if elapsed >= duration else f"{format_fixed(elapsed, duration)}/{total_time}"
    match config:
        case Iterations():
            total = plan.total or 0
            counted = (
                f"iters, {config.iterations} per VU"
                if isinstance(config, PerVUIterations)
                else "shared iters"
            )
            return (f"{plan.vus} VUs", time, f"{padded(reached.completed, total)}/{total} {counted}")
        case RampingVUs():
            if elapsed < duration:
                time = f"{format_fixed(elapsed, duration)}/{format_fixed(duration, duration)}"
            return (f"{padded(reached.active, plan.vus)}/{plan.vus} VUs", time)
        case ArrivalRate():
            most = plan.max_vus
            rate = config.profile().rate_at(elapsed) * float(plan.striping.segment.length)
            return (
                f"{padded(reached.active, most)}/{padded(reached.initialized, most)} VUs",
                time,
                f"{rate:.2f} iters/s",
            )
    return (f"{plan.vus} VUs", time)


def padded(number: int, largest: int) -> str:
    """Return a number with as many digits as `largest` has."""
    return f"{number:0{len(str(largest))}d}"
