"""What all executors share: the fields of a scenario, and the pure plan that workers play.

An executor is a config and a plan. The plan says, in seconds since the scenario's start, when VUs
iterate; it knows no clock. All executors are the same kind of plan: VUs with intervals, and a supply
of iterations.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from jsrunner.errors import ConfigError
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration, format_fixed
from jsrunner.options.numbers import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsrunner.executors.arrivals import Arrivals
    from jsrunner.options.segment import Striping

_NAME = re.compile(r"[0-9a-zA-Z_-]+\Z")

#: k6's defaults.
GRACEFUL_STOP: Final = 30.0
MAX_DURATION: Final = 600.0
MIN_DURATION: Final = 1.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A VU begins iterations from `start` on and none after `stop`; what still runs at `hard_stop`
    is interrupted. If the VU's next interval begins before that, the iteration may run on into it, and
    `hard_stop` is the later one's."""

    start: float
    stop: float
    hard_stop: float


@dataclass(frozen=True, slots=True)
class Unlimited:
    """Iterations until the time is up."""


@dataclass(frozen=True, slots=True)
class PerVU:
    """So many iterations for each VU."""

    count: int


@dataclass(frozen=True, slots=True)
class Shared:
    """So many iterations for all VUs together."""

    count: int


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """VUs 0 to vus - 1, each with its intervals in time order."""

    vus: int
    iterations: Unlimited | PerVU | Shared | Arrivals
    #: Without graceful periods.
    duration: float
    #: One list for all VUs, or one per VU.
    schedule: tuple[tuple[Interval, ...], ...]
    #: Which numbers of the whole test the own iterations 0, 1, 2, ... have.
    numbering: Striping

    def intervals(self, index: int) -> tuple[Interval, ...]:
        return self.schedule[index if len(self.schedule) > 1 else 0] if self.schedule else ()

    def busy(self, index: int) -> Iterator[tuple[float, float]]:
        """From when to when a VU may be at work, graceful periods included."""
        start = end = None
        for interval in self.intervals(index):
            if end is None or interval.start > end:
                if start is not None and end is not None:
                    yield start, end
                start = interval.start
            end = interval.hard_stop
        if start is not None and end is not None:
            yield start, end


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a scenario has come."""

    #: Seconds since its start.
    elapsed: float
    #: VUs that run an iteration for it.
    active: int
    #: VUs that were made for it, if it may have more made while it runs.
    initialized: int
    #: Iterations that have ended by themselves.
    completed: int


@dataclass(frozen=True, kw_only=True)
class ExecutorConfig:
    """A scenario: fields that every executor has. Durations are seconds."""

    type: ClassVar[str]
    #: The executor's own fields: name in the script -> (attribute, kind).
    own: ClassVar[dict[str, tuple[str, kinds.Kind]]] = {}

    name: str
    start_time: float = 0.0
    graceful_stop: float = GRACEFUL_STOP
    exec: str = "default"
    env: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    #: What the script gave, by the script's names.
    given: Mapping[str, Any] = field(default_factory=dict)

    def validate(self) -> list[str]:
        """What is wrong with the values, in k6's words."""
        wrong = []
        if not self.name:
            wrong.append("scenario name can't be empty")
        if not _NAME.match(self.name):
            wrong.append(
                "the scenario name should contain only numbers, latin letters, underscores, and dashes"
            )
        if not self.exec:
            wrong.append("exec value cannot be empty")
        if self.start_time < 0:
            wrong.append("the startTime can't be negative")
        if self.graceful_stop < 0:
            wrong.append("the gracefulStop timeout can't be negative")
        return wrong + self.validate_own()

    def validate_own(self) -> list[str]:
        raise NotImplementedError

    def plan(self, striping: Striping) -> LoopPlan:
        """The plan of the part of the test that `striping` selects."""
        raise NotImplementedError

    def max_duration(self) -> float:
        """From the scenario's start to its latest end, graceful periods included."""
        raise NotImplementedError

    def has_work(self, striping: Striping) -> bool:
        """Whether there is anything to do in the part of the test that `striping` selects."""
        return self.plan(striping).vus > 0

    def progress(self, striping: Striping, reached: Reached) -> float:
        """The part that is done, from 0 to 1: of the time, unless the executor counts iterations."""
        return share(reached.elapsed, self.max_duration() - self.graceful_stop)

    def progress_columns(self, striping: Striping, reached: Reached) -> tuple[str, ...]:
        """What stands right of the progress bar, e.g. `("2 VUs", "0.5s/1s")`."""
        raise NotImplementedError

    def summary(self, striping: Striping) -> str:
        """What it does, in a few words."""
        raise NotImplementedError

    def describe(self, striping: Striping) -> str:
        """The line of the description block, e.g. `5 looping VUs for 1s (gracefulStop: 30s)`."""
        notes = self.notes(striping)
        if "exec" in self.given:
            notes.append(f"exec: {self.exec}")
        if self.start_time > 0:
            notes.append(f"startTime: {format_duration(self.start_time)}")
        if self.graceful_stop > 0:
            notes.append(f"gracefulStop: {format_duration(self.graceful_stop)}")
        return self.summary(striping) + (f" ({', '.join(notes)})" if notes else "")

    def notes(self, striping: Striping) -> list[str]:
        """What stands first in the parentheses of the description."""
        return []

    def to_json(self) -> dict[str, Any]:
        """All fields; what was not given is null."""
        found: dict[str, Any] = {"executor": self.type}
        for name, (_, kind) in {**COMMON, **self.own}.items():
            value = self.given.get(name)
            if value is not None or name != "options":
                found[name] = None if value is None else kind.to_json(value)
        return found


class ScenarioOptions(kinds.Object):
    """`options` of a scenario: k6's browser settings, which mean nothing here."""

    def __init__(self) -> None:
        super().__init__("lib.ScenarioOptions")

    def from_json(self, value: Any) -> dict[str, Any]:
        options = {key.lower(): one for key, one in super().from_json(value).items()}
        for key in value:
            if key.lower() != "browser":
                raise ValueError(f"json: unknown field {quote(key)}")
        browser = options.get("browser")
        if browser is not None and not isinstance(browser, dict):
            raise kinds.mismatch(browser, "map[string]interface {}")
        return {"browser": browser}


COMMON: Final[dict[str, tuple[str, kinds.Kind]]] = {
    "startTime": ("start_time", kinds.Duration()),
    "gracefulStop": ("graceful_stop", kinds.Duration()),
    "env": ("env", kinds.TextMap()),
    "exec": ("exec", kinds.Text()),
    "tags": ("tags", kinds.TextMap()),
    "options": ("options", ScenarioOptions()),
}


class WrongType(ConfigError):
    """A scenario or a field of it is of another JSON type than k6 wants."""


def read_fields(cls: type[ExecutorConfig], scenario: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The values in `data` by the script's names. Raises ConfigError, with the field as hint."""
    known = {**COMMON, **cls.own}
    names = {name.lower(): name for name in known}  # Go's JSON looks past the case of field names
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key.lower() == "executor":
            continue
        name = names.get(key.lower())
        if name is None:
            raise ConfigError(f"json: unknown field {quote(key)}")
        try:
            read = None if value is None else known[name][1].from_json(value)
        except ValueError as error:
            if isinstance(error, kinds.Mismatch):
                base = "BaseConfig." if name in COMMON else ""
                error = error.within(f"Options.scenarios.{base}{name}")
            hint = f"the field {key} of scenario {scenario} is {json.dumps(value)}"
            error_type = WrongType if isinstance(error, kinds.Mismatch) else ConfigError
            raise error_type(str(error), hint=hint) from None
        if read is not None:
            values[name] = read
    return values


def build(cls: type[ExecutorConfig], name: str, values: Mapping[str, Any]) -> ExecutorConfig:
    """A config of already read values."""
    known = {**COMMON, **cls.own}
    attributes = {known[key][0]: value for key, value in values.items() if key != "options"}
    return cls(name=name, given=dict(values), **attributes)


def share(done: float, whole: float) -> float:
    """A part of a whole, from 0 to 1; of nothing all is done."""
    return min(max(done / whole, 0.0), 1.0) if whole > 0 else 1.0


def padded(number: int, largest: int) -> str:
    """With as many digits as `largest` has."""
    return f"{number:0{len(str(largest))}d}"


def time_column(elapsed: float, duration: float) -> str:
    """`0.5s/1s`, and only the whole when it is over."""
    whole = format_duration(duration)
    return whole if elapsed >= duration else f"{format_fixed(elapsed, duration)}/{whole}"


def check_duration(what: str, duration: float | None) -> list[str]:
    if duration is None:
        return [f"the {what} is unspecified"]
    if duration < MIN_DURATION:
        return [f"the {what} must be at least 1s, but is {format_duration(duration)}"]
    return []


def one_interval(vus: int, stop: float, graceful: float) -> tuple[tuple[Interval, ...], ...]:
    """The schedule of VUs that all work from the start."""
    return ((Interval(0.0, stop, stop + graceful),),) if vus else ()
