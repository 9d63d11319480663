"""Executors by their names in scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ConfigError
from jsrunner.executors.config import WrongType, build, read_fields
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.kinds import mismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.config import ExecutorConfig

#: Go's type of a scenario of which only the executor's name has been read.
_PROTOTYPE: Final = 'struct { ExecutorType string "json:\\"executor\\"" }'

EXECUTORS: Final[dict[str, type[ExecutorConfig]]] = {
    executor.type: executor
    for executor in (
        SharedIterations,
        PerVUIterations,
        ConstantVUs,
        RampingVUs,
        ConstantArrivalRate,
        RampingArrivalRate,
    )
}


def scenarios_from_json(data: Mapping[str, object]) -> dict[str, ExecutorConfig]:
    """Read the option `scenarios`.

    Args:
        data: The option's JSON: scenarios by name.

    Raises:
        ConfigError: A scenario is wrong; k6's text.
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
    executor = EXECUTORS.get(kind)
    if executor is None:
        raise ConfigError(f"unknown executor type '{kind}'")
    return build(executor, name, read_fields(executor, name, data))


def shortcut(kind: str, values: Mapping[str, Any]) -> ExecutorConfig:
    """Make the scenario `default`, which stands for options such as vus and duration.

    Args:
        kind: The executor's name.
        values: Its fields by the script's names.
    """
    return build(EXECUTORS[kind], "default", values)
