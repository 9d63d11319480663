"""The state of a run at one moment: the one place where displays get their figures from."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.state import Phase
from jsrunner.messages import board
from jsrunner.metrics.sinks import CounterSink, RateSink, TrendSink
from jsrunner.options.duration import format_fixed
from jsrunner.ui.scenarios import Reached, progress_columns
from jsrunner.ui.state import Course, Requests, Risk, ScenarioState, Sockets, State

if TYPE_CHECKING:
    from jsrunner.coordinator.collector import Totals
    from jsrunner.coordinator.view import RunView
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan

#: Seconds of snapshots that a rate is taken over.
_SPAN: Final = 2
#: Minimum seconds between two computations of percentiles, which sort, and their maximum share of time.
_FIGURES_EVERY: Final = 1.0
_FIGURES_SHARE: Final = 0.01

#: Counters whose rates are shown, with their labels.
_COUNTERS: Final = {
    "ws_msgs_received": "messages in",
    "ws_msgs_sent": "messages out",
    "http_reqs": "requests",
}
#: Seconds whose rates are remembered.
_REMEMBERED: Final = 60


class RateMeter:
    """Rates per second of counters that grow in jumps, by each reporter's report once a second.

    Between two reports of one reporter there is one of every other. So a rate is taken over a
    number of reports, the same from each, and not over a time, in which one more or one less may fall.
    """

    def __init__(self, now: float, totals: tuple[float, ...]) -> None:
        self._history = deque([(0, now, totals)])

    def report(self, reports: int, now: float, totals: tuple[float, ...]) -> None:
        """Note further reports.

        Args:
            reports: The number of further reports.
            now: The time of the last of them, in seconds of the monotonic clock.
            totals: The totals of all reports.
        """
        self._history.append((self._history[-1][0] + reports, now, totals))

    def rates(self, reporters: int) -> tuple[float, ...] | None:
        """None before the first report."""
        history = self._history
        count, now, totals = history[-1]
        while len(history) > 2 and history[1][0] <= count - _SPAN * reporters:
            history.popleft()
        _, since, before = history[0]
        if now <= since:
            return None
        return tuple((new - old) / (now - since) for new, old in zip(totals, before, strict=True))


class Watcher:
    """Makes the states of one run; remembers what they need of the past: rates, ends of scenarios."""

    def __init__(self, view: RunView) -> None:
        test = view.test
        self._view = view
        self._scenarios = [
            (test.scenarios[name], plan, counts)
            for (name, plan), counts in zip(test.plans.items(), view.counts, strict=True)
            if plan.max_vus
        ]
        self._limit = max(plan.latest_end for plan in test.plans.values())
        self._ended: dict[str, ScenarioState] = {}
        self._meter: RateMeter | None = None
        self._snapshots = 0
        self._figures_due = 0.0
        self._connect_p95: float | None = None
        self._request_p95: float | None = None
        self._risks: tuple[Risk, ...] = ()
        self._judged = 0
        #: The rates of _COUNTERS, one entry a second.
        self._past: deque[tuple[float, ...]] = deque(maxlen=_REMEMBERED)

    def state(self) -> State:
        """Return the state of the run for a display."""
        view, now, totals = self._view, time.monotonic(), self._view.totals()
        rates = self._rates(totals)
        if now >= self._figures_due:
            self._look_at_figures(now - view.started)
            if rates is not None:
                self._past.append(rates)
            spent = time.monotonic() - now
            self._figures_due = now + max(_FIGURES_EVERY, spent / _FIGURES_SHARE)
        return State(
            phase=view.phase,
            elapsed=now - view.started,
            limit=self._limit,
            active=view.active_vus,
            initialized=view.initialized_vus,
            wanted=view.planned_vus,
            complete=self._total(board.COMPLETED),
            interrupted=self._total(board.INTERRUPTED),
            scenarios=tuple(self._scenario(*scenario, now) for scenario in self._scenarios),
            sockets=self._sockets(totals, rates),
            requests=self._requests(rates),
            failed_iterations=totals.iteration_failures,
            failed_checks=self._failed_checks(),
            thresholds=self._judged,
            risks=self._risks,
            courses=self._courses(),
        )

    def _courses(self) -> tuple[Course, ...]:
        """Return the courses of the counters that have counted anything."""
        columns = zip(_COUNTERS.values(), zip(*self._past, strict=True), strict=False)
        return tuple(Course(label, values) for label, values in columns if any(values))

    def _total(self, count: int) -> int:
        return sum(counts.total(count) for *_, counts in self._scenarios)

    # -- scenarios ---------------------------------------------------------------------------------

    def _scenario(
        self, config: ExecutorConfig, plan: ScenarioPlan, counts: board.Counts, now: float
    ) -> ScenarioState:
        view, name = self._view, config.name
        if name in self._ended:
            return self._ended[name]
        if view.scenarios_started is None:
            return ScenarioState(name, "idle")
        states = counts.states()[: view.worker_count]
        elapsed = now - view.scenarios_started - config.start_time
        if elapsed < 0:
            left = format_fixed(-elapsed, config.start_time)
            return ScenarioState(name, "waiting", 0.0, ("waiting", left))
        reached = Reached(
            elapsed=max(elapsed, 0.0),
            active=counts.active,
            initialized=counts.vus,
            completed=counts.total(board.COMPLETED),
        )
        progress = plan.progress(reached.elapsed, reached.completed)
        over = all(state == board.DONE for state in states)
        if view.is_stopping or (over and progress < 1):
            status = "interrupted"
        elif over:
            status = "done"
        else:
            status = "stopping" if elapsed > plan.duration else "running"
        state = ScenarioState(name, status, progress, progress_columns(config, plan, reached))
        if over:
            self._ended[name] = state
        return state

    # -- traffic -----------------------------------------------------------------------------------

    def _rates(self, totals: Totals) -> tuple[float, ...] | None:
        """Return the rates of _COUNTERS per second; None for an unknown rate."""
        view = self._view
        if view.phase is not Phase.RUNNING or view.scenarios_started is None:
            return None
        counted = tuple(self._count(name) for name in _COUNTERS)
        if self._meter is None:
            self._meter = RateMeter(view.scenarios_started, counted)
        elif totals.snapshots > self._snapshots:
            self._meter.report(totals.snapshots - self._snapshots, totals.last_snapshot, counted)
        self._snapshots = totals.snapshots
        return self._meter.rates(view.worker_count)

    def _count(self, name: str) -> float:
        sink = self._view.store.sink(name)
        return sink.count if isinstance(sink, CounterSink) else 0.0

    def _sockets(self, totals: Totals, rates: tuple[float, ...] | None) -> Sockets | None:
        failed, open_now = totals.failed_handshakes, totals.sessions_open
        if self._view.store.sink("ws_sessions") is None and not failed and not open_now:
            return None
        received, sent = rates[:2] if rates else (None, None)
        return Sockets(open_now, received, sent, self._connect_p95, failed)

    def _requests(self, rates: tuple[float, ...] | None) -> Requests | None:
        failed = self._view.store.sink("http_req_failed")
        if self._view.store.sink("http_reqs") is None:
            return None
        return Requests(
            rates[2] if rates else None,
            self._request_p95,
            failed.hits / failed.total if isinstance(failed, RateSink) and failed.total else 0.0,
        )

    def _failed_checks(self) -> float | None:
        checks = self._view.store.sink("checks")
        if not isinstance(checks, RateSink) or checks.empty:
            return None
        return 1 - checks.hits / checks.total

    # -- what is costly ----------------------------------------------------------------------------

    def _look_at_figures(self, elapsed: float) -> None:
        self._connect_p95 = self._p95("ws_connecting")
        self._request_p95 = self._p95("http_req_duration")
        view = self._view
        risks = []
        self._judged = 0
        for key, thresholds in view.thresholds.thresholds.items():
            entry = view.store.entries.get(key)
            if entry is None or entry.sink.empty:
                continue
            self._judged += len(thresholds)
            for threshold in thresholds:
                if not threshold.holds(entry.sink, elapsed):
                    value = entry.sink.value_of(threshold.aggregation, elapsed)
                    metric = entry.metric
                    risks.append(
                        Risk(key, threshold.source.strip(), value, metric.type, metric.contains)
                    )
        self._risks = tuple(risks)

    def _p95(self, name: str) -> float | None:
        sink = self._view.store.sink(name)
        return sink.percentile(95) if isinstance(sink, TrendSink) and not sink.empty else None
