"""The samples of a run: from the workers' snapshots to metrics, verdicts and outputs.

Data flows in one direction: the workers' snapshots, and a few samples of the coordinator, are added to
the `Store` and passed on to the outputs. Thresholds, displays and the summary read the store.
"""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

from msgspec import Struct, field

from jsrunner.executors.plan import SharedTotal
from jsrunner.messages import board
from jsrunner.metrics.registry import BUILTIN, Metric
from jsrunner.metrics.sinks import TrendSink
from jsrunner.metrics.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.coordinator.decide import Decision
    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.outputs import OutputSet
    from jsrunner.messages.protocol import WorkerSnapshot
    from jsrunner.metrics.sinks import Delta
    from jsrunner.metrics.store import MergedSeries
    from jsrunner.metrics.thresholds import Verdict


class WorkerFigures(Struct):
    """Series and figures of one worker, from its snapshots."""

    #: The run's series by the worker's numbers.
    series: dict[int, MergedSeries] = field(default_factory=dict)
    sessions_open: int = 0
    failed_handshakes: int = 0
    iteration_failures: int = 0
    snapshots: int = 0
    #: When the last snapshot came, by time.monotonic.
    last_snapshot: float = 0.0


class Totals(Struct, frozen=True):
    """Figures of all workers together that are no metrics."""

    #: WebSocket sessions that are open now.
    sessions_open: int
    #: WebSocket handshakes that have failed, and iterations that have ended with an exception.
    failed_handshakes: int
    iteration_failures: int
    #: Snapshots that have come from all workers, and when the last one came (time.monotonic).
    snapshots: int
    last_snapshot: float
    #: WebSocket sessions that were closed, by close code.
    closes: Mapping[int, int]


class Collector:
    """Collects one run's measurements, from when the test is known until its end."""

    def __init__(
        self, decision: Decision, outputs: OutputSet, log: RunLog, *, by_group: bool = False
    ) -> None:
        """Make a collector without any sample.

        Args:
            decision: The test and its thresholds.
            outputs: The outputs, which are opened before the first sample.
            log: Gets warnings.
            by_group: True if the summary shows each group and scenario by itself.
        """
        test = decision.test
        self._test = test
        self.thresholds = decision.thresholds
        self._registry = decision.registry
        self._outputs = outputs
        self._log = log
        self.store = Store(
            decision.thresholds, system_tags=test.options.enabled_system_tags(), by_group=by_group
        )
        #: Start lags of arrival rates in milliseconds.
        self.start_lags = TrendSink()
        #: Why the first WebSocket handshake failed that did.
        self.handshake_failure = ""
        self._figures: dict[int, WorkerFigures] = {}
        self._closes: dict[int, int] = {}
        self._introduced: set[str] = set()

    # -- samples -----------------------------------------------------------------------------------

    def add(self, worker: int, snapshot: WorkerSnapshot) -> None:
        """Add a snapshot of the worker with this number."""
        figures = self._figures.setdefault(worker, WorkerFigures())
        series = figures.series
        for number, name, type_, contains, tags, first in snapshot.series:
            series[number] = self._series(Metric(name, type_, contains), tags, first)
        deltas = [(series[number], delta) for number, delta in snapshot.deltas]
        for target, delta in deltas:
            target.merge(delta)
        self._outputs.merge(deltas)
        self._outputs.write_lines(snapshot.lines)
        self.start_lags.extend(array("d", snapshot.lateness))
        figures.sessions_open = snapshot.sessions_open
        figures.iteration_failures = snapshot.iteration_failures
        figures.failed_handshakes = snapshot.failed_handshakes
        for code, count in snapshot.closes.items():
            self._closes[code] = self._closes.get(code, 0) + count
        figures.snapshots += 1
        figures.last_snapshot = time.monotonic()
        self.handshake_failure = self.handshake_failure or snapshot.handshake_failure
        if warning := self.store.cardinality_warning():
            self._log.log("warning", warning)

    def record_vus(self, active: int, initialized: int) -> None:
        """Record a sample of `vus` and of `vus_max`."""
        self._record({"vus": active, "vus_max": initialized}, self._run_tags())

    def record_dropped_iterations(self, counts: Sequence[board.Counts]) -> None:
        """Record the iterations of scenarios' shared budgets that no VU has begun.

        Workers do not know the number of these iterations. Dropped iterations of arrival rates are
        recorded by the workers.

        Args:
            counts: The counts of each scenario.
        """
        for (name, plan), counted in zip(self._test.plans.items(), counts, strict=True):
            if not isinstance(plan.iterations, SharedTotal):
                continue
            dropped = plan.iterations.count - counted.total(board.STARTED)
            if dropped > 0:
                tags = self._run_tags()
                if "scenario" in self._test.options.enabled_system_tags():
                    tags["scenario"] = name
                self._record({"dropped_iterations": dropped}, tags)

    def _run_tags(self) -> dict[str, str]:
        return dict(self._test.options.tags or {})

    def _record(self, values: Mapping[str, float], tags: dict[str, str]) -> None:
        """Record a sample of each of these built-in metrics, counters or gauges, as of now."""
        now = time.time()
        samples = [(self._series(BUILTIN[name], tags, now), value) for name, value in values.items()]
        deltas: list[tuple[MergedSeries, Delta]] = [
            (series, value if series.metric.type == "counter" else (value, value, value))
            for series, value in samples
        ]
        for series, delta in deltas:
            series.merge(delta)
        self._outputs.merge(deltas)
        self._outputs.write_samples(samples, now)

    def _series(self, metric: Metric, tags: dict[str, str], first: float) -> MergedSeries:
        """Return a series of the run; announce a metric that has none yet to the outputs."""
        if metric.name not in self._introduced:
            self._introduced.add(metric.name)
            thresholds = self.thresholds.thresholds.get(metric.name, ())
            self._outputs.introduce(metric, thresholds, self.store.submetrics(metric.name))
        return self.store.series(metric, tags, first)

    # -- figures and verdicts ----------------------------------------------------------------------

    def totals(self) -> Totals:
        """Return the workers' figures, added up."""
        workers = self._figures.values()
        return Totals(
            sessions_open=sum(worker.sessions_open for worker in workers),
            failed_handshakes=sum(worker.failed_handshakes for worker in workers),
            iteration_failures=sum(worker.iteration_failures for worker in workers),
            snapshots=sum(worker.snapshots for worker in workers),
            last_snapshot=max((worker.last_snapshot for worker in workers), default=0.0),
            closes=self._closes,
        )

    def judge(self, elapsed: float) -> Verdict:
        """Judge the thresholds during the test, `elapsed` seconds after its start."""
        return self.thresholds.evaluate(self.store, elapsed, final=False)

    def judge_finally(self, elapsed: float) -> tuple[str, ...]:
        """Return the metrics whose thresholds are crossed now that all samples have come."""
        self.store.add_thresholds(self._registry)
        return self.thresholds.evaluate(self.store, elapsed, final=True).crossed
