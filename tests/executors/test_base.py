"""What executors share: fields, their errors, and plans of loops."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.errors import ConfigError
from jsrunner.executors.base import (
    Interval,
    LoopPlan,
    Unlimited,
    build,
    check_duration,
    one_interval,
    read_fields,
)
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.options.segment import Striping

WHOLE = Striping(None, None)


def scenario(name: str = "s", **fields: Any) -> ConstantVUs:
    found = build(ConstantVUs, name, read_fields(ConstantVUs, name, {"duration": "1s", **fields}))
    assert isinstance(found, ConstantVUs)
    return found


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


def test_the_description_tells_what_differs() -> None:
    assert scenario(gracefulStop=0).describe(WHOLE) == "1 looping VUs for 1s"
    assert scenario().describe(WHOLE) == "1 looping VUs for 1s (gracefulStop: 30s)"
    assert scenario(exec="fn", startTime="500ms", vus=5).describe(WHOLE) == (
        "5 looping VUs for 1s (exec: fn, startTime: 500ms, gracefulStop: 30s)"
    )
    assert scenario(exec="default").describe(WHOLE) == (
        "1 looping VUs for 1s (exec: default, gracefulStop: 30s)"
    )


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


# -- plans -----------------------------------------------------------------------------------------


def plan(*schedule: tuple[Interval, ...], vus: int | None = None) -> LoopPlan:
    count = len(schedule) if vus is None else vus
    return LoopPlan(count, Unlimited(), 10.0, schedule, WHOLE)


def test_one_schedule_may_stand_for_all_vus() -> None:
    both = plan((Interval(0, 1, 2),), vus=3)
    assert both.intervals(0) == both.intervals(2) == (Interval(0, 1, 2),)
    assert plan(vus=0).intervals(0) == ()
    assert one_interval(0, 1.0, 1.0) == ()
    assert one_interval(3, 1.0, 1.0) == ((Interval(0.0, 1.0, 2.0),),)


def test_a_vu_is_busy_from_its_start_to_the_end_of_its_graceful_period() -> None:
    first = (Interval(0, 1, 2), Interval(3, 4, 4), Interval(5, 6, 9), Interval(7, 8, 9))
    chained = (Interval(0, 1, 9), Interval(1, 2, 9), Interval(2, 3, 9))
    both = plan(first, chained, ())
    assert list(both.busy(0)) == [(0, 2), (3, 4), (5, 9)]
    assert list(both.busy(1)) == [(0, 9)]
    assert list(both.busy(2)) == []
