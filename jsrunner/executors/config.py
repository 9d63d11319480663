"""The base of all executors: the fields of a scenario, their parser and their JSON.

An executor is a subclass of `ExecutorConfig`. It declares its own fields, checks them with k6's error
texts and makes the plan that follows from them (see `plan`).
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeVar, get_origin

from msgspec import Struct
from msgspec.structs import fields as struct_fields

from jsrunner.errors import ConfigError
from jsrunner.executors.plan import ScenarioPlan
from jsrunner.options import kinds
from jsrunner.options.duration import format_duration
from jsrunner.options.mismatch import Mismatch, mismatch
from jsrunner.options.numbers import quote
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from jsrunner.json_types import JsonObject

_NAME = re.compile(r"[0-9a-zA-Z_-]+\Z")

#: k6's default of gracefulStop and gracefulRampDown in seconds.
GRACEFUL_STOP: Final = 30.0
#: k6's default of maxDuration in seconds.
MAX_DURATION: Final = 600.0
#: The shortest duration in seconds that k6 accepts.
MIN_DURATION: Final = 1.0

_Config = TypeVar("_Config", bound="ExecutorConfig")


class WrongType(ConfigError):
    """The JSON of a scenario or of one of its fields is of a wrong type."""


class ScenarioOptions(kinds.Object):
    """The kind of a scenario's `options`: k6's browser settings, which jsrunner checks and ignores."""

    def __init__(self) -> None:
        super().__init__("lib.ScenarioOptions")

    def from_json(self, value: object) -> dict[str, Any]:
        """Check the browser settings.

        Raises:
            ValueError: A setting is unknown or of a wrong type. The text is k6's.
        """
        settings = super().from_json(value)
        options = {key.lower(): setting for key, setting in settings.items()}
        for key in settings:
            if key.lower() != "browser":
                raise ValueError(f"json: unknown field {quote(key)}")
        browser = options.get("browser")
        if browser is not None and not isinstance(browser, dict):
            raise mismatch(browser, "map[string]interface {}")
        return {"browser": browser}


class ScenarioField(Struct, frozen=True):
    """The description of a field of a scenario; the metadata of its annotation."""

    #: The name in the script.
    name: str
    #: The kind of its values.
    kind: kinds.Kind


class ExecutorConfig(Struct, frozen=True, kw_only=True):
    """A scenario with the fields that every executor has. Durations are seconds.

    The annotations of fields are read, so a module with a subclass has no `from __future__ import
    annotations`.
    """

    #: The executor's name in scripts.
    type: ClassVar[str]

    name: str
    start_time: Annotated[float, ScenarioField("startTime", kinds.Duration())] = 0.0
    graceful_stop: Annotated[float, ScenarioField("gracefulStop", kinds.Duration())] = GRACEFUL_STOP
    env: Annotated[Mapping[str, str], ScenarioField("env", kinds.TextMap())] = {}
    exec: Annotated[str, ScenarioField("exec", kinds.Text())] = "default"
    tags: Annotated[Mapping[str, str], ScenarioField("tags", kinds.TextMap())] = {}
    options: Annotated[Mapping[str, Any] | None, ScenarioField("options", ScenarioOptions())] = None
    #: Names, as in the script, of the fields that the script has set.
    explicit: frozenset[str] = frozenset()

    def validate(self) -> list[str]:
        """Return the errors of all fields, with k6's texts; an empty list if there are none."""
        errors = []
        if not self.name:
            errors.append("scenario name can't be empty")
        if not _NAME.match(self.name):
            errors.append(
                "the scenario name should contain only numbers, latin letters, underscores, and dashes"
            )
        if not self.exec:
            errors.append("exec value cannot be empty")
        if self.start_time < 0:
            errors.append("the startTime can't be negative")
        if self.graceful_stop < 0:
            errors.append("the gracefulStop timeout can't be negative")
        return errors + self.validate_own()

    def validate_own(self) -> list[str]:
        """Return the errors of the executor's own fields, with k6's texts."""
        raise NotImplementedError

    def plan(self, striping: Striping) -> ScenarioPlan:
        """Return the scenario's plan for one instance. The config has to be valid.

        Args:
            striping: Selects the instance's part of the test.
        """
        raise NotImplementedError

    def to_json(self) -> "JsonObject":
        """Return all fields by the script's names. Fields that the script does not set are null."""
        shown: JsonObject = {"executor": self.type}
        for name, (attribute, kind) in fields_of(type(self)).items():
            if name in self.explicit:
                shown[name] = kind.to_json(getattr(self, attribute))
            elif name != "options":
                shown[name] = None
        return shown


def fields_of(executor: type[ExecutorConfig]) -> dict[str, tuple[str, kinds.Kind]]:
    """Return the attribute's name and the kind of each field of an executor.

    Args:
        executor: The executor.

    Returns:
        The pairs by the fields' names in scripts, in the order of k6's JSON.
    """
    known: dict[str, tuple[str, kinds.Kind]] = {}
    for base in reversed(executor.__mro__):
        for attribute, annotation in vars(base).get("__annotations__", {}).items():
            if get_origin(annotation) is Annotated:
                (field,) = annotation.__metadata__
                known[field.name] = attribute, field.kind
    return known


def read_fields(
    executor: type[ExecutorConfig], scenario: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Read the fields of a scenario.

    Args:
        executor: The scenario's executor.
        scenario: The scenario's name, for messages.
        data: The scenario's decoded JSON.

    Returns:
        The values by the script's names, without fields that are null or an empty number.

    Raises:
        ConfigError: A field is unknown or wrong. The text is k6's; the hint names the field.
    """
    known = fields_of(executor)
    names = {name.lower(): name for name in known}  # Go's JSON decoder ignores the case of field names
    common = fields_of(ExecutorConfig)
    defaults = {field.name: field.default for field in struct_fields(executor)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key.lower() == "executor":
            continue
        name = names.get(key.lower())
        if name is None:
            raise ConfigError(f"json: unknown field {quote(key)}")
        attribute, kind = known[name]
        default = defaults.get(attribute)
        if isinstance(value, dict) and isinstance(kind, kinds.Int) and default is not None:
            value = {"Int64": default, **value}  # Go's decoder leaves the default if a field is missing
        try:
            parsed = None if value is None else kind.from_json(value)
        except ValueError as error:
            hint = f"the field {key} of scenario {scenario} is {json.dumps(value)}"
            if isinstance(error, Mismatch):
                base = "BaseConfig." if name in common else ""
                text = str(error.within(f"Options.scenarios.{base}{name}"))
                raise WrongType(text, hint=hint) from None
            raise ConfigError(str(error), hint=hint) from None
        if parsed is not None:
            values[name] = parsed
    return values


def build(executor: type[_Config], name: str, values: Mapping[str, Any]) -> _Config:
    """Make a scenario.

    Args:
        executor: The scenario's executor.
        name: The scenario's name.
        values: The values of its fields by the script's names, as `read_fields` returns them.
    """
    known = fields_of(executor)
    attributes = {known[key][0]: value for key, value in values.items()}
    return executor(name=name, explicit=frozenset(values), **attributes)


def check_duration(field_name: str, duration: float | None) -> list[str]:
    """Return the errors of a duration, with k6's texts.

    Args:
        field_name: The name of its field in the script.
        duration: Seconds; None if the script does not set it.
    """
    if duration is None:
        return [f"the {field_name} is unspecified"]
    if duration < MIN_DURATION:
        return [f"the {field_name} must be at least 1s, but is {format_duration(duration)}"]
    return []
