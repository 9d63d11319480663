"""The decision what the test is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.decide import decide, script_options
from jsrunner.coordinator.settings import RunSettings
from jsrunner.errors import ConfigError, JsrunnerError
from jsrunner.messages.protocol import DeclaredMetric, Loaded
from jsrunner.options.model import Options
from jsrunner.options.selection import Selection
from jsrunner.script.script import ScriptBundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Records

    from jsrunner.coordinator.decide import Decision

    Decide = Callable[..., Decision]


@pytest.fixture
def script(tmp_path: Path) -> ScriptBundle:
    path = tmp_path / "script.js"
    path.write_text("")
    return ScriptBundle(str(path))


def loaded(options: dict[str, Any] | None = None, *exports: str, **more: Any) -> Loaded:
    """Return the description of a script with these exports besides the default function."""
    return Loaded(
        dict.fromkeys(("default", *exports), "function"),
        None if options is None else json.dumps(options),
        **{"options_error": None, "metrics": [DeclaredMetric("mine", "counter", "default")], **more},
    )


@pytest.fixture
def make(script: ScriptBundle, log: Records) -> Decide:
    """`make(script's options, flags=..., config=..., environment=..., settings=...)`."""

    def make(
        options: dict[str, Any] | None = None,
        *,
        flags: Options | None = None,
        config: Options | None = None,
        **settings: Any,
    ) -> Decision:
        return decide(
            loaded(options),
            script,
            config=config,
            flags=flags or Options(),
            settings=RunSettings(**settings),
            logger=log,
        )

    return make


def test_without_options_there_is_one_iteration(make: Decide) -> None:
    test = make().test
    assert list(test.scenarios) == list(test.plans) == ["default"]
    assert (test.scenarios["default"].type, test.max_vus) == ("per-vu-iterations", 1)


def test_flags_win_over_the_environment_the_script_and_the_file(make: Decide) -> None:
    decision = make(
        {"vus": 2, "iterations": 9, "userAgent": "script"},
        config=Options(vus=1, batch=7, user_agent="file"),
        environment={"K6_VUS": "3"},
        flags=Options(vus=4),
    )
    options = decision.test.options
    assert (options.vus, options.iterations, options.user_agent, options.batch) == (4, 9, "script", 7)


def test_plans_are_those_of_this_instance(make: Decide) -> None:
    test = make({"vus": 4, "iterations": 8, "executionSegment": "0:1/2"}).test
    assert test.plans["default"].vus == 2
    assert test.max_vus == 2
    assert float(test.striping.segment.length) == 0.5


def test_only_selected_scenarios_are_part_of_it(make: Decide, log: Records) -> None:
    scenarios = {
        name: {"executor": "shared-iterations", "vus": 1, "iterations": 1} for name in ("a", "b")
    }
    thresholds = {"iterations{scenario:b}": ["count>0"], "iterations": ["count>0"]}
    decision = make(
        {"scenarios": scenarios, "thresholds": thresholds}, selection=Selection(scenario=("a",))
    )
    assert list(decision.test.scenarios) == ["a"]
    assert list(decision.thresholds.thresholds) == ["iterations"]
    assert any("skipped thresholds for excluded scenarios" in text for text in log.texts("warning"))


def test_thresholds_know_the_metrics_of_the_script(make: Decide) -> None:
    assert list(make({"thresholds": {"mine": ["count<1"]}}).thresholds.thresholds) == ["mine"]
    with pytest.raises(JsrunnerError, match="other"):
        make({"thresholds": {"other": ["count<1"]}})


def test_without_thresholds_there_is_nothing_to_judge(make: Decide, log: Records) -> None:
    decision = make({"thresholds": {"other": ["count<1"]}}, no_thresholds=True)
    assert not decision.thresholds.thresholds
    assert log.texts("warning") == ["Invalid metric 'other' in threshold definitions"]


def test_features_are_tags(make: Decide) -> None:
    tags = make(features=frozenset({"merge-run-tags"})).test.options.tags
    assert tags == {"k6_feature_merge_run_tags": "true"}


def test_wrong_options_of_the_script(script: ScriptBundle, log: Records) -> None:
    with pytest.raises(JsrunnerError, match="error parsing script options: boom"):
        script_options(loaded(options_error="boom"), script, log)
    with pytest.raises(ConfigError, match="could not initialize"):
        script_options(loaded({"vus": "many"}), script, log)


def test_wrong_exports_of_the_script(script: ScriptBundle, log: Records) -> None:
    wrong = Loaded({"default": "function", "setup": "object"}, None, None, [])
    with pytest.raises(JsrunnerError, match="exported 'setup' must be a function"):
        script_options(wrong, script, log)
    nothing = Loaded({"options": "object"}, None, None, [])
    with pytest.raises(JsrunnerError, match="no exported functions in script"):
        script_options(nothing, script, log)


def test_unknown_options_are_warned_of(script: ScriptBundle, log: Records) -> None:
    script_options(loaded({"vus": 1, "wrong": 2}), script, log)
    [(level, _, fields)] = log.records
    assert (level, fields) == ("warning", {"error": 'json: unknown field "wrong"'})


def test_a_hint_explains_scenarios_that_flags_have_replaced(script: ScriptBundle, log: Records) -> None:
    scenarios = {"a": {"executor": "shared-iterations", "vus": 1, "iterations": 1, "exec": "f"}}
    described = Loaded({"f": "function"}, json.dumps({"scenarios": scenarios}), None, [])
    with pytest.raises(ConfigError) as failure:
        decide(
            described,
            script,
            config=None,
            flags=Options(vus=1, iterations=1),
            settings=RunSettings(),
            logger=log,
        )
    assert failure.value.hint is not None
    assert "replace the script's scenarios" in failure.value.hint
