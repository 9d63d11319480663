"""`--out json`: k6's lines (k6-surface OU-04 to OU-06)."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.metrics.registry import Metric
from jsrunner.metrics.thresholds import Submetric, parse_thresholds
from jsrunner.outputs.json_lines import JsonFormatter, configure, introduce, number

HITS = Metric("hits", "counter")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def line(
    value: float = 1.0,
    tags: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    time_s: float = 1_700_000_000.25,
) -> bytes:
    return JsonFormatter().format(HITS, tags or {}, metadata).line(time_s, value)


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_a_sample() -> None:
    # A second that no other test asks for: the last one's text is kept.
    assert line(2.5, {"b": "2", "a": "1"}, time_s=1_700_000_100.25) == (
        b'{"metric":"hits","type":"Point","data":{"time":"2023-11-14T22:15:00.25Z","value":2.5,'
        b'"tags":{"a":"1","b":"2"}}}\n'
    )


def test_metadata_stands_behind_the_tags() -> None:
    assert line(1, {}, {"vu": "1", "iter": "0"}).endswith(
        b'"value":1,"tags":{},"metadata":{"iter":"0","vu":"1"}}}\n'
    )
    assert b"metadata" not in line(1, {}, {})


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_every_line_is_json(value: float, tags: dict[str, str], metadata: dict[str, str]) -> None:
    text = line(value, tags, metadata)
    assert text.count(b"\n") == 1
    data: Any = json.loads(text)["data"]
    assert (float(data["value"]), data["tags"]) == (value, tags)
    assert data.get("metadata", {}) == metadata


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0"),
        (5.0, b"5"),
        (-3.0, b"-3"),
        (0.5, b"0.5"),
        (1e15, b"1000000000000000"),
        (1e20, b"100000000000000000000"),
        (1e21, b"1e+21"),
        (1.5e300, b"1.5e+300"),
        (0.00001, b"0.00001"),
        (1e-6, b"0.000001"),
        (1.5e-7, b"1.5e-7"),
        (float("inf"), b"null"),
        (float("nan"), b"null"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: bytes) -> None:
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_loses_anything(value: float) -> None:
    assert float(number(value)) == value


def test_a_metric_is_introduced_with_its_thresholds_and_sub_metrics() -> None:
    thresholds = parse_thresholds(
        {
            "hits": [
                "count>1",
                {"threshold": "rate>2"},
                {"threshold": "count<9", "abortOnFail": True},
                {"threshold": "count<8", "abortOnFail": True, "delayAbortEval": "10s"},
            ]
        }
    ).thresholds["hits"]
    text = introduce(HITS, thresholds, [Submetric("hits{a:b}", "hits", {"a": "b"})])
    assert text.endswith(b"\n")
    assert json.loads(text) == {
        "type": "Metric",
        "data": {
            "name": "hits",
            "type": "counter",
            "contains": "default",
            "thresholds": [
                "count>1",
                "rate>2",
                {"threshold": "count<9", "abortOnFail": True, "delayAbortEval": None},
                {"threshold": "count<8", "abortOnFail": True, "delayAbortEval": "10s"},
            ],
            "submetrics": [{"name": "hits{a:b}", "suffix": "a:b", "tags": {"a": "b"}}],
        },
        "metric": "hits",
    }


def test_a_metric_with_nothing_more_to_say() -> None:
    assert introduce(Metric("tt", "trend", "time"), (), ()) == (
        b'{"type":"Metric","data":{"name":"tt","type":"trend","contains":"time","thresholds":[],'
        b'"submetrics":null},"metric":"tt"}\n'
    )


@pytest.mark.parametrize(
    ("argument", "description"),
    [("", "json(stdout)"), ("-", "json(stdout)"), ("out.json.gz", "json (out.json.gz)")],
)
def test_where_it_goes(argument: str, description: str) -> None:
    found = configure(argument, {})
    assert (found.to_stdout, found.description) == (argument in ("", "-"), description)


def test_the_formatter_travels_to_the_workers() -> None:
    formatter = pickle.loads(pickle.dumps(configure("", {}).open(()).formatter))
    assert formatter.format(HITS, {}, None).line(0.0, 1.0).startswith(b'{"metric":"hits"')
