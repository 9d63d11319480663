"""Executors by their names in scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ConfigError
from jsrunner.executors.base import build, read_fields
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_arrival_rate import RampingArrivalRate
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.executors.shared_iterations import SharedIterations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.base import ExecutorConfig

EXECUTORS: Final[dict[str, type[ExecutorConfig]]] = {
    one.type: one
    for one in (
        SharedIterations,
        PerVUIterations,
        ConstantVUs,
        RampingVUs,
        ConstantArrivalRate,
        RampingArrivalRate,
    )
}


def scenario_from_json(name: str, data: object) -> ExecutorConfig:
    """A scenario of the script's options. Raises ConfigError."""
    if not isinstance(data, dict):
        raise ConfigError(
            "json: cannot unmarshal value into Go value of type map[string]json.RawMessage"
        )
    kind = data.get("executor")
    if not kind:
        raise ConfigError(f"scenario '{name}' doesn't have a specified executor type")
    executor = EXECUTORS.get(kind)
    if executor is None:
        raise ConfigError(f"unknown executor type '{kind}'")
    return build(executor, name, read_fields(executor, data))


def shortcut(kind: str, values: Mapping[str, Any]) -> ExecutorConfig:
    """The scenario `default` that stands for options such as vus and duration."""
    return build(EXECUTORS[kind], "default", values)
