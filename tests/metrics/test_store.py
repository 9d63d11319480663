"""The store: what a series feeds, merged from what workers send."""

from __future__ import annotations

from array import array
from typing import Any

from jsrunner.metrics.registry import BUILTIN, Metric, Registry
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, TrendSink
from jsrunner.metrics.store import Store, own_scenario
from jsrunner.metrics.thresholds import parse_thresholds

HITS = Metric("hits", "counter")


def store(thresholds: dict[str, list[Any]] | None = None, **more: Any) -> Store:
    more.setdefault("system_tags", frozenset())
    return Store(parse_thresholds(thresholds or {}), **more)


class Small(Store):
    """A store that finds ten series many."""

    many_series = 10


def doubles(*values: float) -> bytes:
    return array("d", values).tobytes()


def counts(found: Store) -> dict[str, float]:
    return {
        name: entry.sink.count
        for name, entry in found.entries.items()
        if isinstance(entry.sink, CounterSink)
    }


def test_series_of_a_metric_add_up() -> None:
    found = store()
    found.series(HITS, {"a": "1"}).merge(3.0)
    found.series(HITS, {"a": "2"}).merge(4.0)
    found.series(HITS, {"a": "1"}).merge(5.0)
    assert counts(found) == {"hits": 12}
    assert found.series(HITS, {"a": "1"}) is found.series(HITS, {"a": "1"})


def test_deltas_of_every_type() -> None:
    found = store()
    found.series(Metric("rr", "rate"), {}).merge((2, 5))
    found.series(Metric("gg", "gauge"), {}).merge((3.0, 1.0, 9.0))
    found.series(Metric("tt", "trend"), {}).merge(doubles(1.0, 2.0, 6.0))
    sinks = {name: entry.sink for name, entry in found.entries.items()}
    rate, gauge, trend = sinks["rr"], sinks["gg"], sinks["tt"]
    assert isinstance(rate, RateSink)
    assert (rate.hits, rate.total) == (2, 5)
    assert isinstance(gauge, GaugeSink)
    assert (gauge.value, gauge.min, gauge.max) == (3, 1, 9)
    assert isinstance(trend, TrendSink)
    assert (trend.count, trend.avg) == (3, 3)


def test_sub_metrics_see_only_samples_with_all_of_their_tags() -> None:
    found = store({"hits{kind:a}": ["count>1"], "hits{kind:a,size:big}": [], "hits{kind:b}": []})
    found.series(HITS, {"kind": "a", "size": "big"}).merge(1.0)
    found.series(HITS, {"kind": "a", "size": "small"}).merge(2.0)
    found.series(HITS, {"size": "big"}).merge(4.0)
    found.series(Metric("other", "counter"), {"kind": "a"}).merge(8.0)
    assert counts(found) == {"hits": 7, "hits{kind:a}": 3, "hits{kind:a,size:big}": 1, "other": 8}


def test_metrics_with_thresholds_are_there_without_samples_too() -> None:
    registry = Registry()
    registry.declare("hits", "counter")
    found = store({"hits{kind:a}": ["count>1"], "ws_ping": ["avg>1"]})
    found.add_thresholds(registry)
    assert list(found.entries) == ["hits", "hits{kind:a}", "ws_ping"]
    sub = found.entries["hits{kind:a}"]
    assert sub.submetric is not None
    assert (sub.metric.name, sub.submetric.tags) == ("hits", {"kind": "a"})
    assert found.sink("ws_ping") is found.entries["ws_ping"].sink
    assert found.sink("nope") is None


def test_the_expected_responses_are_a_sub_metric_of_their_own() -> None:
    name = "http_req_duration{expected_response:true}"
    duration = BUILTIN["http_req_duration"]
    found = store(system_tags=frozenset({"expected_response"}))
    assert name not in found.entries
    found.series(duration, {"expected_response": "false"}).merge(doubles(1.0))
    assert name not in found.entries
    found.series(duration, {"expected_response": "true"}).merge(doubles(2.0))
    assert found.entries[name].sink.value_of("avg", 1.0) == 2
    off = store()
    off.series(duration, {"expected_response": "true"})
    assert name not in off.entries


def test_an_own_threshold_on_expected_responses_is_not_counted_twice() -> None:
    name = "http_req_duration{expected_response:true}"
    found = store({name: ["avg<1"]}, system_tags=frozenset({"expected_response"}))
    found.series(BUILTIN["http_req_duration"], {"expected_response": "true"}).merge(doubles(2.0))
    sink = found.entries[name].sink
    assert isinstance(sink, TrendSink)
    assert sink.count == 1


def check(found: Store, name: str, first: float, delta: tuple[int, int], **tags: str) -> None:
    found.series(BUILTIN["checks"], {"check": name, "group": "", **tags}, first).merge(delta)


def test_checks_are_told_apart_by_group_and_scenario_in_the_order_of_their_first_samples() -> None:
    found = store()
    check(found, "late", 5.0, (1, 1))
    check(found, "early", 1.0, (1, 2), group="::g")
    check(found, "early", 2.0, (3, 3), scenario="s")
    check(found, "late", 0.5, (0, 4))  # another worker saw it first
    assert [(one.name, one.group, one.scenario, one.passes, one.fails) for one in found.checks()] == [
        ("late", "", "", 1, 4),
        ("early", "::g", "", 1, 1),
        ("early", "", "s", 3, 0),
    ]


def test_without_the_tag_there_are_no_single_checks() -> None:
    found = store()
    found.series(BUILTIN["checks"], {"group": ""}).merge((1, 2))
    assert found.checks() == []
    assert found.entries["checks"].sink.format(1.0, ()) == {"rate": 0.5, "passes": 1, "fails": 1}


def test_groups_in_the_order_of_their_first_samples() -> None:
    found = store()
    group = BUILTIN["group_duration"]
    found.series(group, {"group": "::b"}, 3.0)
    found.series(group, {"group": "::a"}, 2.0)
    found.series(group, {"group": "::b", "x": "y"}, 1.0)
    found.series(group, {"group": ""}, 0.0)
    found.series(HITS, {"group": "::c"}, 0.0)
    assert found.groups() == ["::b", "::a"]


def test_parts_of_the_full_summary() -> None:
    found = store(by_group=True)
    for first, scenario, group in (
        (5.0, "default", ""),
        (4.0, "default", "::g"),
        (3.0, "s", "::g"),
        (2.0, "", "::h"),
        (1.0, "", "::setup"),
        (6.0, "s", ""),
    ):
        tags = {"scenario": scenario, "group": group}
        found.series(HITS, {key: value for key, value in tags.items() if value}, first).merge(1.0)
    parts = {
        key: [entry.sink.value_of("count", 1.0) for entry in part.entries.values()]
        for key, part in found.group_metrics()
    }
    assert list(parts.items()) == [
        (("", "::h"), [1]),
        (("s", ""), [2]),
        (("s", "::g"), [1]),
        (("", "::g"), [1]),
    ]
    assert counts(found) == {"hits": 6}


def test_the_compact_summary_keeps_no_parts() -> None:
    found = store()
    found.series(HITS, {"scenario": "s", "group": "::g"}).merge(1.0)
    assert found.group_metrics() == []


def test_results_of_the_default_scenario_do_not_stand_apart() -> None:
    assert [own_scenario(name) for name in ("", "default", "other")] == ["", "", "other"]


def test_many_series_are_warned_about_once_and_again_at_twice_as_many() -> None:
    assert Store.many_series == 100_000
    found = Small(parse_thresholds({}), system_tags=frozenset())
    warned = []
    for number in range(25):
        found.series(HITS, {"id": str(number)})
        if warning := found.cardinality_warning():
            warned.append((number + 1, warning))
    assert [count for count, _ in warned] == [10, 20]
    assert warned[1][1].startswith(
        "The test has generated metrics with 20 unique time series, which is higher than the "
        "suggested limit of 10 "
    )
