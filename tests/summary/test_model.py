"""The summary as data."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.metrics.registry import BUILTIN
from jsrunner.metrics.sinks import TrendSink
from jsrunner.metrics.store import Entry, Store
from jsrunner.metrics.thresholds import parse_thresholds
from jsrunner.summary.model import Group, Section, ThresholdResult, build

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.summary.model import CheckSummary, SummaryData


class ShortTrend(TrendSink):
    """A trend that keeps one value."""

    __slots__ = ()
    exact_limit = 1


def checks(found: Section | Group) -> list[tuple[str, int, int]]:
    listed: list[CheckSummary] = (
        found.checks if isinstance(found, Section) else list(found.checks.values())
    )
    return [(one.name, one.passes, one.fails) for one in listed]


def results(data: SummaryData, name: str) -> tuple[ThresholdResult, ...]:
    return next(one.thresholds for one in data.total.metrics if one.name == name)


def test_checks_by_group_and_all_together(measured: Callable[..., Any]) -> None:
    run = measured()
    run.check("in", 1, 1, group="::outer::inner")
    run.check("same", 2, group="::outer")
    run.check("same", 0, 3)
    data = run.summary()
    assert checks(data.total) == [("in", 1, 1), ("same", 2, 3)]
    assert checks(data.root) == [("same", 0, 3)]
    outer = data.root.groups["outer"]
    assert checks(outer) == [("same", 2, 0)]
    assert checks(outer.groups["inner"]) == [("in", 1, 1)]
    assert outer.checks["same"].path == "::outer::same"


def test_the_same_check_of_two_scenarios_is_one(measured: Callable[..., Any]) -> None:
    run = measured()
    run.check("same", 2, scenario="a")
    run.check("same", 0, 3, scenario="b")
    data = run.summary()
    assert checks(data.total) == checks(data.root) == [("same", 2, 3)]
    assert checks(data.scenarios["a"]) == [("same", 2, 0)]
    assert checks(data.scenarios["b"]) == [("same", 0, 3)]


def test_groups_in_the_order_in_which_they_were_seen(measured: Callable[..., Any]) -> None:
    run = measured()
    run.add("group_duration", 1.0, group="::b::inner")
    run.add("group_duration", 1.0, group="::b")
    run.add("group_duration", 1.0, group="::a")
    root = run.summary().root
    assert list(root.groups) == ["b", "a"]
    assert list(root.groups["b"].groups) == ["inner"]
    assert root.groups["b"].groups["inner"].path == "::b::inner"


def test_identifiers_are_digests_of_the_paths() -> None:
    root = Group("", "")
    inner = root.child("::a::b")
    assert inner.id == hashlib.md5(b"::a::b").hexdigest()
    assert root.id == "d41d8cd98f00b204e9800998ecf8427e"
    assert root.child("::a::b") is inner
    assert root.child("") is root


def test_sections_of_groups_and_scenarios(measured: Callable[..., Any]) -> None:
    run = measured()
    run.declare("hits", "counter")
    run.add("hits", 1, scenario="other")
    run.add("hits", 2, scenario="other", group="::g")
    run.add("hits", 4, scenario="default", group="::mine")
    run.add("hits", 8, group="::setup")
    run.add("hits", 16, group="::setup::inner")
    data = run.summary()

    def count(section: Section) -> float:
        return section.metrics[0].values["count"]

    assert count(data.total) == 31
    assert list(data.total.groups) == ["mine", "setup"]
    assert count(data.total.groups["mine"]) == 4
    assert data.total.groups["setup"].metrics == []
    assert count(data.total.groups["setup"].groups["inner"]) == 16
    assert list(data.scenarios) == ["other"]
    assert count(data.scenarios["other"]) == 3
    assert count(data.scenarios["other"].groups["g"]) == 2


def test_sub_metrics_know_their_metric(measured: Callable[..., Any]) -> None:
    run = measured({"hits{kind:a}": ["count>1"]})
    run.declare("hits", "counter")
    run.add("hits", 5, kind="a")
    metric, sub = run.summary().total.metrics
    assert (metric.name, metric.parent, metric.label) == ("hits", None, "")
    assert (sub.name, sub.parent, sub.label) == ("hits{kind:a}", "hits", "{ kind:a }")
    assert sub.values == {"count": 5, "rate": 0.5}


def test_thresholds_show_what_they_were_compared_with(measured: Callable[..., Any]) -> None:
    run = measured(
        {
            "tt": ["avg<1", "max<9", "p(99.9)>2", "med>0"],
            "cc": ["rate>0.1", "count<1"],
            "rr": ["rate>0.9"],
        }
    )
    for name, type_ in (("tt", "trend"), ("cc", "counter"), ("rr", "rate")):
        run.declare(name, type_)
    run.add("tt", 1, 2, 3)
    run.add("cc", 5)
    run.add("rr", 1, 0)
    data = run.summary(trend_stats=("avg", "p(90)"))
    assert results(data, "tt") == (
        ThresholdResult("avg<1", "avg", ok=False, value=2),
        ThresholdResult("max<9", "max", ok=True, value=None),
        ThresholdResult("p(99.9)>2", "p(99.9)", ok=True, value=pytest.approx(2.998)),
        ThresholdResult("med>0", "med", ok=True, value=None),
    )
    assert results(data, "cc") == (
        ThresholdResult("rate>0.1", "rate", ok=True, value=0.5),
        ThresholdResult("count<1", "count", ok=False, value=5),
    )
    assert results(data, "rr") == (ThresholdResult("rate>0.9", "rate", ok=False, value=0.5),)
    values = next(one.values for one in data.total.metrics if one.name == "tt")
    assert values == {"avg": 2, "p(90)": pytest.approx(2.8)}


def test_metrics_with_thresholds_are_shown_without_samples(measured: Callable[..., Any]) -> None:
    run = measured({"hits{kind:a}": []})
    run.declare("hits", "counter")
    run.declare("unused", "counter")
    assert [one.name for one in run.summary().total.metrics] == ["hits", "hits{kind:a}"]


def test_trends_that_were_folded_are_told() -> None:
    thresholds = parse_thresholds({})
    store = Store(thresholds, system_tags=frozenset())
    sink = ShortTrend()
    sink.extend(array("d", [1, 2]))
    store.entries["ws_ping"] = Entry(BUILTIN["ws_ping"], sink)
    data = build(store, thresholds, trend_stats=("avg",), time_unit="", duration=1.0)
    assert [one.exact for one in data.total.metrics] == [False]
