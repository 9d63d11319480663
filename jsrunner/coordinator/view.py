"""The read-only view of a run for displays, the REST API and the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.coordinator.collector import Collector, Totals
    from jsrunner.coordinator.state import Phase, RunState
    from jsrunner.coordinator.stopping import Stopping
    from jsrunner.coordinator.workers import Workers
    from jsrunner.messages.board import Counts
    from jsrunner.messages.plan import Test
    from jsrunner.metrics.store import Store
    from jsrunner.metrics.thresholds import ThresholdSet


class RunView:
    """A read-only view of a run whose test is known. Each call returns the state at that moment.

    The caller must not change returned objects. Used in the coordinator's thread only; other threads
    get there through `RunControl.call_soon`.
    """

    def __init__(
        self,
        *,
        script_name: str,
        outputs: Sequence[str],
        test: Test,
        state: RunState,
        workers: Workers,
        collector: Collector,
        stopping: Stopping,
    ) -> None:
        #: Name of the script, as on the command line.
        self.script_name = script_name
        #: Descriptions of the outputs, e.g. `json (out.json)`.
        self.outputs = outputs
        self.test = test
        self._state = state
        self._workers = workers
        self._collector = collector
        self._stopping = stopping

    # -- progress ----------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The phase of the run."""
        return self._state.phase

    @property
    def started(self) -> float:
        """Start of setup, by time.monotonic; before that, the creation of the run."""
        return self._state.started

    @property
    def scenarios_started(self) -> float | None:
        """Start of the scenarios, by time.monotonic; None before that."""
        return self._state.scenarios_started

    @property
    def is_paused(self) -> bool:
        """True if the test is paused before its start, or is going to be."""
        return self._state.is_paused

    @property
    def is_stopping(self) -> bool:
        """True if the test ends early: it failed, was aborted, or was interrupted."""
        return self._stopping.error is not None

    @property
    def is_marked_failed(self) -> bool:
        """True if the script has called exec.test.fail."""
        return self._state.is_marked_failed

    @property
    def setup_data(self) -> bytes | None:
        """The data of setup(), as JSON; None for undefined."""
        return self._state.setup_data

    # -- VUs and workers ---------------------------------------------------------------------------

    @property
    def planned_vus(self) -> int:
        """Number of VUs that are made before the test begins."""
        return self._state.planned_vus

    @property
    def initialized_vus(self) -> int:
        """Number of existing VUs."""
        return self._workers.vus

    @property
    def active_vus(self) -> int:
        """Number of VUs that run an iteration."""
        return self._workers.active_vus

    @property
    def worker_count(self) -> int:
        """The number of worker processes."""
        return len(self._workers)

    @property
    def place(self) -> str:
        """The place of the worker processes, e.g. `local`."""
        return self._workers.place

    @property
    def counts(self) -> Sequence[Counts]:
        """The counts of each scenario, in the order of `test.scenarios`."""
        return self._workers.counts

    # -- measurements ------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """Metrics, checks and groups."""
        return self._collector.store

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds with their latest verdicts."""
        return self._collector.thresholds

    def totals(self) -> Totals:
        """Return figures of all workers that are not metrics."""
        return self._collector.totals()
