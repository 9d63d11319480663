"""Executors by their names in scripts. An executor is imported with the first scenario that has it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from jsrunner.errors import ConfigError
from jsrunner.executors.config import WrongType, build, read_fields
from jsrunner.options.mismatch import mismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.config import ExecutorConfig

#: The Go type into which k6 decodes a scenario to find its executor, for error texts.
_PROTOTYPE: Final = 'struct { ExecutorType string "json:\\"executor\\"" }'

#: The class by the executor's name in scripts. The class's module has that name with underscores.
_CLASSES: Final = {
    "shared-iterations": "SharedIterations",
    "per-vu-iterations": "PerVUIterations",
    "constant-vus": "ConstantVUs",
    "ramping-vus": "RampingVUs",
    "constant-arrival-rate": "ConstantArrivalRate",
    "ramping-arrival-rate": "RampingArrivalRate",
}
NAMES: Final = tuple(_CLASSES)


def executor_of(name: str) -> type[ExecutorConfig]:
    """Return an executor.

    Args:
        name: The executor's name in scripts.

    Raises:
        KeyError: There is no executor of that name.
    """
    class_name = _CLASSES[name]
    module = importlib.import_module(f"jsrunner.executors.{name.replace('-', '_')}")
    executor: type[ExecutorConfig] = getattr(module, class_name)
    return executor


def scenarios_from_json(data: Mapping[str, object]) -> dict[str, ExecutorConfig]:
    """Read the option `scenarios`.

    Args:
        data: The option's decoded JSON: scenarios by name.

    Raises:
        ConfigError: A scenario is wrong. The text is k6's.
    """
    return {name: _scenario(name, scenario) for name, scenario in data.items()}


def _scenario(name: str, data: object) -> ExecutorConfig:
    if data is not None and not isinstance(data, dict):
        raise WrongType(str(mismatch(data, _PROTOTYPE).within("Options.scenarios")))
    data = data or {}
    kind = next((value for key, value in data.items() if key.lower() == "executor"), None)
    if kind is None or kind == "":
        raise ConfigError(f"scenario '{name}' doesn't have a specified executor type")
    if not isinstance(kind, str):
        raise WrongType(str(mismatch(kind, "string").within("Options.scenarios.executor")))
    if kind not in NAMES:
        raise ConfigError(f"unknown executor type '{kind}'")
    executor = executor_of(kind)
    return build(executor, name, read_fields(executor, name, data))


def shortcut(kind: str, values: Mapping[str, object]) -> ExecutorConfig:
    """Make the scenario `default` that options such as vus and duration stand for.

    Args:
        kind: The executor's name.
        values: The scenario's fields by the script's names.
    """
    return build(executor_of(kind), "default", values)
