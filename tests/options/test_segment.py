"""Execution segments: how they are written, and which indices each gets (k6-surface SG-01 to SG-06)."""

from __future__ import annotations

import pickle
import re
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.options.segment import (
    WHOLE,
    Segment,
    SegmentKind,
    SequenceKind,
    Striping,
    parse_segment,
    parse_sequence,
    sequence_text,
)

THIRDS = parse_sequence("0,1/3,2/3,1")

POINTS = st.lists(
    st.fractions(min_value=0, max_value=1, max_denominator=12), min_size=2, max_size=6, unique=True
).map(sorted)


def sequence_of(points: list[Fraction]) -> tuple[Segment, ...]:
    return tuple(Segment(first, last) for first, last in pairwise(points))


def owned(striping: Striping, total: int) -> list[int]:
    """The own ones of the first `total` indices."""
    return [striping.index(number) for number in range(striping.count(total))]


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("1/3:2/3", Segment(Fraction(1, 3), Fraction(2, 3))),
        ("1/3", Segment(Fraction(0), Fraction(1, 3))),
        ("33%", Segment(Fraction(0), Fraction(33, 100))),
        ("0.25:75%", Segment(Fraction(1, 4), Fraction(3, 4))),
        ("2/4:.75", Segment(Fraction(1, 2), Fraction(3, 4))),
        ("", WHOLE),
        ("0:1", WHOLE),
        ("1", WHOLE),
    ],
)
def test_how_a_segment_is_written(text: str, segment: Segment) -> None:
    assert parse_segment(text) == segment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2:1", "segment start(2.00) must be less than its end(1.00)"),
        ("1/2:1/2", "segment start(0.50) must be less than its end(0.50)"),
        ("0", "segment start(0.00) must be less than its end(0.00)"),
        ("-1:1", "segment start value must be at least 0 but was -1.00"),
        ("0:3/2", "segment end value can't be more than 1 but was 1.50"),
        ("abc", "'abc' is not a valid percentage, decimal, fraction or interval value"),
        ("1/0", "'1/0' is not a valid percentage, decimal, fraction or interval value"),
        (":", "'' is not a valid percentage, decimal, fraction or interval value"),
        ("1e-1", "'1e-1' is not a valid percentage, decimal, fraction or interval value"),
        ("x%", "'x%' is not a valid percentage"),
        ("1.5%", "'1.5%' is not a valid percentage"),
    ],
)
def test_what_is_no_segment(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + re.escape(reason) + "$"):
        parse_segment(text)


def test_how_a_sequence_is_written() -> None:
    assert tuple(parse_segment(one) for one in ("0:1/3", "1/3:2/3", "2/3:1")) == THIRDS
    assert parse_sequence("") == ()
    assert sequence_text(parse_sequence("0,50%,1")) == "0,1/2,1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/2", "at least 2 points are needed for an execution segment sequence, 1 given"),
        ("0,1/2,1/3", "segment start(0.50) must be less than its end(0.33)"),
        ("0,2", "segment end value can't be more than 1 but was 2.00"),
        ("-1,1", "segment start value must be at least 0 but was -1.00"),
        ("0,x", "'x' is not a valid percentage, decimal, fraction or interval value"),
    ],
)
def test_what_is_no_sequence(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + re.escape(reason) + "$"):
        parse_sequence(text)


@given(POINTS)
def test_what_is_written_is_read_again(points: list[Fraction]) -> None:
    sequence = sequence_of(points)
    kind = SequenceKind()
    assert kind.from_json(kind.to_json(sequence)) == kind.from_env(kind.to_json(sequence)) == sequence
    for segment in sequence:
        assert SegmentKind().from_json(SegmentKind().to_json(segment)) == segment
        assert SegmentKind().from_env(str(segment)) == segment


def test_other_json_is_no_segment() -> None:
    with pytest.raises(ValueError, match=r"cannot unmarshal number .* lib\.ExecutionSegment$"):
        SegmentKind().from_json(0.5)
    with pytest.raises(ValueError, match=r"cannot unmarshal array .* lib\.ExecutionSegmentSequence$"):
        SequenceKind().from_json([0, 1])
    assert SequenceKind().to_json(()) == ""


# -- striping --------------------------------------------------------------------------------------


def test_thirds_of_ten_vus() -> None:
    own = [[one + 1 for one in owned(Striping(segment, THIRDS), 10)] for segment in THIRDS]
    assert own == [[1, 4, 7, 10], [2, 5, 8], [3, 6, 9]]


def test_larger_segments_choose_first() -> None:
    sequence = parse_sequence("0,1/4,3/4,1")
    own = [owned(Striping(segment, sequence), 8) for segment in sequence]
    assert own == [[1, 5], [0, 2, 4, 6], [3, 7]]


def test_shared_iterations_go_by_the_vus_that_each_has() -> None:
    own = [owned(Striping(segment, THIRDS).rescaled(10), 20) for segment in THIRDS]
    assert own == [[0, 3, 5, 8, 10, 13, 15, 18], [1, 4, 7, 11, 14, 17], [2, 6, 9, 12, 16, 19]]


def test_without_a_sequence_the_gaps_are_segments() -> None:
    segment = parse_segment("1/4:1/2")
    filled = Striping(segment, parse_sequence("0,1/4,1/2,1"))
    for striping in (Striping(segment, None), Striping(segment, (segment,))):
        assert owned(striping, 20) == owned(filled, 20) == [3, 7, 11, 15, 19]


def test_a_segment_must_be_one_of_its_sequence() -> None:
    for segment, text in ((parse_segment("1/2"), "0:1/2"), (None, "0:1")):
        with pytest.raises(
            ValueError, match=rf"^provided segment {text} can't be found in sequence 0,1/3,1$"
        ):
            Striping(segment, parse_sequence("0,1/3,1"))
    with pytest.raises(ValueError, match=r"^provided segment 0:1/3 can't be found in sequence 1/3,1$"):
        Striping(parse_segment("1/3"), parse_sequence("1/3,1"))


@given(POINTS, st.integers(0, 200))
def test_every_index_has_exactly_one_owner(points: list[Fraction], total: int) -> None:
    sequence = sequence_of(sorted({*points, Fraction(0), Fraction(1)}))
    own = [owned(Striping(segment, sequence), total) for segment in sequence]
    assert sorted(index for indices in own for index in indices) == list(range(total))


@given(POINTS, st.integers(1, 60), st.integers(0, 200))
def test_every_shared_iteration_has_exactly_one_owner(
    points: list[Fraction], vus: int, iterations: int
) -> None:
    sequence = sequence_of(sorted({*points, Fraction(0), Fraction(1)}))
    own = []
    for segment in sequence:
        striping = Striping(segment, sequence)
        if striping.count(vus):
            rescaled = striping.rescaled(vus)
            assert rescaled.segment.length == Fraction(striping.count(vus), vus)
            own.append(owned(rescaled, iterations))
    assert sorted(index for indices in own for index in indices) == list(range(iterations))


@given(POINTS, st.integers(0, 300))
def test_shares_are_fair_at_every_moment(points: list[Fraction], total: int) -> None:
    sequence = sequence_of(sorted({*points, Fraction(0), Fraction(1)}))
    for segment in sequence:
        share = Striping(segment, sequence).count(total)
        assert abs(share - total * segment.length) <= len(sequence)


@given(POINTS, st.lists(st.integers(0, 300), max_size=5))
def test_the_order_of_questions_does_not_matter(points: list[Fraction], totals: list[int]) -> None:
    sequence = sequence_of(points)
    asked = Striping(sequence[0], sequence)
    for total in totals:
        fresh = Striping(sequence[0], sequence)
        assert asked.count(total) == fresh.count(total)
        assert asked.index(total) == fresh.index(total)


def test_the_whole_test_keeps_all() -> None:
    striping = Striping(None, None)
    assert striping.count(12345) == 12345
    assert striping.index(12345) == 12345
    assert striping.rescaled(7) is striping


def test_an_odd_segment_of_a_huge_period_is_no_burden() -> None:
    striping = Striping(parse_segment("0:0.123456789"), None)
    assert striping.count(1000) == 124
    assert striping.index(0) == 1
    assert striping.rescaled(1000).count(10_000) == 1240


def test_a_striping_can_be_pickled() -> None:
    sequence = parse_sequence("0,1/3,2/3,1")
    third = Striping(sequence[1], sequence)
    for striping in (third, third.rescaled(10)):
        striping.index(5)
        copy = pickle.loads(pickle.dumps(striping))
        assert [copy.index(number) for number in range(9)] == [
            striping.index(number) for number in range(9)
        ]
        assert copy.count(100) == striping.count(100)
