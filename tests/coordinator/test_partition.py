"""Which worker plays which VUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from jsrunner.coordinator.partition import max_vus, share_out
from jsrunner.executors.constant_arrival_rate import ConstantArrivalRate
from jsrunner.executors.constant_vus import ConstantVUs
from jsrunner.executors.ramping_vus import RampingVUs
from jsrunner.options.kinds import Stage
from jsrunner.options.segment import Striping, parse_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan
    from jsrunner.messages.plan import Share

WHOLE = Striping(None, None)

SECONDS = st.integers(0, 8).map(float)
CONSTANT = st.builds(
    ConstantVUs,
    name=st.just("s"),
    vus=st.integers(1, 9),
    duration=SECONDS,
    start_time=SECONDS,
    graceful_stop=SECONDS,
)
RAMPING = st.builds(
    RampingVUs,
    name=st.just("s"),
    start_vus=st.integers(0, 5),
    start_time=SECONDS,
    graceful_stop=SECONDS,
    graceful_ramp_down=SECONDS,
    stages=st.lists(
        st.builds(Stage, SECONDS, st.integers(1, 9)),
        min_size=1,
        max_size=4,
    ).map(tuple),
)
SCENARIOS = st.lists(CONSTANT | RAMPING, min_size=1, max_size=4).map(
    lambda configs: {f"s{number}": config for number, config in enumerate(configs)}
)
WORKERS = st.integers(1, 5)


def plans(
    scenarios: Mapping[str, ExecutorConfig], striping: Striping = WHOLE
) -> dict[str, ScenarioPlan]:
    return {name: config.plan(striping) for name, config in scenarios.items()}


def needed(scenarios: Mapping[str, ExecutorConfig], striping: Striping = WHOLE) -> int:
    return max_vus(plans(scenarios, striping).values())


def shared_out(
    scenarios: Mapping[str, ExecutorConfig], workers: int, striping: Striping = WHOLE
) -> tuple[Share, ...]:
    return share_out(plans(scenarios, striping), workers)


def busy_at_once(scenarios: Mapping[str, ExecutorConfig], share: Share) -> int:
    """The most VUs that a worker ever needs, found by looking at every moment when one begins."""
    spans = [
        (config.start_time + start, config.start_time + end)
        for name, config in scenarios.items()
        for index in share.indices[name]
        for start, end in config.plan(WHOLE).busy(index)
        if end > start
    ]
    return max((sum(one <= moment < end for one, end in spans) for moment, _ in spans), default=0)


@given(SCENARIOS, WORKERS)
def test_every_vu_of_every_plan_is_played_by_exactly_one_worker(
    scenarios: dict[str, ExecutorConfig], workers: int
) -> None:
    shares = shared_out(scenarios, workers)
    assert len(shares) == workers
    for name, plan in plans(scenarios).items():
        played = [index for share in shares for index in share.indices[name]]
        assert sorted(played) == list(range(plan.vus))


@given(SCENARIOS, WORKERS)
def test_a_worker_always_has_a_vu_for_who_wants_one(
    scenarios: dict[str, ExecutorConfig], workers: int
) -> None:
    for share in shared_out(scenarios, workers):
        assert len(share.vu_ids) >= busy_at_once(scenarios, share)


@given(SCENARIOS, WORKERS)
def test_vus_are_numbered_from_one_without_gaps_over_all_workers(
    scenarios: dict[str, ExecutorConfig], workers: int
) -> None:
    shares = shared_out(scenarios, workers)
    numbers = [number for share in shares for number in share.vu_ids]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert all(list(share.vu_ids) == sorted(share.vu_ids) for share in shares)


@given(SCENARIOS, WORKERS)
def test_hardly_more_vus_than_one_worker_would_need(
    scenarios: dict[str, ExecutorConfig], workers: int
) -> None:
    made = sum(len(share.vu_ids) for share in shared_out(scenarios, workers))
    least = needed(scenarios)
    assert least <= made <= least + (len(scenarios) - 1) * (workers - 1)


@given(st.lists(CONSTANT, min_size=1, max_size=5), WORKERS)
def test_no_more_vus_than_one_worker_would_need_where_each_vu_works_once(
    configs: list[ConstantVUs], workers: int
) -> None:
    scenarios = {f"s{number}": config for number, config in enumerate(configs)}
    made = sum(len(share.vu_ids) for share in shared_out(scenarios, workers))
    assert made == needed(scenarios)


def test_many_vus_are_dealt_out() -> None:
    scenarios = {
        "a": ConstantVUs(name="a", vus=301, duration=1.0),
        "b": ConstantVUs(name="b", vus=99, duration=1.0),
    }
    shares = shared_out(scenarios, 4)
    assert sorted(len(share.vu_ids) for share in shares) == [100] * 4
    assert sorted(len(share.indices["a"]) for share in shares) == [75, 75, 75, 76]


@given(SCENARIOS)
def test_one_worker_has_all(scenarios: dict[str, ExecutorConfig]) -> None:
    (share,) = shared_out(scenarios, 1)
    assert len(share.vu_ids) == needed(scenarios)


@given(CONSTANT | RAMPING, WORKERS)
def test_workers_have_the_same_number_but_for_one(config: ExecutorConfig, workers: int) -> None:
    shares = shared_out({"s": config}, workers)
    sizes = [len(share.indices["s"]) for share in shares]
    assert max(sizes) - min(sizes) <= 1


def test_small_numbers_are_spread() -> None:
    config = ConstantVUs(name="s", vus=5, duration=1.0)
    shares = shared_out({"s": config}, 2)
    assert [share.vu_ids for share in shares] == [(1, 3, 5), (2, 4)]
    assert [share.indices for share in shares] == [{"s": (0, 2, 4)}, {"s": (1, 3)}]


def test_scenarios_at_the_same_time_load_the_workers_evenly() -> None:
    scenarios = {str(number): ConstantVUs(name="s", vus=1, duration=1.0) for number in range(4)}
    shares = shared_out(scenarios, 2)
    assert [len(share.vu_ids) for share in shares] == [2, 2]


def test_scenarios_one_after_the_other_share_their_vus() -> None:
    scenarios = {
        "a": ConstantVUs(name="a", vus=3, duration=1.0, graceful_stop=1.0),
        "b": ConstantVUs(name="b", vus=3, duration=1.0, start_time=2.0),
    }
    assert needed(scenarios) == 3
    assert sum(len(share.vu_ids) for share in shared_out(scenarios, 2)) == 3
    scenarios["b"] = ConstantVUs(name="b", vus=3, duration=1.0, start_time=1.5)
    assert needed(scenarios) == 6


def test_a_ramped_down_vu_is_kept_for_its_graceful_period_once() -> None:
    waves = tuple(Stage(1.0, target) for target in (4, 0, 4, 0))
    config = RampingVUs(name="s", start_vus=0, stages=waves, graceful_ramp_down=30.0)
    assert needed({"s": config}) == 4
    other = ConstantVUs(name="o", vus=2, duration=1.0, start_time=4.0)
    assert needed({"s": config, "o": other}) == 6


def test_an_arrival_rate_begins_with_its_pre_allocated_vus_and_may_need_more() -> None:
    rate = ConstantArrivalRate(
        name="r", rate=1, duration=2.0, pre_allocated_vus=2, max_vus=5, graceful_stop=1.0
    )
    scenarios = {"r": rate, "c": ConstantVUs(name="c", vus=3, duration=1.0, start_time=2.5)}
    assert needed({"r": rate}) == 5
    assert needed(scenarios) == 8
    assert sum(len(share.vu_ids) for share in shared_out({"r": rate}, 2)) == 2


def test_a_segment_makes_its_share_only() -> None:
    striping = Striping(parse_segment("0:1/2"), None)
    scenarios = {"s": ConstantVUs(name="s", vus=5, duration=1.0)}
    assert needed(scenarios, striping) == 3
    shares = shared_out(scenarios, 2, striping)
    assert [share.indices["s"] for share in shares] == [(0, 2), (1,)]


def test_more_workers_than_vus_leave_some_idle() -> None:
    shares = shared_out({"s": ConstantVUs(name="s", vus=1, duration=1.0)}, 3)
    assert [share.vu_ids for share in shares] == [(1,), (), ()]


def test_vus_of_one_moment() -> None:
    """In k6's order: an earlier scenario's end is before a later one's begin, a ramp's up before down."""
    last = RampingVUs(name="r", start_vus=0, stages=(Stage(2.0, 2),), graceful_stop=0.0)
    assert needed({"r": last}) == 2
    assert [len(share.vu_ids) for share in shared_out({"r": last}, 2)] == [1, 1]
    jumps = (Stage(1.0, 0), Stage(0.0, 5), Stage(0.0, 1))
    brief = RampingVUs(name="b", start_vus=0, stages=jumps, graceful_stop=0.0, graceful_ramp_down=0.0)
    assert needed({"b": brief}) == 5
    one = ConstantVUs(name="c", vus=3, duration=1.0, graceful_stop=0.0)
    assert needed({"c": one, "b": brief}) == 5
    assert needed({"b": brief, "c": one}) == 8
