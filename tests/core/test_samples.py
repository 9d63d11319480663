"""Samples: sums of series, derived tag sets, records for outputs."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest
from core_vu import COUNTER, GAUGE, RATE, TREND, VU, collect, until
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.engine.engine import DRAIN, MERGE, SERIES, TAGS, process_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=100)


class Record(ctypes.Structure):
    """`struct record` of samples.c."""

    _fields_ = (
        ("time", ctypes.c_double),
        ("value", ctypes.c_double),
        ("series", ctypes.c_int32),
        ("metadata", ctypes.c_int32),
    )


@pytest.fixture(scope="module")
def library() -> Any:
    library = process_engine().library
    collect(library)
    return library


@pytest.fixture
def records(library: Any) -> Iterator[Callable[[], list[tuple[float, float, int, int]]]]:
    """Keep a record of each sample; take those since the last time: (time, value, series, metadata)."""

    def take() -> list[tuple[float, float, int, int]]:
        count = ctypes.c_size_t()
        address = library.core_take_records(ctypes.byref(count))
        if not count.value:
            return []
        return [
            (one.time, one.value, one.series, one.metadata)
            for one in (Record * count.value).from_address(address)
        ]

    library.core_keep_records(True)
    yield take
    library.core_keep_records(False)
    take()
    collect(library)


# -- series ------------------------------------------------------------------------------------------


@given(VALUES)
def test_each_kind_adds_up_as_its_metrics_do(library: Any, values: list[float]) -> None:
    expected = {
        COUNTER: pytest.approx(sum(values), abs=1e-3),
        RATE: (sum(1 for one in values if one), len(values)),
        GAUGE: (values[-1], min(values), max(values)),
        TREND: values,
    }
    series = {kind: library.core_series_create(kind) for kind in expected}
    for _ in range(2):  # the second time they begin anew
        for number in series.values():
            for one in values:
                library.core_sample(number, one, 1.0, -1)
        assert collect(library) == {series[kind]: one for kind, one in expected.items()}
        assert collect(library) == {}


def test_only_what_was_touched_is_collected(library: Any) -> None:
    """Of many more series than are collected at a time."""
    numbers = [library.core_series_create(COUNTER) for _ in range(2000)]
    for number in numbers[::7]:
        library.core_sample(number, 2.0, 1.0, -1)
        library.core_sample(number, 3.0, 1.0, -1)
    assert collect(library) == dict.fromkeys(numbers[::7], 5.0)


def test_the_time_of_the_first_sample_stays(library: Any) -> None:
    from jsrunner.core.binding import Collected

    number = library.core_series_create(TREND)
    one = (Collected * 1)()
    for time in (7.5, 9.0):
        library.core_sample(number, 1.0, time, -1)
        assert library.core_collect(one, 1) == 1
        assert (one[0].series, one[0].kind, one[0].first_time, one[0].count) == (number, TREND, 7.5, 1)
    assert library.core_collect(one, 1) == 0


def test_samples_of_one_request(library: Any) -> None:
    kinds = (COUNTER, TREND, RATE)
    numbers = (ctypes.c_int32 * 3)(*map(library.core_series_create, kinds))
    values = (ctypes.c_double * 3)(2.0, 3.0, 0.0)
    for _ in range(2):
        library.core_samples(numbers, values, 3, 1.0, -1)
    assert collect(library) == {numbers[0]: 4.0, numbers[1]: [3.0, 3.0], numbers[2]: (0.0, 2.0)}


def test_trends_keep_all_values(library: Any) -> None:
    number = library.core_series_create(TREND)
    for value in range(100_000):
        library.core_sample(number, float(value), 1.0, -1)
    assert collect(library)[number] == list(map(float, range(100_000)))


# -- records -----------------------------------------------------------------------------------------


def test_outputs_get_each_sample(
    library: Any, records: Callable[[], list[tuple[float, float, int, int]]]
) -> None:
    """In the order in which they were taken, while sums go on."""
    one, other = library.core_series_create(COUNTER), library.core_series_create(TREND)
    library.core_sample(one, 1.5, 10.0, -1)
    library.core_sample(other, 2.5, 11.0, 3)
    library.core_samples((ctypes.c_int32 * 2)(other, one), (ctypes.c_double * 2)(4.0, 5.0), 2, 12.0, 7)
    assert records() == [
        (10.0, 1.5, one, -1), (11.0, 2.5, other, 3), (12.0, 4.0, other, 7), (12.0, 5.0, one, 7),
    ]  # fmt: skip
    assert records() == []
    assert collect(library) == {one: 6.5, other: [2.5, 4.0]}


def test_no_record_is_lost_when_python_is_late(
    library: Any, records: Callable[[], list[tuple[float, float, int, int]]]
) -> None:
    """Python is notified once when the log is half full, and again after it has taken the records."""
    engine = process_engine()
    told: list[int] = []
    engine.handlers[DRAIN] = lambda *_: told.append(1)
    number = library.core_series_create(COUNTER)
    try:
        for count in (1, 2):
            for value in range(100_000):
                library.core_sample(number, float(value), 1.0, -1)
            engine.serve()
            assert len(told) == count
            assert [one[1] for one in records()] == list(map(float, range(100_000)))
    finally:
        del engine.handlers[DRAIN]


def test_without_outputs_there_are_no_records(library: Any) -> None:
    library.core_sample(library.core_series_create(COUNTER), 1.0, 1.0, -1)
    count = ctypes.c_size_t(5)
    library.core_take_records(ctypes.byref(count))
    assert count.value == 0


# -- samples of scripts ------------------------------------------------------------------------------


class Names:
    """Python's half: tag sets and series by number, made when the core asks for them."""

    def __init__(self) -> None:
        self.library = process_engine().library
        self.tags: dict[str, str] = {"scenario": "default"}
        self.sets: dict[tuple[tuple[str, str], ...], int] = {}
        #: (metric, tags) by series.
        self.series: dict[int, tuple[int, dict[str, str]]] = {}
        self.asked: list[str] = []

    def number(self, tags: dict[str, str]) -> int:
        key = tuple(sorted(tags.items()))
        if key not in self.sets:
            self.sets[key] = self.library.core_tag_set_create()
        return self.sets[key]

    def current(self) -> int:
        self.asked.append("tags")
        return self.number(self.tags)

    def make_series(self, tag_set: int, metric: int) -> int:
        self.asked.append("series")
        number: int = self.library.core_series_create(COUNTER)
        tags = next(dict(key) for key, one in self.sets.items() if one == tag_set)
        self.series[number] = (metric, tags)
        self.library.core_tag_set_series(tag_set, metric, number)
        return number

    def merged(self, metric: int, tags: dict[str, str]) -> int:
        self.asked.append("merge")
        return self.number({**self.tags, **tags})

    @property
    def operations(self) -> dict[int, Callable[..., object]]:
        return {TAGS: self.current, SERIES: self.make_series, MERGE: self.merged}

    def collected(self) -> dict[tuple[int, tuple[tuple[str, str], ...]], float]:
        """Sums by metric and tags."""
        return {
            (self.series[number][0], tuple(sorted(self.series[number][1].items()))): value
            for number, value in collect(self.library).items()
        }


@pytest.fixture
def names(library: Any) -> Names:
    collect(library)
    return Names()


def test_samples_of_scripts_have_their_vus_tags(make_vu: Callable[..., VU], names: Names) -> None:
    """Python is asked once for each number."""
    vu = make_vu(
        "entries.run = () => { for (let i = 0; i < 5; i += 1) { core.emit(10, 2); core.emit(20, i, null); } };",
        numbered=names.operations,
    )
    vu.call("run")
    vu.call("run")
    tags = (("scenario", "default"),)
    assert names.collected() == {(10, tags): 20.0, (20, tags): 20.0}
    assert names.asked == ["tags", "series", "series"]


def test_tags_of_a_sample_are_laid_over_those_of_its_vu(
    make_vu: Callable[..., VU], names: Names
) -> None:
    vu = make_vu(
        "entries.run = () => { for (let i = 0; i < 3; i += 1) {"
        "  core.emit(1, 1, { a: '1' }); core.emit(1, 1, { a: '2', scenario: 'mine' }); core.emit(1, 1, {}); } };",
        numbered=names.operations,
    )
    vu.call("run")
    assert names.collected() == {
        (1, (("a", "1"), ("scenario", "default"))): 3.0,
        (1, (("a", "2"), ("scenario", "mine"))): 3.0,
        (1, (("scenario", "default"),)): 3.0,
    }
    assert names.asked.count("merge") == 3
    vu.call("run")
    assert names.asked.count("merge") == 3


def test_derived_tags_are_those_of_their_base_and_metric(
    make_vu: Callable[..., VU], names: Names
) -> None:
    """When the VU's tags change, others come of the same tags."""
    vu = make_vu(
        "entries.run = (metric) => core.emit(metric, 1, { a: '1' });", numbered=names.operations
    )
    vu.call("run", 1)
    vu.call("run", 2)
    names.tags = {"group": "::g"}
    vu.library.core_vu_tags(vu.index, -1, -1)
    vu.call("run", 1)
    assert names.collected() == {
        (1, (("a", "1"), ("scenario", "default"))): 1.0,
        (2, (("a", "1"), ("scenario", "default"))): 1.0,
        (1, (("a", "1"), ("group", "::g"))): 1.0,
    }
    assert names.asked.count("merge") == 3


def test_tags_that_never_repeat(make_vu: Callable[..., VU], names: Names) -> None:
    """More of them than the core remembers."""
    vu = make_vu(
        "entries.run = () => { for (let i = 0; i < 120_000; i += 1) core.emit(1, 1, { user: `${i % 60_000}` }); };",
        numbered={**names.operations, MERGE: lambda metric, tags: names.current()},
    )
    vu.call("run")
    assert names.collected() == {(1, (("scenario", "default"),)): 120_000.0}


def test_records_of_scripts_have_time_and_metadata(
    make_vu: Callable[..., VU], names: Names, records: Callable[[], list[tuple[float, float, int, int]]]
) -> None:
    vu = make_vu(
        "entries.run = () => { const before = core.now(); core.emit(1, 7.5); return [before, core.now()]; };",
        numbered=names.operations,
    )
    vu.call("run")
    vu.library.core_vu_tags(vu.index, names.number(names.tags), 42)
    before, after = vu.call("run")
    first, second = records()
    assert (first[1], first[3]) == (7.5, -1)
    assert (second[1], second[3]) == (7.5, 42)
    assert before <= second[0] * 1000 <= after


def test_odd_values(make_vu: Callable[..., VU], names: Names) -> None:
    vu = make_vu(
        """
        entries.run = () => {
          const failed = [];
          for (const call of [
            () => core.emit(1, Symbol('x')), () => core.emit(1, 1n), () => core.emit(1, { valueOf() { throw 5; } }),
            () => core.emit(1, 1, { get a() { throw 6; } }),
          ]) { try { call(); } catch (error) { failed.push(error.name ?? error); } }
          core.emit(1, '2.5'); core.emit(1, true); core.emit(1, 0.5, { a: undefined });
          return failed;
        };
        """,
        numbered=names.operations,
    )
    assert vu.call("run") == ["TypeError", "TypeError", 5, 6]
    assert sum(names.collected().values()) == 4.0


def test_an_interrupted_vu_measures_nothing_more(make_vu: Callable[..., VU], names: Names) -> None:
    vu = make_vu(
        "entries.run = () => { say('begun'); for (;;) { try { host('wait'); } finally { core.emit(1, 1); } } };",
        numbered=names.operations,
    )
    blocked = lambda: vu.interpreter.interrupt()  # noqa: E731
    vu._named["wait"] = blocked
    running = vu.start("run")
    until(running.ready)
    assert names.collected() == {}
