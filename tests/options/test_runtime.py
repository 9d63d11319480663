"""Settings of a run: flags over variables over the configuration file."""

from __future__ import annotations

import pytest

from jsrunner.errors import ConfigError, UsageError
from jsrunner.options.flags import FlagSet, flags_of
from jsrunner.options.model import Options, rows
from jsrunner.options.runtime import Globals, Runtime, read_runtime, runtime_from_json


def given(*words: str) -> dict[str, object]:
    return FlagSet([*flags_of(), *flags_of(Runtime), *flags_of(Globals)]).parse(words)[0]


def test_defaults() -> None:
    runtime = read_runtime(Runtime, {}, {})
    assert (runtime.summary_mode, runtime.out, runtime.linger, runtime.features) == (
        "compact",
        (),
        False,
        None,
    )
    assert read_runtime(Globals, {}, {}).log_output == "stderr"


def test_names_are_unique() -> None:
    every = [row for of in (Options, Runtime, Globals) for _, row in rows(of)]
    for attribute in ("flag", "short", "variable"):
        names = [getattr(row, attribute) for row in every if getattr(row, attribute)]
        assert len(names) == len(set(names))


def test_layers() -> None:
    config = runtime_from_json({"out": ["json=a"], "linger": True, "features": ["x"], "else": 1})
    assert read_runtime(Runtime, {}, {}, config).out == ("json=a",)
    environment = {"K6_OUT": "json=b,csv=c", "K6_FEATURES": "y,z", "K6_LINGER": "false"}
    runtime = read_runtime(Runtime, {}, environment, config)
    assert (runtime.out, runtime.features, runtime.linger) == (("json=b", "csv=c"), ("y", "z"), False)
    flags = given("-o", "json=d,e", "--features", "", "-l")
    runtime = read_runtime(Runtime, flags, environment, config)
    assert (runtime.out, runtime.features, runtime.linger) == (("json=d,e",), ("",), True)


@pytest.mark.parametrize("text", ["1", "t", "true", "TRUE"])
def test_switches_in_the_environment(text: str) -> None:
    assert read_runtime(Runtime, {}, {"K6_NO_THRESHOLDS": text}).no_thresholds
    assert not read_runtime(Runtime, {}, {"K6_NO_THRESHOLDS": ""}).no_thresholds


def test_wrong_switch() -> None:
    with pytest.raises(
        UsageError, match="env var 'K6_NO_THRESHOLDS' is not a valid boolean value: strconv"
    ):
        read_runtime(Runtime, {}, {"K6_NO_THRESHOLDS": "maybe"})


def test_wrong_setting_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="assigning K6_LINGER to Linger: converting '1' to type null"):
        read_runtime(Runtime, {}, {"K6_LINGER": "1"})
    with pytest.raises(ConfigError, match="cannot unmarshal"):
        runtime_from_json({"linger": "yes"})
    with pytest.raises(ConfigError, match="cannot unmarshal"):
        runtime_from_json({"out": "json"})


def test_choices() -> None:
    wrong = {"K6_TRACES_OUTPUT": "otel", "K6_COMPATIBILITY_MODE": "x"}
    for variable, text in wrong.items():
        with pytest.raises(UsageError, match=f"invalid .*{text}"):
            read_runtime(Runtime, {}, {variable: text})
    with pytest.raises(UsageError, match=r"^invalid summary mode$") as caught:
        read_runtime(Runtime, given("--summary-mode", "legacy"), {})
    assert caught.value.hint == "use compact or full or disabled"
    runtime = read_runtime(Runtime, given("--summary-mode", "full"), {"K6_SUMMARY_MODE": "compact"})
    assert runtime.summary_mode == "full"


def test_colors_and_secrets() -> None:
    assert read_runtime(Globals, {}, {"K6_NO_COLOR": "0"}).no_color
    assert not read_runtime(Globals, {}, {"K6_NO_COLOR": ""}).no_color
    assert read_runtime(Globals, {}, {"K6_SECRET_SOURCE": "mock=a=1,b=2"}).secret_source == (
        "mock=a=1,b=2",
    )
