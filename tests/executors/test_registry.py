"""Executors by the names that scripts use."""

from __future__ import annotations

import pytest

from jsrunner.errors import ConfigError
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.registry import NAMES, executor_of, scenarios_from_json, shortcut


def test_scenarios() -> None:
    found = scenarios_from_json(
        {
            "a": {"executor": "constant-vus", "vus": 2, "duration": "5s"},
            "b": {"Executor": "per-vu-iterations", "exec": "work"},
        }
    )
    assert found == {
        "a": ConstantVUs(name="a", vus=2, duration=5.0, explicit=frozenset({"vus", "duration"})),
        "b": PerVUIterations(name="b", exec="work", explicit=frozenset({"exec"})),
    }
    assert scenarios_from_json({}) == {}


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ({}, "scenario 's' doesn't have a specified executor type"),
        ({"executor": ""}, "scenario 's' doesn't have a specified executor type"),
        ({"executor": "nope"}, "unknown executor type 'nope'"),
        ({"executor": "externally-controlled"}, "unknown executor type 'externally-controlled'"),
        (
            {"executor": 5},
            "json: cannot unmarshal number into Go struct field Options.scenarios.executor of type string",
        ),
        ({"executor": "constant-vus", "vuz": 1}, 'json: unknown field "vuz"'),
        (
            [],
            "json: cannot unmarshal array into Go struct field Options.scenarios of type struct "
            '{ ExecutorType string "json:\\"executor\\"" }',
        ),
        (None, "scenario 's' doesn't have a specified executor type"),
    ],
)
def test_what_is_no_scenario(scenario: object, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scenarios_from_json({"s": scenario})
    assert str(caught.value) == reason


def test_shortcuts_are_named_default() -> None:
    one = shortcut("constant-vus", {"vus": 3, "duration": 5.0})
    assert one == ConstantVUs(
        name="default", vus=3, duration=5.0, explicit=frozenset({"vus", "duration"})
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_executors_name_is_its_module(name: str) -> None:
    executor = executor_of(name)
    assert executor.type == name
    assert executor.type == name
    assert executor.__module__ == f"jsrunner.executors.{name.replace('-', '_')}"
