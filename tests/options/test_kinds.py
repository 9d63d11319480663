"""The types of option values: what each takes from JSON, flags and the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.options import kinds
from jsrunner.options.kinds import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip

ALL = (
    kinds.Text(), kinds.Bool(), kinds.Int(), kinds.Duration(), kinds.Texts(), kinds.SystemTags(),
    kinds.TrendStats(), kinds.TimeUnit(), kinds.TextMap(), kinds.Stages(), kinds.Anything(),
    kinds.Object(), kinds.Thresholds(),
)  # fmt: skip


def refused(read: Callable[[Any], object], value: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: type(kind).__name__)
@given(value=JSON)
def test_any_json_is_read_or_refused(kind: kinds.Kind, value: object) -> None:
    """And what was read can be written, and read again as the same."""
    if value is None:
        return  # readers of options pass over it
    try:
        read = kind.from_json(value)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - nothing else may be raised
        return
    if read is not None:
        assert kind.from_json(kind.to_json(read)) == read


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: type(kind).__name__)
@given(text=st.text(max_size=12))
def test_any_text_is_read_or_refused(kind: kinds.Kind, text: str) -> None:
    for read in (kind.from_text, kind.from_env):
        try:
            read(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - nothing else may be raised


def test_texts() -> None:
    kind = kinds.Text()
    assert kind.from_json("") == ""
    assert kind.from_env("a=b") == "a=b"
    assert refused(kind.from_json, 5) == (
        "json: cannot unmarshal float64 into Go value of type null.String"
    )
    assert refused(kind.from_json, []) == "json: cannot unmarshal  into Go value of type null.String"


def test_booleans() -> None:
    kind = kinds.Bool()
    assert kind.from_json(True) is True
    assert [kind.from_text(text) for text in ("1", "t", "True", "0", "F", "false")] == (
        [True] * 3 + [False] * 3
    )
    assert [kind.from_env(text) for text in ("true", "false")] == [True, False]
    assert refused(kind.from_env, "1") == "invalid input:1"
    assert refused(kind.from_text, "yes") == 'strconv.ParseBool: parsing "yes": invalid syntax'
    assert refused(kind.from_json, "true") == (
        "json: cannot unmarshal string into Go value of type null.Bool"
    )
    assert refused(kind.from_json, 1) == (
        "json: cannot unmarshal float64 into Go value of type null.Bool"
    )


def test_whole_numbers() -> None:
    kind = kinds.Int()
    assert kind.from_json(5) == kind.from_json("5") == kind.from_text("5") == kind.from_env("5") == 5
    assert kind.from_json("") is None
    assert refused(kind.from_json, "five") == 'strconv.ParseInt: parsing "five": invalid syntax'
    assert refused(kind.from_json, 1.5) == (
        "json: cannot unmarshal number 1.5 into Go value of type int64"
    )
    assert refused(kind.from_json, 2**63) == (
        f"json: cannot unmarshal number {2**63} into Go value of type int64"
    )
    assert refused(kind.from_json, True) == (
        "json: cannot unmarshal bool into Go value of type null.Int"
    )


def test_durations() -> None:
    kind = kinds.Duration()
    assert kind.from_json(1500) == kind.from_json("1.5s") == kind.from_env("1500") == 1.5
    assert kind.from_text("1m30s") == 90
    assert kind.to_json(90.0) == "1m30s"
    assert refused(kind.from_json, True) == "'true' is not a valid duration value"
    assert refused(kind.from_json, {"s": 1}) == "'{\n  \"s\": 1\n}' is not a valid duration value"
    assert refused(kind.from_text, "1500") == 'time: missing unit in duration "1500"'


def test_lists_of_texts() -> None:
    kind = kinds.Texts()
    assert kind.from_json(["a", "b"]) == kind.from_text("a,b") == kind.from_env("a,b") == ("a", "b")
    assert kind.from_text("") == ()
    assert kind.to_json(("a",)) == ["a"]
    assert (
        refused(kind.from_json, "a") == "json: cannot unmarshal string into Go value of type []string"
    )
    assert refused(kind.from_json, ["a", 5]) == (
        "json: cannot unmarshal number into Go value of type string"
    )


def test_system_tags_that_are_none_are_passed_over() -> None:
    kind = kinds.SystemTags()
    assert kind.from_json(["url", "colour", "vu", "url"]) == ("url", "vu")
    assert kind.from_json([]) == ()
    assert kind.from_env(" url , method,") == ("url", "method")


@pytest.mark.parametrize("stat", ["avg", "min", "med", "max", "count", "p(0)", "p(99.99)", "p(100)"])
def test_trend_stats(stat: str) -> None:
    assert kinds.TrendStats().from_json([stat]) == (stat,)


@pytest.mark.parametrize("stat", ["foo", "", "p", "p(95", "P(95)", "p95", "sum"])
def test_what_is_no_trend_stat(stat: str) -> None:
    assert (
        refused(kinds.TrendStats().checked, (stat,)) == f"invalid trend stat '{stat}', unknown format"
    )


@pytest.mark.parametrize("stat", ["p(101)", "p(-1)", "p(x)", "p()", "p(nan)", "p( 95)"])
def test_percentiles_that_are_none(stat: str) -> None:
    assert refused(kinds.TrendStats().checked, (stat,)) == (
        f"invalid percentile trend stat value '{stat}', provide a number between 0 and 100"
    )


def test_time_units() -> None:
    kind = kinds.TimeUnit()
    assert [kind.from_json(unit) for unit in ("s", "ms", "us", "", "zz")] == ["s", "ms", "us", "", "zz"]
    assert [kind.from_env(unit) for unit in ("ms", "hours")] == ["ms", "hours"]
    assert kind.from_text("us") == "us"
    assert refused(kind.from_text, "zz") == "invalid summary time unit 'zz', use 's', 'ms' or 'us'"


def test_maps_of_texts() -> None:
    kind = kinds.TextMap()
    assert kind.from_json({"a": "b"}) == {"a": "b"}
    assert kind.from_text("a=b=c") == {"a": "b=c"}
    assert kind.from_env("a:b,c:d") == {"a": "b", "c": "d"}
    assert refused(kind.from_json, {"a": 1}) == (
        "json: cannot unmarshal number into Go value of type string"
    )
    assert kind.from_json({"a": None}) == {"a": ""}
    assert refused(kind.from_text, "") == "error parsing tag '': invalid tag, empty string"
    assert refused(kind.from_text, "a=") == "error parsing tag 'a=': invalid tag, empty value"
    assert refused(kind.from_text, "a") == "error parsing tag 'a': invalid tag, empty value"
    assert refused(kind.from_text, "=b") == "error parsing tag '=b': invalid tag, empty name"
    assert refused(kind.from_env, "a=b") == 'invalid map item: "a=b"'
    assert refused(kind.from_env, "a:b:c") == 'invalid map item: "a:b:c"'


def test_stages() -> None:
    kind = kinds.Stages()
    stages = (Stage(10.0, 5), Stage(60.0, 0))
    assert (
        kind.from_json([{"duration": "10s", "target": "5"}, {"duration": 60000, "target": 0}]) == stages
    )
    assert kind.from_text("10s:5,1m:0") == kind.from_env("10s:5,1m:0") == stages
    assert kind.to_json(stages) == [{"duration": "10s", "target": 5}, {"duration": "1m0s", "target": 0}]
    partial = kind.from_json([{"target": 5}, {"duration": "1s", "target": None}, {"target": ""}])
    assert partial == (Stage(target=5), Stage(1.0), Stage())
    assert kind.to_json(partial)[0] == {"duration": None, "target": 5}
    assert kind.from_env("1s,:5") == (Stage(1.0), Stage(target=5))


def test_stages_that_are_none() -> None:
    kind = kinds.Stages()
    assert (
        refused(kind.from_json, {}) == "json: cannot unmarshal object into Go value of type []lib.Stage"
    )
    assert refused(kind.from_json, ["1s:5"]) == (
        "json: cannot unmarshal string into Go value of type lib.StageFields"
    )
    assert refused(kind.from_text, "1s:5,10") == (
        'error for stage 1: time: missing unit in duration "10"'
    )
    assert refused(kind.from_text, "1s:x") == (
        'error for stage 0: strconv.ParseInt: parsing "x": invalid syntax'
    )
    assert refused(kind.from_text, ":5") == "stage 0 doesn't have a specified duration"


def test_objects() -> None:
    kind = kinds.Object()
    assert kind.from_json({"a": [1]}) == {"a": [1]}
    assert refused(kind.from_json, []) == (
        "json: cannot unmarshal array into Go value of type map[string]json.RawMessage"
    )


def test_thresholds() -> None:
    kind = kinds.Thresholds()
    entries = ["count>1", {"threshold": "rate<0.1", "abortOnFail": True, "delayAbortEval": "10s"}]
    assert kind.from_json({"a": entries, "b": [], "c": None}) == {"a": entries, "b": [], "c": []}
    lasting = {"threshold": "rate<0.1", "abortOnFail": False, "delayAbortEval": "10s"}
    assert kind.from_json({"a": [lasting, {"threshold": "count>1", "abortOnFail": True}]}) == {
        "a": ["rate<0.1", {"threshold": "count>1", "abortOnFail": True, "delayAbortEval": None}]
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "json: cannot unmarshal array into Go value of type map[string]metrics.Thresholds"),
        (
            {"a": "count>1"},
            "json: cannot unmarshal string into Go value of type []metrics.thresholdConfig",
        ),
        ({"a": [5]}, "json: cannot unmarshal number into Go value of type metrics.rawThresholdConfig"),
        ({"a": [{"threshold": 5}]}, "json: cannot unmarshal number into Go value of type string"),
        (
            {"a": [{"threshold": "count>1", "abortOnFail": "yes"}]},
            "json: cannot unmarshal string into Go value of type bool",
        ),
        (
            {"a": [{"threshold": "count>1", "delayAbortEval": "soon"}]},
            'time: invalid duration "soon"',
        ),
        (
            {"a": [{"threshold": "count>1", "delayAbortEval": []}]},
            "'[]' is not a valid duration value",
        ),
    ],
)
def test_thresholds_that_are_none(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + re.escape(reason) + "$"):
        kinds.Thresholds().from_json(value)
