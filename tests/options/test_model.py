"""The rows: what is said of each option, and the JSON of all of them."""

from __future__ import annotations

from jsrunner.options import kinds
from jsrunner.options.model import SYSTEM_TAGS, TREND_STATS, Options, rows, to_json
from jsrunner.options.segment import parse_segment


def test_names_flags_and_variables_are_unique() -> None:
    for names in (
        [row.json.lower() for _, row in rows() if row.json],
        [row.flag for _, row in rows() if row.flag],
        [row.short for _, row in rows() if row.short],
        [row.variable for _, row in rows() if row.variable],
    ):
        assert len(names) == len(set(names))


def test_every_option_can_be_given_and_is_explained() -> None:
    for name, row in rows():
        assert row.json or row.flag, name
        assert row.help, name
        assert not row.short or row.flag, name
        assert row.variable.startswith("K6_") or not row.variable, name


def test_switches_and_only_they_need_no_value() -> None:
    bare = {row.flag for _, row in rows() if row.flag and row.bare is not None}
    switches = {row.flag for _, row in rows() if row.flag and isinstance(row.kind, kinds.Bool)}
    assert bare == switches | {"http-debug"}


def test_defaults_of_tags_and_stats() -> None:
    assert Options().enabled_system_tags() == frozenset(SYSTEM_TAGS)
    assert Options(system_tags=()).enabled_system_tags() == frozenset()
    assert Options().trend_stats() == TREND_STATS
    assert Options(summary_trend_stats=()).trend_stats() == ()


def test_json_of_what_the_script_has_given() -> None:
    shown = to_json(
        Options(vus=5, duration=90.0, segment=parse_segment("1/3"), throw=True), consolidated=False
    )
    assert shown["vus"] == 5
    assert shown["duration"] == "1m30s"
    assert shown["executionSegment"] == "0:1/3"
    assert shown["throw"] is True
    assert shown["iterations"] is None
    assert {"consoleOutput", "localIPs"} <= shown.keys()


def test_consolidated_json_tells_the_load_by_scenarios() -> None:
    shown = to_json(Options(vus=5, system_tags=("url", "method")), consolidated=True)
    assert shown.keys().isdisjoint({"vus", "duration", "iterations", "stages"})
    assert shown["systemTags"] == ["method", "url"]
    assert shown["summaryTrendStats"] == list(TREND_STATS)
    assert shown["scenarios"] is None
