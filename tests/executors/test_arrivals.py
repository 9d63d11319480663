"""When an arrival rate starts iterations (k6-surface SC-33 to SC-35, SG-07)."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.executors.arrivals import Arrivals, Ramp, RateProfile
from jsrunner.options.segment import Striping, parse_sequence

WHOLE = Striping(None, None)


def starts(*ramps: tuple[float, float, float], at_once: bool = False) -> list[float]:
    profile = RateProfile(tuple(Ramp(*ramp) for ramp in ramps), at_once)
    return [round(offset, 6) for offset in profile.starts()]


def test_a_steady_rate_starts_at_once_and_at_its_very_end() -> None:
    assert starts((1, 5, 5), at_once=True) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert starts((1, 0.5, 0.5), at_once=True) == [0]
    assert starts((2, 0.5, 0.5), at_once=True) == [0, 2]


def test_a_ramp_starts_where_its_integral_is_whole() -> None:
    assert starts((2, 0, 4)) == [1, round(math.sqrt(2), 6), round(math.sqrt(3), 6), 2]
    assert starts((2, 4, 0)) == [round(2 - math.sqrt(left), 6) for left in (3, 2, 1, 0)]
    assert starts((2, 1, 1)) == [1, 2]


def test_fractions_carry_over_from_ramp_to_ramp() -> None:
    assert starts((1.5, 1, 1), (1.5, 1, 1)) == [1, 2, 3]
    assert starts((1, 0.5, 0.5), (1, 1, 1)) == [1.5]


def test_a_ramp_without_length_jumps_and_a_rate_of_nothing_starts_nothing() -> None:
    assert starts((0, 0, 2), (1, 2, 2), (5, 0, 0), (1, 2, 2)) == [0.5, 1, 6.5, 7]
    assert starts((10, 0, 0)) == []
    assert starts((0, 5, 9)) == []
    assert starts() == []


RAMPS = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 20), st.integers(0, 20)), max_size=5).map(
    lambda ramps: tuple(Ramp(*map(float, ramp)) for ramp in ramps)
)


def area(profile: RateProfile, moment: float) -> float:
    """Return the number of due iterations, by many small steps of `rate_at`."""
    done, begun = 0.0, 0.0
    for ramp in profile.ramps:
        length = min(max(moment - begun, 0.0), ramp.duration)
        if length > 0:
            rate = ramp.first + (ramp.last - ramp.first) * length / ramp.duration
            done += (ramp.first + rate) / 2 * length
        begun += ramp.duration
    return done


@given(RAMPS)
def test_every_start_is_where_one_more_has_fallen_due(ramps: tuple[Ramp, ...]) -> None:
    profile = RateProfile(ramps, at_once=False)
    found = list(profile.starts())
    for number, offset in enumerate(found, 1):
        assert area(profile, offset) == pytest.approx(number, abs=1e-6)
    assert len(found) == math.floor(area(profile, profile.duration) + 1e-9)
    assert all(first <= second for first, second in pairwise(found))
    assert all(0 <= offset <= profile.duration for offset in found)


@given(RAMPS)
def test_starting_at_once_is_one_more(ramps: tuple[Ramp, ...]) -> None:
    later = list(RateProfile(ramps, at_once=False).starts())
    at_once = list(RateProfile(ramps, at_once=True).starts())
    assert len(at_once) in (len(later), len(later) + 1)
    assert RateProfile(ramps, at_once=False).count() == len(later)
    assert RateProfile(ramps, at_once=True).count() == len(at_once)
    assert at_once[len(at_once) - len(later) :] == later


def test_the_rate_at_a_moment() -> None:
    profile = RateProfile((Ramp(2, 0, 4), Ramp(0, 4, 10), Ramp(2, 10, 10)), at_once=False)
    assert [profile.rate_at(moment) for moment in (-1, 0, 1, 2, 3, 99)] == [0, 0, 2, 10, 10, 10]
    assert RateProfile((), at_once=False).rate_at(1) == 0
    assert profile.duration == 4


def test_segments_share_the_starts_of_the_whole() -> None:
    profile = RateProfile((Ramp(3, 4, 4),), at_once=True)
    sequence = parse_sequence("0,1/3,2/3,1")
    parts = [Arrivals(profile, Striping(segment, sequence).rescaled(10), 5) for segment in sequence]
    whole = list(Arrivals(profile, WHOLE, 5).starts())
    assert whole == list(profile.starts())
    assert sorted(offset for part in parts for offset in part.starts()) == whole
    assert [whole.index(offset) for offset in parts[0].starts()] == [0, 3, 5, 8, 10]
    assert parts[0].rate_at(1.0) == pytest.approx(1.6)


def test_without_vus_nothing_starts() -> None:
    assert list(Arrivals(RateProfile((Ramp(3, 4, 4),), at_once=True), WHOLE, 0).starts()) == []
