"""What all executors share: the fields of a scenario, and how they are read and written.

An executor is a subclass of `ExecutorConfig` with its own fields, their check in k6's words, and the
plan that follows from them (see `plan`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from jsrunner.errors import ConfigError
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration
from jsrunner.options.mismatch import Mismatch, mismatch
from jsrunner.options.numbers import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.options.segment import Striping

_NAME = re.compile(r"[0-9a-zA-Z_-]+\Z")

#: k6's defaults and bound, in seconds.
GRACEFUL_STOP: Final = 30.0
MAX_DURATION: Final = 600.0
MIN_DURATION: Final = 1.0

_Config = TypeVar("_Config", bound="ExecutorConfig")


class WrongType(ConfigError):
    """A scenario or a field of it is of another JSON type than k6 wants."""


class ScenarioOptions(kinds.Object):
    """`options` of a scenario: k6's browser settings, which mean nothing here."""

    def __init__(self) -> None:
        super().__init__("lib.ScenarioOptions")

    def from_json(self, value: object) -> dict[str, Any]:
        """Read the browser settings. Raises ValueError with k6's text."""
        settings = super().from_json(value)
        options = {key.lower(): setting for key, setting in settings.items()}
        for key in settings:
            if key.lower() != "browser":
                raise ValueError(f"json: unknown field {quote(key)}")
        browser = options.get("browser")
        if browser is not None and not isinstance(browser, dict):
            raise mismatch(browser, "map[string]interface {}")
        return {"browser": browser}


def scenario_field(
    name: str, kind: kinds.Kind, default: Any = None, *, factory: Callable[[], Any] | None = None
) -> Any:
    """Declare a field of a scenario.

    Args:
        name: Its name in the script.
        kind: How its value is read and written.
        default: Its value if the script has none.
        factory: Makes that value instead.
    """
    metadata = {"name": name, "kind": kind}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class ExecutorConfig:
    """A scenario as the options have it: the fields that every executor has. Durations are seconds."""

    #: The executor's name in scripts.
    type: ClassVar[str]

    name: str
    start_time: float = scenario_field("startTime", kinds.Duration(), 0.0)
    graceful_stop: float = scenario_field("gracefulStop", kinds.Duration(), GRACEFUL_STOP)
    env: Mapping[str, str] = scenario_field("env", kinds.TextMap(), factory=dict)
    exec: str = scenario_field("exec", kinds.Text(), "default")
    tags: Mapping[str, str] = scenario_field("tags", kinds.TextMap(), factory=dict)
    options: Mapping[str, Any] | None = scenario_field("options", ScenarioOptions())
    #: Names, as in the script, of the fields that the script has set.
    explicit: frozenset[str] = frozenset()

    def validate(self) -> list[str]:
        """Return what is wrong with the values, in k6's words."""
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
        """Return what is wrong with the executor's own fields, in k6's words."""
        raise NotImplementedError

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the plan of the part of the test that `striping` selects.

        The config has to be valid.
        """
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Return all fields by the script's names; those that the script has not set are null."""
        shown: dict[str, Any] = {"executor": self.type}
        for name, (attribute, kind) in fields_of(type(self)).items():
            if name in self.explicit:
                shown[name] = kind.to_json(getattr(self, attribute))
            elif name != "options":
                shown[name] = None
        return shown


def fields_of(executor: type[ExecutorConfig]) -> dict[str, tuple[str, kinds.Kind]]:
    """Return an executor's fields by the script's names, in the order of k6's JSON.

    Each has the name of its attribute and the kind of its values.
    """
    return {
        attribute.metadata["name"]: (attribute.name, attribute.metadata["kind"])
        for attribute in fields(executor)
        if "name" in attribute.metadata
    }


def read_fields(
    executor: type[ExecutorConfig], scenario: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Read a scenario's fields.

    Args:
        executor: The executor that it names.
        scenario: Its name, for messages.
        data: Its JSON.

    Returns:
        The values by the script's names; null and an empty number are left out.

    Raises:
        ConfigError: A field is unknown or wrong; the hint names it.
    """
    known = fields_of(executor)
    names = {name.lower(): name for name in known}  # Go's JSON looks past the case of field names
    common = fields_of(ExecutorConfig)
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
            hint = f"the field {key} of scenario {scenario} is {json.dumps(value)}"
            if isinstance(error, Mismatch):
                base = "BaseConfig." if name in common else ""
                text = str(error.within(f"Options.scenarios.{base}{name}"))
                raise WrongType(text, hint=hint) from None
            raise ConfigError(str(error), hint=hint) from None
        if read is not None:
            values[name] = read
    return values


def build(executor: type[_Config], name: str, values: Mapping[str, Any]) -> _Config:
    """Make a config of values that have been read, by the script's names."""
    known = fields_of(executor)
    attributes = {known[key][0]: value for key, value in values.items()}
    return executor(name=name, explicit=frozenset(values), **attributes)


def check_duration(field_name: str, duration: float | None) -> list[str]:
    """Return what is wrong with a duration, in k6's words.

    Args:
        field_name: The field that has it, as in the script.
        duration: Seconds; None if it is missing.
    """
    if duration is None:
        return [f"the {field_name} is unspecified"]
    if duration < MIN_DURATION:
        return [f"the {field_name} must be at least 1s, but is {format_duration(duration)}"]
    return []
