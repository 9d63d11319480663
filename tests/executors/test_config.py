"""Common fields of executors, and their errors."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.errors import ConfigError
from jsrunner.executors.config import ExecutorConfig, build, check_duration, fields_of, read_fields
from jsrunner.executors.constant_vus import ConstantVUs


def scenario(name: str = "s", **fields: Any) -> ConstantVUs:
    return build(ConstantVUs, name, read_fields(ConstantVUs, name, {"duration": "1s", **fields}))


def test_fields_of_a_scenario() -> None:
    one = scenario(
        startTime="500ms",
        gracefulStop=0,
        exec="work",
        env={"A": "1"},
        tags={"b": "2"},
        options={"browser": {}},
        vus="5",
        Duration=1500,
        executor="constant-vus",
    )
    assert (one.start_time, one.graceful_stop, one.exec, one.vus) == (0.5, 0.0, "work", 5)
    assert one.duration == 1.5
    assert (one.env, one.tags) == ({"A": "1"}, {"b": "2"})


def test_defaults_stand_for_what_is_null_or_an_empty_number() -> None:
    one = scenario(startTime=None, gracefulStop=None, exec=None, vus="", env=None)
    assert (one.start_time, one.graceful_stop, one.exec, one.vus, one.env) == (0, 30, "default", 1, {})


@pytest.mark.parametrize(
    ("fields", "reason", "hint"),
    [
        ({"vuz": 1}, 'json: unknown field "vuz"', None),
        (
            {"vus": "many"},
            'strconv.ParseInt: parsing "many": invalid syntax',
            'the field vus of scenario s is "many"',
        ),
        (
            {"tags": {"a": 1}},
            "json: cannot unmarshal number into Go struct field Options.scenarios.BaseConfig.tags of type "
            "string",
            'the field tags of scenario s is {"a": 1}',
        ),
        (
            {"startTime": True},
            "'true' is not a valid duration value",
            "the field startTime of scenario s is true",
        ),
    ],
)
def test_wrong_fields(fields: dict[str, Any], reason: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        scenario(**fields)
    assert str(caught.value) == reason
    assert caught.value.hint == hint


def test_all_that_is_wrong_is_told() -> None:
    one = scenario("bad name", exec="", startTime="-1s", gracefulStop="-1s", vus=0)
    assert one.validate() == [
        "the scenario name should contain only numbers, latin letters, underscores, and dashes",
        "exec value cannot be empty",
        "the startTime can't be negative",
        "the gracefulStop timeout can't be negative",
        "the number of VUs must be more than 0",
    ]


@pytest.mark.parametrize("name", ["a", "A-b_9", "0"])
def test_names(name: str) -> None:
    assert scenario(name).validate() == []


@pytest.mark.parametrize("name", ["", "a b", "grüße", "a.b", "a\n"])
def test_what_is_no_name(name: str) -> None:
    wrong = scenario(name).validate()
    assert wrong[-1] == (
        "the scenario name should contain only numbers, latin letters, underscores, and dashes"
    )
    assert ("scenario name can't be empty" in wrong) == (name == "")


def test_durations_are_at_least_a_second() -> None:
    assert check_duration("duration", None) == ["the duration is unspecified"]
    assert check_duration("duration", 0.01) == ["the duration must be at least 1s, but is 10ms"]
    assert check_duration("maxDuration", -1.0) == ["the maxDuration must be at least 1s, but is -1s"]
    assert check_duration("duration", 1.0) == []


def test_json_has_all_fields_and_null_for_what_was_not_given() -> None:
    assert scenario(vus=5, tags={"a": "b"}).to_json() == {
        "executor": "constant-vus",
        "startTime": None,
        "gracefulStop": None,
        "exec": None,
        "env": None,
        "tags": {"a": "b"},
        "vus": 5,
        "duration": "1s",
    }


def test_fields_are_in_the_order_of_k6() -> None:
    common = ["startTime", "gracefulStop", "env", "exec", "tags", "options"]
    assert list(fields_of(ExecutorConfig)) == common
    assert list(fields_of(ConstantVUs)) == [*common, "vus", "duration"]
