"""The measurements of a run."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.collector import Collector
from jsrunner.coordinator.decide import Decision
from jsrunner.coordinator.outputs import OutputSet
from jsrunner.messages import board
from jsrunner.messages.board import Board
from jsrunner.messages.protocol import NewSeries, SeriesDelta, WorkerSnapshot
from jsrunner.metrics.registry import Registry
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, TrendSink
from jsrunner.metrics.thresholds import parse_thresholds
from jsrunner.outputs.base import Output, OutputConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Records

    from jsrunner.messages.plan import Test
    from jsrunner.metrics.store import MergedSeries


class Sums(Output):
    """An output that works on aggregates."""

    def __init__(self) -> None:
        super().__init__()
        self.introduced: list[str] = []
        self.merged: list[tuple[str, dict[str, str], Any]] = []

    def introduce(self, metric: Any, thresholds: Any, submetrics: Any) -> None:
        self.introduced.append(metric.name)

    def merge(self, deltas: Sequence[tuple[MergedSeries, Any]]) -> None:
        self.merged += [(series.metric.name, series.tags, delta) for series, delta in deltas]


@pytest.fixture
def sums() -> Sums:
    return Sums()


@pytest.fixture
def collect(make_test: Callable[..., Test], sums: Sums, log: Records) -> Callable[..., Collector]:
    """`collect(thresholds, iterations=..., **options)`."""

    def make(thresholds: dict[str, list[str]] | None = None, **more: Any) -> Collector:
        registry = Registry()
        registry.declare("mine", "counter", "default")
        outputs = OutputSet([OutputConfig("sums", lambda tags: sums)], log)
        outputs.open(())
        decision = Decision(make_test(**more), parse_thresholds(thresholds or {}), registry)
        return Collector(decision, outputs, log)

    return make


def snapshot(*samples: tuple[NewSeries, Any], known: bool = False, **more: Any) -> WorkerSnapshot:
    fields: dict[str, Any] = {
        "lines": [], "sessions_open": 0, "lateness": b"", "iteration_failures": 0,
        "failed_handshakes": 0,
    }  # fmt: skip
    return WorkerSnapshot(
        series=[] if known else [series for series, _ in samples],
        deltas=[SeriesDelta(series.number, delta) for series, delta in samples],
        **{**fields, **more},
    )


COUNT = NewSeries(0, "mine", "counter", "default", {"a": "b"}, 1.0)
TREND = NewSeries(1, "ws_connecting", "trend", "time", {}, 1.0)
CHECK = NewSeries(2, "checks", "rate", "default", {"check": "is so"}, 1.0)


def doubles(*values: float) -> bytes:
    return array("d", values).tobytes()


def test_snapshots_of_all_workers_add_up(collect: Callable[..., Collector], sums: Sums) -> None:
    collector = collect()
    other = COUNT._replace(number=7)
    collector.add(1, snapshot((COUNT, 2.0), (TREND, doubles(1.0, 5.0)), (CHECK, (1, 2))))
    collector.add(2, snapshot((other, 3.0)))
    collector.add(1, snapshot((COUNT, 4.0), known=True))
    count, trend = collector.store.sink("mine"), collector.store.sink("ws_connecting")
    checks = collector.store.sink("checks")
    assert isinstance(count, CounterSink)
    assert isinstance(trend, TrendSink)
    assert isinstance(checks, RateSink)
    assert (count.count, trend.max, checks.hits, checks.total) == (9.0, 5.0, 1, 2)
    assert sums.introduced == ["mine", "ws_connecting", "checks"]
    assert [delta for name, _, delta in sums.merged if name == "mine"] == [2.0, 3.0, 4.0]


def test_figures_of_workers(collect: Callable[..., Collector]) -> None:
    collector = collect()
    assert collector.totals().snapshots == 0
    collector.add(1, snapshot(sessions_open=3, failed_handshakes=1, handshake_failure="refused"))
    collector.add(1, snapshot(sessions_open=3, failed_handshakes=1, closes={1000: 2, 4001: 1}))
    collector.add(
        2, snapshot(sessions_open=2, iteration_failures=4, lateness=doubles(3.0), closes={1000: 5})
    )
    collector.add(1, snapshot(sessions_open=1, failed_handshakes=2, lateness=doubles(9.0)))
    totals = collector.totals()
    assert (totals.sessions_open, totals.failed_handshakes, totals.iteration_failures) == (3, 2, 4)
    assert totals.snapshots == 4
    assert totals.closes == {1000: 7, 4001: 1}
    assert collector.handshake_failure == "refused"
    assert collector.start_lags.max == 9.0


def test_vus_are_samples_with_the_tags_of_the_run(
    collect: Callable[..., Collector], sums: Sums
) -> None:
    collector = collect(tags={"team": "a"})
    collector.record_vus(3, 5)
    collector.record_vus(1, 5)
    vus, most = collector.store.sink("vus"), collector.store.sink("vus_max")
    assert isinstance(vus, GaugeSink)
    assert isinstance(most, GaugeSink)
    assert (vus.max, most.max) == (3, 5)
    assert sums.merged[0] == ("vus", {"team": "a"}, (3, 3, 3))


@pytest.mark.parametrize(
    ("started", "dropped"), [(4, 6.0), (10, None), (12, None)], ids=["some", "none", "too-many"]
)
def test_dropped_iterations(
    collect: Callable[..., Collector], started: int, dropped: float | None
) -> None:
    board_ = Board(1)
    board_.open(1)
    counts = board_.view(0, 0)
    counts.add(board.STARTED, started)
    collector = collect(iterations=10)
    collector.record_dropped_iterations([counts])
    sink = collector.store.sink("dropped_iterations")
    assert (sink.count if isinstance(sink, CounterSink) else None) == dropped


def test_dropped_iterations_name_their_scenario(collect: Callable[..., Collector], sums: Sums) -> None:
    board_ = Board(1)
    board_.open(1)
    collector = collect(tags={"team": "a"})
    collector.record_dropped_iterations([board_.view(0, 0)])
    assert sums.merged == [("dropped_iterations", {"team": "a", "scenario": "default"}, 10)]


def test_thresholds_are_judged_meanwhile_and_at_the_end(collect: Callable[..., Collector]) -> None:
    collector = collect({"mine": ["count<5"], "vus": ["value<9"]})
    collector.add(1, snapshot((COUNT, 2.0)))
    assert collector.judge(1.0).crossed == ()
    collector.add(1, snapshot((COUNT, 4.0), known=True))
    assert collector.judge(2.0).crossed == ("mine",)
    assert collector.judge_finally(3.0) == ("mine",)
    assert "vus" in collector.store.entries  # judged without any sample


def test_very_many_series_are_worth_a_warning(
    collect: Callable[..., Collector], log: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jsrunner.metrics.store import Store

    monkeypatch.setattr(Store, "many_series", 3)
    collector = collect()
    series = [COUNT._replace(number=number, tags={"a": str(number)}) for number in range(3)]
    collector.add(1, snapshot(*((each, 1.0) for each in series)))
    assert "3 unique time series" in log.texts("warning")[0]
