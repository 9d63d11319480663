"""Layers: what a higher one says wins, and what it says of the load replaces all of that."""

from __future__ import annotations

from jsrunner.options.kinds import Stage
from jsrunner.options.layers import consolidate
from jsrunner.options.model import Options

STAGE = Stage(1.0, 1)


def test_the_highest_layer_wins_field_by_field() -> None:
    merged, warnings = consolidate(
        {
            "config": Options(vus=1, rps=1, throw=True),
            "script": Options(vus=2, batch=2),
            "env": Options(vus=3),
            "cli": Options(throw=False),
        }
    )
    assert merged == Options(vus=3, rps=1, batch=2, throw=False)
    assert warnings == []


def test_a_layer_with_a_load_discards_those_below_but_not_vus() -> None:
    script = Options(vus=2, duration=5.0, iterations=10)
    merged, warnings = consolidate({"script": script, "cli": Options(stages=(STAGE,))})
    assert merged == Options(vus=2, stages=(STAGE,))
    assert warnings == []


def test_scenarios_that_are_overridden_are_warned_about_once() -> None:
    layers = {
        "script": Options(scenarios={"s": {}}),
        "env": Options(iterations=3),
        "cli": Options(duration=1.0),
    }
    merged, warnings = consolidate(layers)
    assert merged == Options(duration=1.0)
    assert warnings == ['"env" level configuration overrode scenarios configuration entirely']


def test_vus_alone_override_no_scenarios_here() -> None:
    merged, warnings = consolidate({"script": Options(scenarios={"s": {}}), "cli": Options(vus=2)})
    assert merged == Options(scenarios={"s": {}}, vus=2)
    assert warnings == []


def test_tags_are_replaced_as_a_whole_but_not_by_none() -> None:
    script = Options(tags={"a": "1", "b": "2"})
    assert consolidate({"script": script, "cli": Options(tags={"a": "3"})})[0].tags == {"a": "3"}
    assert consolidate({"script": script, "cli": Options(tags={})})[0].tags == {"a": "1", "b": "2"}


def test_fields_of_dns_merge() -> None:
    script = Options(dns={"ttl": "1m", "select": "first"})
    merged, _ = consolidate({"script": script, "cli": Options(dns={"select": "random"})})
    assert merged.dns == {"ttl": "1m", "select": "random"}


def test_stages_without_a_duration_are_dropped() -> None:
    merged, _ = consolidate({"script": Options(stages=(Stage(target=5), STAGE))})
    assert merged.stages == (STAGE,)
