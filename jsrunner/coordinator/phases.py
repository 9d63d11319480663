"""The phases of a run from when its test is known: init, paused, setup, running, teardown, ended.

Imported while the first worker loads the script.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.collector import Collector
from jsrunner.coordinator.planning import worker_plan
from jsrunner.coordinator.report import Report
from jsrunner.coordinator.scenario_log import ScenarioLog
from jsrunner.coordinator.stages import PATIENCE, StageRunner
from jsrunner.coordinator.state import Phase
from jsrunner.coordinator.verdict import explain_handshakes, verdict, warn_of_start_lags
from jsrunner.coordinator.view import RunView
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages import board

if TYPE_CHECKING:
    from jsrunner.coordinator.decide import Decision
    from jsrunner.coordinator.parts import RunParts

#: Seconds between samples of `vus`, evaluations of thresholds (as in k6), updates of the display.
_VUS_EVERY: Final = 1.0
_THRESHOLDS_EVERY: Final = 2.0
_DISPLAY_EVERY: Final = 0.1


class Phases:
    """Leads one run through its phases, a method each."""

    def __init__(self, parts: RunParts, decision: Decision) -> None:
        """Make the parts that depend on the test, and route the workers' messages to them."""
        settings, state = parts.settings, parts.state
        self._parts = parts
        self._test = decision.test
        self._log = parts.log
        self._state = state
        self._stopping = parts.stopping
        self._workers = parts.workers
        self._collector = parts.inbox.collector = Collector(
            decision, parts.outputs, parts.log, by_group=settings.summary_mode == "full"
        )
        self.stages = parts.inbox.stages = StageRunner(
            decision.test, state, parts.workers, parts.stopping, parts.log, parts.wait
        )
        self.view = RunView(
            script_name=parts.script.name,
            outputs=[config.description for config in settings.outputs],
            test=decision.test,
            state=state,
            workers=parts.workers,
            collector=self._collector,
            stopping=parts.stopping,
        )
        self._scenario_log: ScenarioLog | None = None
        state.is_paused = state.is_paused or bool(decision.test.options.paused)

    def run(self, *, is_steered: bool) -> ExitCode:
        """Run the test to its end.

        Args:
            is_steered: True if the REST API or a program can resume a paused test.

        Returns:
            The exit code, k6's.

        Raises:
            JsrunnerError: The test cannot begin, or cannot be completed.
        """
        self._parts.outputs.open(self._test.options.enabled_system_tags())
        self._prepare()
        if self._wait_for_resume(is_steered):
            self._play()
        return self._conclude()

    # -- init --------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Have the workers forked and the VUs made."""
        parts, workers = self._parts, self._workers
        parts.wait(workers.are_known)
        count = max(1, min(workers.most(), self._test.max_vus))
        formatters = parts.outputs.formatters()
        machines = workers.keep(count, len(self._test.scenarios))
        plan = worker_plan(self._test, parts.settings, machines=machines, formatters=formatters)
        vus = self._state.planned_vus = plan.planned_vus
        self._log.log("debug", f"Making {vus} VUs in {count} worker processes")
        workers.prepare(plan)
        parts.display.start(self.view)
        parts.loop.every(_VUS_EVERY, self._record_vus, catches_up=True)
        parts.loop.every(_DISPLAY_EVERY, self._show, at_once=True, catches_up=False)
        if self._log.is_verbose:
            self._scenario_log = ScenarioLog(self._log, self._test.scenarios, workers.counts, count)
        parts.wait(workers.are_ready)

    def _record_vus(self) -> None:
        """Record the VUs of this second, and log what the outputs report."""
        self._collector.record_vus(self._workers.active_vus, self._workers.vus)
        self._parts.outputs.report_news()

    def _show(self) -> None:
        self._parts.display.update()
        self._log_scenarios()

    def _log_scenarios(self) -> None:
        if self._scenario_log is not None:
            self._scenario_log.update()

    # -- paused, setup, running, teardown ----------------------------------------------------------

    def _wait_for_resume(self, is_steered: bool) -> bool:
        """Wait until the test is resumed. Return True if it begins, False if it was stopped."""
        state = self._state
        if not state.is_paused:
            return True
        state.phase = Phase.PAUSED
        if not is_steered:
            self._log.log("warning", "The test is paused, and only the REST API (--address) resumes it")
        self._log.log("debug", "Execution is paused, waiting for resume or interrupt...")
        self._parts.wait(lambda: not state.is_paused or self._stopping.error is not None)
        return self._stopping.error is None

    def _play(self) -> None:
        """Run setup, the scenarios and teardown."""
        self._state.started = time.monotonic()
        self._parts.loop.every(_THRESHOLDS_EVERY, self._judge, catches_up=True)
        if self.stages.wants_setup() and not self._run_setup():
            return
        if self._stopping.error is None:
            self._run_scenarios()
        if self.stages.wants_teardown():
            self._run_teardown()

    def _run_setup(self) -> bool:
        """Run setup(). Return True if the test continues, with scenarios and teardown."""
        self._state.phase = Phase.SETUP
        try:
            self.stages.run_setup()
        except JsrunnerError as error:
            self._stopping.end_with(error)
            return False
        return True

    def _run_scenarios(self) -> None:
        """Let the workers run the scenarios. Kill workers that do not end."""
        self._state.phase = Phase.RUNNING
        start = self._state.scenarios_started = self._workers.begin(self._state.setup_data)
        latest_end = start + max(plan.latest_end for plan in self._test.plans.values())

        def are_over() -> bool:
            since = self._stopping.since
            if time.monotonic() > (latest_end if since is None else since) + PATIENCE:
                for worker in self._workers.playing():
                    self._workers.kill(worker, "it did not stop when it was told to")
            return not self._workers.playing()

        self._parts.wait(are_over)
        self._log_scenarios()
        if self._stopping.since is None:
            self._collector.record_dropped_iterations(self._workers.counts)

    def _run_teardown(self) -> None:
        """Run teardown()."""
        self._state.phase = Phase.TEARDOWN
        try:
            self.stages.run_teardown()
        except JsrunnerError as error:
            self._stopping.end_with(error)

    def _judge(self) -> None:
        """Stop the test if a threshold with abortOnFail is crossed."""
        if self._state.phase not in (Phase.SETUP, Phase.RUNNING):
            return
        judged = self._collector.judge(time.monotonic() - self._state.started)
        if judged.abort and self._stopping.error is None:
            names = ", ".join(judged.crossed)
            text = (
                f"thresholds on metrics '{names}' were crossed; at least one has abortOnFail "
                "enabled, stopping test prematurely"
            )
            self._stopping.stop(JsrunnerError(text, exit_code=ExitCode.THRESHOLDS_FAILED))

    # -- ended -------------------------------------------------------------------------------------

    def _conclude(self) -> ExitCode:
        """Judge the thresholds, make the summary, close the outputs; return the exit code."""
        parts, state = self._parts, self._state
        was_stopped = self._stopping.error is not None
        state.phase = Phase.ENDED
        elapsed = time.monotonic() - state.started
        parts.display.stop()
        if parts.settings.linger and not parts.signals.count:
            self._linger()
        crossed = self._collector.judge_finally(elapsed)
        completed = any(counts.total(board.COMPLETED) for counts in self._workers.counts)
        if not completed and not was_stopped:
            self._log.log(
                "warning",
                "No script iterations fully finished, consider making the test duration longer",
            )
        warn_of_start_lags(self._collector, self._log)
        explain_handshakes(self._collector, self._log)
        if parts.settings.summary_mode != "disabled":
            report = Report(parts.settings, self._log, parts.script, self._test, self.stages)
            state.summary = report.publish(self._collector, elapsed, state.setup_data)
        parts.outputs.close()
        parts.loop.make_calls()  # a signal may have come meanwhile
        code, state.reason = verdict(self._stopping, state, crossed, self._log)
        return code

    def _linger(self) -> None:
        """Wait for a signal, though the test is over."""
        text = "The test is done, but --linger was enabled, so it waits for Ctrl+C to continue..."
        self._log.log("debug", text)
        if not self._parts.settings.quiet:
            print(text, flush=True)
        self._parts.signals.linger(self._parts.wait)
