"""From consolidated options to scenarios (k6-surface SC-01 to SC-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.errors import ConfigError, ExitCode
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.derive import derive_scenarios, validate
from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.options.kinds import Stage
from jsrunner.options.model import Options
from jsrunner.options.segment import parse_segment, parse_sequence

if TYPE_CHECKING:
    from jsrunner.executors.base import ExecutorConfig

STAGE = Stage(1.0, 1)
LOOP = {"executor": "constant-vus", "duration": "1s"}
DEFAULT = {"default": "function"}


def default(**options: Any) -> ExecutorConfig:
    scenarios, warnings = derive_scenarios(Options(**options))
    assert list(scenarios) == ["default"]
    assert warnings == []
    return scenarios["default"]


def test_iterations_are_shared() -> None:
    one = default(iterations=10, vus=5, duration=60.0)
    assert isinstance(one, SharedIterations)
    assert (one.iterations, one.vus, one.max_duration) == (10, 5, 60.0)
    one = default(iterations=10)
    assert isinstance(one, SharedIterations)
    assert (one.vus, one.max_duration) == (1, 600.0)


def test_a_duration_makes_vus_loop() -> None:
    one = default(duration=5.0, vus=3)
    assert isinstance(one, ConstantVUs)
    assert (one.duration, one.vus) == (5.0, 3)


def test_stages_ramp_from_the_vus() -> None:
    one = default(stages=(STAGE,), vus=3)
    assert isinstance(one, RampingVUs)
    assert (one.start_vus, one.stages) == (3, (STAGE,))
    one = default(stages=(STAGE,))
    assert isinstance(one, RampingVUs)
    assert one.start_vus == 1


@pytest.mark.parametrize("vus", [1, 5])
def test_vus_alone_do_an_iteration_each(vus: int) -> None:
    one = default(vus=vus)
    assert isinstance(one, SharedIterations)
    assert (one.vus, one.iterations) == (vus, vus)


def test_nothing_is_one_iteration() -> None:
    one = default()
    assert isinstance(one, PerVUIterations)
    assert (one.vus, one.iterations) == (1, 1)


def test_scenarios_are_in_the_order_of_their_starts() -> None:
    given = {"c": LOOP, "a": {**LOOP, "startTime": "1s"}, "b": LOOP}
    scenarios, warnings = derive_scenarios(Options(scenarios=given))
    assert list(scenarios) == ["b", "c", "a"]
    assert warnings == []


def test_vus_override_scenarios() -> None:
    scenarios, warnings = derive_scenarios(Options(scenarios={"s": LOOP}, vus=2))
    assert isinstance(scenarios["default"], SharedIterations)
    assert warnings == ["`vus=2` overrides scenarios configuration"]


def test_empty_loads_are_warned_about() -> None:
    scenarios, warnings = derive_scenarios(Options(stages=(), scenarios=None))
    assert isinstance(scenarios["default"], PerVUIterations)
    assert warnings == [
        "`stages` was explicitly set to an empty value, running the script with 1 iteration in 1 VU"
    ]
    scenarios, warnings = derive_scenarios(Options(stages=(), scenarios={}, vus=7))
    assert isinstance(scenarios["default"], PerVUIterations)
    assert [warning.split("`")[1] for warning in warnings] == ["stages", "scenarios"]


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ({"iterations": 1, "stages": (STAGE,)}, "iterations", "stages"),
        ({"iterations": 1, "duration": 1.0, "stages": (STAGE,)}, "iterations", "stages"),
        ({"iterations": 1, "scenarios": {"s": LOOP}}, "iterations", "scenarios"),
        ({"iterations": 1, "scenarios": {}}, "iterations", "scenarios"),
        ({"duration": 1.0, "stages": (STAGE,)}, "duration", "stages"),
        ({"duration": 1.0, "scenarios": {"s": LOOP}}, "duration", "scenarios"),
        ({"stages": (STAGE,), "scenarios": {"s": LOOP}}, "stages", "scenarios"),
    ],
)
def test_loads_that_clash(options: dict[str, Any], first: str, second: str) -> None:
    with pytest.raises(ConfigError) as caught:
        derive_scenarios(Options(**options))
    assert str(caught.value) == (
        f"using `{first}` and `{second}` options simultaneously is not allowed"
    )


def test_empty_stages_clash_with_nothing() -> None:
    scenarios, _ = derive_scenarios(Options(stages=(), iterations=3))
    assert isinstance(scenarios["default"], SharedIterations)


@pytest.mark.parametrize("duration", [0.0, -1.0])
def test_a_duration_of_nothing(duration: float) -> None:
    with pytest.raises(ConfigError, match=r"^`duration` option should be more than 0, for infinite"):
        derive_scenarios(Options(duration=duration))


# -- the check of the whole ------------------------------------------------------------------------


def wrong(options: Options, exports: dict[str, str] = DEFAULT) -> list[str]:
    scenarios, _ = derive_scenarios(options)
    with pytest.raises(ConfigError) as caught:
        validate(options, scenarios, exports)
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG
    header, *lines = str(caught.value).split("\n\t- ")
    assert header == "There were problems with the specified script configuration:"
    return lines


def test_a_right_one_raises_nothing() -> None:
    options = Options(vus=1, setup_timeout=1.0, segment=parse_segment("1/2"))
    validate(options, derive_scenarios(options)[0], DEFAULT)


def test_all_that_is_wrong_is_listed() -> None:
    options = Options(
        scenarios={
            "a": {"executor": "constant-vus", "vus": 0, "exec": "missing"},
            "b": {**LOOP, "exec": "options"},
            "c": {**LOOP, "exec": ""},
        },
        setup_timeout=0.0,
        teardown_timeout=-1.0,
        segment=parse_segment("1/2"),
        segment_sequence=parse_sequence("0,1/3,1"),
    )
    assert wrong(options, {**DEFAULT, "options": "object"}) == [
        "provided segment 0:1/2 can't be found in sequence 0,1/3,1",
        "scenario a has configuration errors: the number of VUs must be more than 0, the duration is "
        "unspecified",
        "scenario c has configuration errors: exec value cannot be empty",
        "setupTimeout must be positive",
        "executor a: function 'missing' not found in exports",
        "executor b: function 'options' not found in exports",
    ]


def test_there_must_be_a_default_function() -> None:
    assert wrong(Options(), {"work": "function"}) == [
        "executor default: function 'default' not found in exports"
    ]
