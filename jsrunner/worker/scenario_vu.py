"""The VUs that scenarios use: activation, iterations, and the end of an interrupted iteration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jsrunner.engine.engine import ARRIVAL, ITERATION
from jsrunner.engine.errors import Interrupted, JSError
from jsrunner.engine.interpreter import NEVER
from jsrunner.errors import ScriptError
from jsrunner.messages import board
from jsrunner.worker.vu import VU

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.worker.process import Process
    from jsrunner.worker.scenario import Assignment, Scenario


class ScenarioVU(VU):
    """A VU that iterates for one scenario after the other.

    It lives for the whole run: a player takes it from the pool, activates it, has it iterate on a
    greenlet of the player's, deactivates it and gives it back.
    """

    def __init__(self, process: Process, number: int) -> None:
        super().__init__(process, number)
        self._assignment: Assignment | None = None
        #: The number of the last iteration in each scenario, by the scenario's name.
        self._iterations_of: dict[str, int] = {}
        #: True if variables of a scenario lie over those of `__ENV`.
        self._has_environment = False
        self._operations["failed"] = self._failed
        self.interpreter.operations[ITERATION] = self._begin_iteration
        self.interpreter.deferred[ARRIVAL] = self._await_arrival

    def activate(self, assignment: Assignment, setup_data: bytes | None, hard_stop: float) -> None:
        """Serve a scenario from now on. An interrupted VU runs its init code anew first.

        Args:
            assignment: The supply of iterations.
            setup_data: The result of setup() as JSON, None without one.
            hard_stop: Deadline of the new init (time.monotonic).
        """
        self._deadline = hard_stop
        try:
            self.interrupted = False
            if self.interpreter.is_lost:
                self._renew()
            self._assignment, scenario = assignment, assignment.scenario
            self.context.scenario = scenario
            self.context.numbers.read().in_scenario = self._iterations_of.get(scenario.config.name, -1)
            self.context.numbers.write()
            self._reset_tags(scenario)
            self._watch_iterations()
            self._set_environment(scenario.config.env)
            data = None if setup_data is None else setup_data.decode()
            self.interpreter.call("activate", scenario.config.exec, data)
        except Interrupted:
            self._note_interruption()
        except JSError as error:  # setup's data takes more memory than there is
            self.process.log("error", str(error), hint=_hint(str(error)))
            self.interrupted = True
        except ScriptError as error:  # its init code fails, though it did not before
            self.process.log("error", str(error), hint=error.hint)
            self.interrupted = True

    def _reset_tags(self, scenario: Scenario) -> None:
        """Set the tags for the begin of a scenario: run tags < scenario tags < system tags.

        Tags that the script has set in another scenario are gone, as in k6.
        """
        system = self.process.system_tags
        tags = {**self.process.run_tags, **scenario.config.tags}
        if "group" in system:
            tags["group"] = ""
        if "scenario" in system:
            tags["scenario"] = scenario.config.name
        context = self.context.context
        context.replace(tags, {"vu": str(self.context.id)} if "vu" in system else None)
        context.number()  # the first sample would ask for it, which takes longer

    def _set_environment(self, variables: Mapping[str, str]) -> None:
        """Lay a scenario's variables over those of `__ENV`, in place of the last scenario's."""
        if variables or self._has_environment:
            self.interpreter.call("setEnvironment", dict(variables) or None)
        self._has_environment = bool(variables)

    def deactivate(self) -> None:
        """End the service for the scenario, and keep its count of iterations."""
        self.interpreter.rest()
        context = self.context
        if context.scenario is not None:
            self._iterations_of[context.scenario.config.name] = context.iteration_in_scenario
        context.scenario = None

    # -- iterations --------------------------------------------------------------------------------

    def iterate(self, *, stop_at: float, hard_stop: float) -> None:
        """Run iterations until `stop_at`, or until the scenario has no more iterations.

        Args:
            stop_at: Moment after which no iteration begins (time.monotonic).
            hard_stop: Moment at which a running iteration is interrupted (time.monotonic).
        """
        if self.interrupted or self.process.stopping:
            return  # interrupted during the activation
        self._deadline = hard_stop
        assignment = self._assignment
        assert assignment is not None
        self.process.engine.library.core_vu_supply(
            self.interpreter.index,
            assignment.scenario.supply,
            assignment.left,
            assignment.take_reserved(),
            stop_at,
        )
        try:
            while not self._iterate(hard_stop):
                pass
        except Interrupted:
            self._note_interruption()
            assignment.interrupted()
            self._end_interrupted()
        assignment.left = int(self.context.numbers.read().left)

    def _iterate(self, hard_stop: float) -> bool:
        """Run iterations; return True if there are no more. Raises Interrupted.

        jsrunner's own JavaScript fails without memory. That ends the iteration, not the VU, unless the
        memory does not suffice for the begin of the next iteration.
        """
        before = self.context.iteration
        try:
            self.interpreter.call("iterate", deadline=hard_stop)
        except JSError as error:
            self._give_up([])
            self.context.close_groups()
            self._failed(str(error).partition("\n")[0], rejected=False)
            if self.context.iteration == before:
                raise Interrupted from None
            return False
        return True

    def _end_interrupted(self) -> None:
        """Count and measure the iteration that was interrupted, if one was running."""
        numbers = self.context.numbers.read()
        was_running = numbers.started != NEVER
        started = numbers.started
        numbers.started = NEVER
        self.context.numbers.write()
        self._end_activities()
        context = self.context
        if not was_running or context.scenario is None:
            return
        context.scenario.counts.add(board.INTERRUPTED)
        context.push_bytes()
        if context.aborted:  # k6 measures the iteration that aborts, and calls it interrupted
            now = time.time()
            context.record("iteration_duration", (time.monotonic() - started) * 1000, now)
            context.record("iterations", 1, now)

    # -- operations --------------------------------------------------------------------------------

    def _watch_iterations(self) -> None:
        """Have the core call `_begin_iteration` only while there is something to do in it."""
        resets = self.context.jars.own is not None and not self.process.options.no_cookies_reset
        self.process.engine.library.core_vu_iteration_hook(
            self.interpreter.index, resets or "iter" in self.process.system_tags
        )

    def _begin_iteration(self, number: int) -> None:
        if "iter" in self.process.system_tags:
            self.context.context.set_metadata("iter", str(number))
        if not self.process.options.no_cookies_reset:
            self.context.jars.drop_own()

    def _cookies_changed(self) -> None:
        self._watch_iterations()
        super()._cookies_changed()

    def _await_arrival(self, serial: int) -> None:
        assignment = self._assignment
        assert assignment is not None
        assignment.await_arrival(lambda goes_on: self.interpreter.reply(serial, goes_on))

    def _failed(self, text: str, rejected: bool) -> None:
        """Log the exception or rejection of an iteration, which counts as complete."""
        scenario = self.context.scenario
        assert scenario is not None
        self.process.iteration_failures += 1
        fields = {"executor": scenario.config.type, "scenario": scenario.config.name}
        if not rejected:
            fields |= {"source": "stacktrace", "hint": _hint(text)}
        self.process.log("error", text, **fields)


def _hint(exception: str) -> str:
    """Return the hint for an exception."""
    # QuickJS throws null, without a place, where there is no memory left for an error.
    return "out of memory, or a script that throws null" if exception == "null" else "script exception"
