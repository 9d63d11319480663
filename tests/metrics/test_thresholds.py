"""Thresholds: grammar and k6's texts (TH-01 to TH-06), and how they are judged (TH-08 to TH-12)."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import ConfigError, ExitCode
from jsrunner.metrics.registry import Registry
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, Sink, TrendSink
from jsrunner.metrics.thresholds import (
    Submetric,
    ThresholdCondition,
    ThresholdSet,
    Verdict,
    parse_expression,
    parse_thresholds,
    scenario_of,
)

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
}
WORDS = ("count", "rate", "value", "avg", "min", "max", "med")
SPACES = st.sampled_from(["", " ", "  ", "\t"])


class Sinks:
    """Sinks by key, as a store has them."""

    def __init__(self, **sinks: Sink) -> None:
        self.sinks = sinks

    def sink(self, key: str) -> Sink | None:
        return self.sinks.get(key)


def counter(*values: float) -> CounterSink:
    sink = CounterSink()
    for value in values:
        sink.add(value)
    return sink


# -- expressions -----------------------------------------------------------------------------------


@given(
    st.sampled_from(WORDS) | (st.integers(0, 100) | st.floats(0, 100)).map("p({})".format),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9),
    SPACES, SPACES, SPACES, SPACES,
)  # fmt: skip
def test_expressions(
    aggregation: str, sign: str, value: float, before: str, left: str, right: str, after: str
) -> None:
    source = f"{before}{aggregation}{left}{sign}{right}{value}{after}"
    one = parse_expression(source)
    assert one == ThresholdCondition(source, aggregation, sign, float(value))


@given(st.text(max_size=12) | st.text(alphabet="p()95<>=! .countrate", max_size=15))
def test_any_text_is_read_or_refused(source: str) -> None:
    try:
        parse_expression(source)
    except ConfigError as error:
        assert error.exit_code == ExitCode.INVALID_CONFIG  # noqa: PT017 - nothing else may be raised


@given(st.sampled_from(sorted(OPERATORS)), st.floats(-10, 10), st.floats(-10, 10) | st.just(1.0))
def test_operators(sign: str, value: float, limit: float) -> None:
    sink = GaugeSink()
    sink.add(value)
    assert parse_expression(f"value{sign}{limit}").holds(sink, 1.0) == OPERATORS[sign](value, limit)


@pytest.mark.parametrize(
    ("source", "value"), [("count<1e3", 1000), ("count<1_000", 1000), ("count<-.5", -0.5)]
)
def test_numbers_are_gos(source: str, value: float) -> None:
    assert parse_expression(source).value == value


PARSE = 'failed parsing threshold expression "{}"; reason: malformed threshold expression'
LEFT = 'failed parsing threshold expression\'s "{}" left hand side; reason: '
RIGHT = (
    'failed parsing threshold expresion\'s "{}" right hand side; reason: strconv.ParseFloat: parsing '
)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", PARSE),
        ("count", PARSE),
        ("count>", PARSE),
        ("count=5", PARSE),
        ("foo>1", LEFT + "failed parsing method from expression"),
        (">1", LEFT + "failed parsing method from expression"),
        ("p95<1", LEFT + "failed parsing method from expression"),
        ("p(95<1", LEFT + "failed parsing method from expression"),
        ("Count>1", LEFT + "failed parsing method from expression"),
        (
            "p(x)<1",
            LEFT
            + 'malformed percentile value; reason: strconv.ParseFloat: parsing "x": invalid syntax',
        ),
        (
            "p( 95)<1",
            LEFT
            + 'malformed percentile value; reason: strconv.ParseFloat: parsing " 95": invalid syntax',
        ),
        ("p(101)<1", LEFT + "malformed percentile value, provide a number between 0 and 100"),
        ("p(-1)<1", LEFT + "malformed percentile value, provide a number between 0 and 100"),
        ("p(nan)<1", LEFT + "malformed percentile value, provide a number between 0 and 100"),
        ("count>five", RIGHT + '"five": invalid syntax'),
        ("count>1ms", RIGHT + '"1ms": invalid syntax'),
        ("count>1 2", RIGHT + '"1 2": invalid syntax'),
        ("count>1e999", RIGHT + '"1e999": value out of range'),
        ("p(95)<200 && max<5", RIGHT + '"200 && max<5": invalid syntax'),
    ],
)
def test_what_is_no_expression(source: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(source)
    assert str(caught.value) == reason.format(source)
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


# -- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "submetric"),
    [
        ("hits{kind:a}", Submetric("hits{kind:a}", "hits", {"kind": "a"})),
        ("hits{ kind : 'a b' }", Submetric("hits{kind : 'a b'}", "hits", {"kind": "a b"})),
        ('hits{"kind":" a "}', Submetric('hits{"kind":" a "}', "hits", {"kind": " a "})),
        ("hits{a:1, b:2}", Submetric("hits{a:1, b:2}", "hits", {"a": "1", "b": "2"})),
        ("hits{group:::a::b}", Submetric("hits{group:::a::b}", "hits", {"group": "::a::b"})),
        (
            "hits{url:http://x/{id}}",
            Submetric("hits{url:http://x/{id}}", "hits", {"url": "http://x/{id}"}),
        ),
        ("hits{url:/{}", Submetric("hits{url:/{}", "hits", {"url": "/{"})),
        ("hits{group:''}", Submetric("hits{group:''}", "hits", {"group": ""})),
        ("hits{a:1,a:2}", Submetric("hits{a:1,a:2}", "hits", {"a": "2"})),
    ],
)
def test_keys_of_sub_metrics(key: str, submetric: Submetric) -> None:
    found = parse_thresholds({key: ["count>1"]})
    assert found.submetrics == {submetric.name: submetric}
    assert list(found.thresholds) == [submetric.name]
    assert submetric.name == f"hits{{{submetric.suffix}}}"


@pytest.mark.parametrize(
    ("key", "what", "reason"),
    [
        ("hits{a:1", "hits{a:1", "has unmatched opening/close curly brace"),
        ("hitsa:1}", "hitsa:1}", "has unmatched opening/close curly brace"),
        ("hits}a:1{", "hits}a:1{", "closing curly brace appears before opening one"),
        ("hits{a:1}s", "hits{a:1}s", "lacks a closing curly brace in its last position"),
        ("hits{}", "", "tag expression is malformed"),
        ("hits{a}", "a", "tag expression is malformed"),
        ("hits{a:}", "a:", "tag expression is malformed"),
        ("hits{a:1,}", "", "tag expression is malformed"),
        ("hits{a:1, b}", " b", "tag expression is malformed"),
    ],
)
def test_what_is_no_key(key: str, what: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_thresholds({key: []})
    assert str(caught.value) == (
        "unable to validate threshold expressions; reason: parsing metric name failed, metric "
        f'"{what}" {reason}'
    )
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


@given(st.text(max_size=15) | st.text(alphabet="ab{}:,' \"", max_size=12))
def test_any_key_is_read_or_refused(key: str) -> None:
    try:
        found = parse_thresholds({key: []})
    except ConfigError as error:
        assert "parsing metric name failed" in str(error)  # noqa: PT017
        return
    assert len(found.thresholds) == 1
    assert found.metric_name(next(iter(found.thresholds))) == key.split("{")[0]


def test_tags_that_no_metric_is_kept_by_are_warned_about() -> None:
    found = parse_thresholds({"hits{vu:1}": [], "hits{iter:2,a:b}": [], "hits{x:vu}": []})
    assert found.warnings == [
        "The high-cardinality 'vu' metric tag was made non-indexable in k6 v0.41.0, so thresholds like "
        "'hits{vu:1}' that are based on it won't work correctly.",
        "The high-cardinality 'iter' metric tag was made non-indexable in k6 v0.41.0, so thresholds "
        "like 'hits{iter:2,a:b}' that are based on it won't work correctly.",
    ]


def test_entries() -> None:
    found = parse_thresholds(
        {
            "hits": [
                "count>1",
                {"threshold": "rate>2", "abortOnFail": True, "delayAbortEval": "10s"},
                {"threshold": "count>3", "abortOnFail": None, "delayAbortEval": None},
            ]
        }
    )
    assert found.thresholds == {
        "hits": [
            ThresholdCondition("count>1", "count", ">", 1.0),
            ThresholdCondition("rate>2", "rate", ">", 2.0, abort_on_fail=True, delay_abort_eval=10.0),
            ThresholdCondition("count>3", "count", ">", 3.0),
        ]
    }
    with pytest.raises(ConfigError, match=r"malformed threshold expression$"):
        parse_thresholds({"hits": [{"abortOnFail": True}]})


def test_two_spellings_of_a_key_lose_nothing() -> None:
    found = parse_thresholds({"hits{a:1}": ["count>1"], "hits{ a:1 }": ["count<9"]})
    assert [one.source for one in found.thresholds["hits{a:1}"]] == ["count>1", "count<9"]


# -- metrics ---------------------------------------------------------------------------------------


def validate(raw: dict[str, Any]) -> None:
    registry = Registry()
    for name, type_ in (("cc", "counter"), ("gg", "gauge"), ("rr", "rate"), ("tt", "trend")):
        registry.declare(name, type_)
    parse_thresholds(raw).validate(registry)


def test_what_each_type_can_be_asked() -> None:
    validate(
        {
            "cc": ["count>1", "rate>1"],
            "gg": ["value>1"],
            "rr": ["rate>1"],
            "tt": ["avg>1", "min>1", "max>1", "med>1", "p(99.99)>1"],
            "tt{a:b}": ["p(0)>1"],
            "http_reqs": ["count>1"],
        }
    )


@pytest.mark.parametrize(
    ("key", "source", "method", "type_", "methods"),
    [
        ("cc", "avg>0", "avg", "counter", "count, rate"),
        ("cc", "p(95)>0", "p", "counter", "count, rate"),
        ("gg", "max>0", "max", "gauge", "value"),
        ("rr", "count>0", "count", "rate", "rate"),
        ("tt", "count>0", "count", "trend", "avg, min, max, med, p"),
        ("tt{a:b}", "rate>0", "rate", "trend", "avg, min, max, med, p"),
    ],
)
def test_what_a_type_cannot_be_asked(
    key: str, source: str, method: str, type_: str, methods: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        validate({key: [source]})
    assert str(caught.value) == (
        f'invalid threshold "{source}" applied on metric {key}; reason: unsupported aggregation method '
        f"{method} on metric of type {type_}. supported aggregation methods for this metric are: "
        f"{methods}"
    )
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


@pytest.mark.parametrize("key", ["nope", "nope{a:b}", "cc {a:b}"])
def test_a_metric_that_there_is_none_of(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate({key: ["count>0"]})
    assert str(caught.value) == (
        f'invalid threshold defined on {key}; reason: no metric name "{key}" found'
    )


# -- verdicts --------------------------------------------------------------------------------------


def test_names_of_what_has_failed_are_sorted() -> None:
    found = parse_thresholds({"b": ["count>1", "count<9"], "a{x:1}": ["count>1"], "c": ["count>0"]})
    sinks = Sinks(a=counter(1), b=counter(1), c=counter(1), **{"a{x:1}": counter(1)})
    assert found.evaluate(sinks, 1.0, final=False) == Verdict(("a{x:1}", "b"), abort=False)
    assert [one.failed for one in found.thresholds["b"]] == [True, False]
    sinks.sinks["b"].add(4)
    assert found.evaluate(sinks, 1.0, final=True).crossed == ("a{x:1}",)
    assert [one.failed for one in found.thresholds["b"]] == [False, False]


def test_without_samples_only_the_end_judges_and_rates_pass() -> None:
    found = parse_thresholds(
        {
            "cc": ["count>0", "count<1", "rate>0"],
            "gg": ["value>0", "value==0"],
            "rr": ["rate>0.9", "rate<0.1"],
            "tt": ["p(95)>1", "avg<1"],
        }
    )
    sinks = Sinks(cc=CounterSink(), gg=GaugeSink(), rr=RateSink(), tt=TrendSink())
    assert found.evaluate(sinks, 1.0, final=False) == Verdict((), abort=False)
    assert all(one.failed is None for judged in found.thresholds.values() for one in judged)
    assert found.evaluate(sinks, 1.0, final=True).crossed == ("cc", "gg", "tt")
    failed = {key: [one.failed for one in judged] for key, judged in found.thresholds.items()}
    assert failed == {
        "cc": [True, False, True],
        "gg": [True, False],
        "rr": [False, False],
        "tt": [True, False],
    }


def test_the_rate_of_a_counter_is_per_second_of_the_run() -> None:
    found = parse_thresholds({"cc": ["rate>=2"]})
    sinks = Sinks(cc=counter(10))
    assert found.evaluate(sinks, 5.0, final=True).crossed == ()
    assert found.evaluate(sinks, 5.1, final=True).crossed == ("cc",)


def test_what_is_not_known_is_passed_over() -> None:
    found = parse_thresholds({"cc": ["count>1"]})
    assert found.evaluate(Sinks(), 1.0, final=True) == Verdict((), abort=False)


@pytest.mark.parametrize(
    ("entry", "elapsed", "abort"),
    [
        ({"threshold": "count>5"}, 9.0, False),
        ({"threshold": "count>5", "abortOnFail": True}, 0.1, True),
        ({"threshold": "count>5", "abortOnFail": True, "delayAbortEval": "3s"}, 2.0, False),
        ({"threshold": "count>5", "abortOnFail": True, "delayAbortEval": "3s"}, 4.0, True),
        ({"threshold": "count>0", "abortOnFail": True}, 9.0, False),
    ],
)
def test_abort_on_fail(entry: dict[str, Any], elapsed: float, abort: bool) -> None:
    found = parse_thresholds({"cc": ["count>5", entry]})
    assert found.evaluate(Sinks(cc=counter(1)), elapsed, final=False).abort is abort


def test_no_thresholds_are_no_failure() -> None:
    assert ThresholdSet().evaluate(Sinks(), 1.0, final=True) == Verdict((), abort=False)


@pytest.mark.parametrize(
    ("key", "scenario"),
    [
        ("iterations", None),
        ("iterations{team:core}", None),
        ("iterations{name:scenario:api}", None),
        ("iterations{scenario:api}", "api"),
        ("iterations{ 'scenario' : \"api\" , team:core}", "api"),
        ("iterations{scenario:api,scenario:db}", "db"),
        ("iterations{scenario", None),
    ],
)
def test_the_scenario_that_a_key_filters_by(key: str, scenario: str | None) -> None:
    assert scenario_of(key) == scenario
