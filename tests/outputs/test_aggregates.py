"""Running figures of series, from the deltas of several workers."""

from __future__ import annotations

import threading
from array import array
from typing import Any

from waiting import DEADLINE

from jsrunner.metrics.registry import Metric
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, TrendSink
from jsrunner.metrics.store import Store
from jsrunner.metrics.thresholds import ThresholdSet
from jsrunner.outputs.aggregates import AggregatePusher
from jsrunner.outputs.pusher import PushError


class Exports(AggregatePusher):
    """Keeps the figures of each export; the first ones fail."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__("x", 0.001, lambda series: TrendSink())
        self.exported: list[dict[str, Any]] = []
        self.tried = threading.Event()
        self._left = failures
        self.begin()

    def export(self) -> None:
        if self._left:
            self._left -= 1
            self.tried.set()
            raise PushError("no")
        self.exported.append({
            one.series.metric.name: one.sink for one in self.figures.values()
        })  # fmt: skip


STORE = Store(ThresholdSet(), system_tags=frozenset())
COUNT, RATE = (STORE.series(Metric(name, name), {}) for name in ("counter", "rate"))
GAUGE, TREND = (STORE.series(Metric(name, name), {}) for name in ("gauge", "trend"))
DELTAS = [(COUNT, 2.0), (RATE, (1, 4)), (GAUGE, (5.0, 1.0, 9.0)), (TREND, array("d", (1, 3)).tobytes())]


def test_deltas_add_up() -> None:
    output = Exports()
    output.merge(DELTAS)
    output.merge([])
    output.merge(DELTAS)
    output.close()
    last = output.exported[-1]
    count, rate, gauge, trend = last["counter"], last["rate"], last["gauge"], last["trend"]
    assert isinstance(count, CounterSink)
    assert isinstance(rate, RateSink)
    assert isinstance(gauge, GaugeSink)
    assert isinstance(trend, TrendSink)
    assert (count.count, rate.hits, rate.total, gauge.value, trend.count, trend.avg) == (
        4,
        2,
        8,
        5,
        4,
        2,
    )
    assert not output.news


def test_what_could_not_be_sent_is_in_the_next_figures() -> None:
    output = Exports(failures=1)
    output.merge(DELTAS)
    assert output.tried.wait(DEADLINE)
    output.close()
    assert output.exported[-1]["counter"].count == 2
    assert [text for _, text in output.news] == [
        "output x: no; the test goes on",
        "output x: pushes that failed: 1; the last figures were sent",
    ]
