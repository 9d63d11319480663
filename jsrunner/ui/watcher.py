"""Looks at a run and says its state: the one place where displays get their figures from."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from jsrunner.messages import board
from jsrunner.metrics.sinks import CounterSink, RateSink, TrendSink
from jsrunner.options.duration import format_fixed
from jsrunner.ui.scenarios import Reached, progress_columns
from jsrunner.ui.state import Requests, Risk, ScenarioState, Sockets, State

if TYPE_CHECKING:
    from jsrunner.coordinator.run import Run
    from jsrunner.executors.config import ExecutorConfig
    from jsrunner.executors.plan import ScenarioPlan

#: So many seconds of reports make a rate.
_SPAN: Final = 2
#: Percentiles sort: they are looked at so often at most, and for so small a part of the time.
_FIGURES_EVERY: Final = 1.0
_FIGURES_SHARE: Final = 0.01

_COUNTERS: Final = ("ws_msgs_received", "ws_msgs_sent", "http_reqs")


class RateMeter:
    """Rates per second of counters that grow in jumps, by each reporter's report once a second.

    Between two reports of one reporter there is one of every other. So a rate is taken over a
    number of reports, the same from each, and not over a time, in which one more or one less may fall.
    """

    def __init__(self, now: float, totals: tuple[float, ...]) -> None:
        self._history = deque([(0, now, totals)])

    def report(self, reports: int, now: float, totals: tuple[float, ...]) -> None:
        """`reports` more have come, the last one at `now` (seconds)."""
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
    """Remembers what of a run's past its state needs: rates, and when scenarios ended."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._scenarios = [
            (run.scenarios[name], plan, counts)
            for (name, plan), counts in zip(run.test.plans.items(), run.counts(), strict=True)
            if plan.max_vus
        ]
        self._limit = max(plan.latest_end for plan in run.test.plans.values())
        self._ended: dict[str, ScenarioState] = {}
        self._meter: RateMeter | None = None
        self._reports = 0
        self._figures_due = 0.0
        self._connect_p95: float | None = None
        self._request_p95: float | None = None
        self._risks: tuple[Risk, ...] = ()
        self._judged = 0

    def state(self) -> State:
        run, now = self._run, time.monotonic()
        rates = self._rates()
        if now >= self._figures_due:
            self._look_at_figures(now - run.started)
            spent = time.monotonic() - now
            self._figures_due = now + max(_FIGURES_EVERY, spent / _FIGURES_SHARE)
        return State(
            phase=run.phase,
            elapsed=now - run.started,
            limit=self._limit,
            active=run.vus_active(),
            initialized=run.vus_initialized(),
            wanted=run.vus_planned,
            complete=self._total(board.COMPLETED),
            interrupted=self._total(board.INTERRUPTED),
            scenarios=tuple(self._scenario(*one, now) for one in self._scenarios),
            sockets=self._sockets(rates),
            requests=self._requests(rates),
            failed_iterations=sum(worker.failures for worker in run.workers()),
            failed_checks=self._failed_checks(),
            thresholds=self._judged,
            risks=self._risks,
        )

    def _total(self, count: int) -> int:
        return sum(counts.total(count) for *_, counts in self._scenarios)

    # -- scenarios ---------------------------------------------------------------------------------

    def _scenario(
        self, config: ExecutorConfig, plan: ScenarioPlan, counts: board.Counts, now: float
    ) -> ScenarioState:
        run, name = self._run, config.name
        if name in self._ended:
            return self._ended[name]
        if run.played_since is None:
            return ScenarioState(name, "idle")
        aborted = run.cause is not None
        states = counts.states()[: len(run.workers())]
        elapsed = now - run.played_since - config.start_time
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
        if aborted or (over and progress < 1):
            status = "interrupted"
        elif over:
            status = "done"
        else:
            status = "stopping" if elapsed > plan.duration else "running"
        found = ScenarioState(name, status, progress, progress_columns(config, plan, reached))
        if over:
            self._ended[name] = found
        return found

    # -- traffic -----------------------------------------------------------------------------------

    def _rates(self) -> tuple[float, ...] | None:
        """Of _COUNTERS, per second; None where nobody knows."""
        run = self._run
        workers = run.workers()
        reports = sum(worker.reports for worker in workers)
        if run.phase != "running" or run.played_since is None:
            return None
        totals = tuple(self._count(name) for name in _COUNTERS)
        if self._meter is None:
            self._meter = RateMeter(run.played_since, totals)
        elif reports > self._reports:
            last = max(worker.reported for worker in workers)
            self._meter.report(reports - self._reports, last, totals)
        self._reports = reports
        return self._meter.rates(len(workers))

    def _count(self, name: str) -> float:
        sink = self._run.store.sink(name)
        return sink.count if isinstance(sink, CounterSink) else 0.0

    def _sockets(self, rates: tuple[float, ...] | None) -> Sockets | None:
        run = self._run
        failed = sum(worker.failed_handshakes for worker in run.workers())
        open_now = sum(worker.sessions_open for worker in run.workers())
        if run.store.sink("ws_sessions") is None and not failed and not open_now:
            return None
        received, sent = rates[:2] if rates else (None, None)
        return Sockets(open_now, received, sent, self._connect_p95, failed)

    def _requests(self, rates: tuple[float, ...] | None) -> Requests | None:
        failed = self._run.store.sink("http_req_failed")
        if self._run.store.sink("http_reqs") is None:
            return None
        return Requests(
            rates[2] if rates else None,
            self._request_p95,
            failed.hits / failed.total if isinstance(failed, RateSink) and failed.total else 0.0,
        )

    def _failed_checks(self) -> float | None:
        checks = self._run.store.sink("checks")
        if not isinstance(checks, RateSink) or checks.empty:
            return None
        return 1 - checks.hits / checks.total

    # -- what is costly ----------------------------------------------------------------------------

    def _look_at_figures(self, elapsed: float) -> None:
        self._connect_p95 = self._p95("ws_connecting")
        self._request_p95 = self._p95("http_req_duration")
        run = self._run
        risks = []
        self._judged = 0
        for key, thresholds in run.thresholds.thresholds.items():
            entry = run.store.entries.get(key)
            if entry is None or entry.sink.empty:
                continue
            self._judged += len(thresholds)
            for one in thresholds:
                if not one.holds(entry.sink, elapsed):
                    value = entry.sink.value_of(one.aggregation, elapsed)
                    metric = entry.metric
                    risks.append(Risk(key, one.source.strip(), value, metric.type, metric.contains))
        self._risks = tuple(risks)

    def _p95(self, name: str) -> float | None:
        sink = self._run.store.sink(name)
        return sink.percentile(95) if isinstance(sink, TrendSink) and not sink.empty else None
