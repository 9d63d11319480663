"""Python half of `k6/execution`: numbers of the run, tags of the VU, abort and fail."""

from __future__ import annotations

import time

from jsrunner.modules.base import HostModule, operation


class ExecutionModule(HostModule):
    """The operations of `exec`: properties by their names in JavaScript."""

    specifier = "k6/execution"

    @operation
    def instance(self, name: str) -> float:
        """Return a property of `exec.instance`; durations are milliseconds."""
        instance = self.vu.process.instance
        if name == "currentTestRunDuration":
            return (time.monotonic() - instance.started_at) * 1000
        if name == "iterationsCompleted":
            return instance.iterations_completed
        if name == "iterationsInterrupted":
            return instance.iterations_interrupted
        if name == "vusActive":
            return instance.active_vus
        return instance.initialized_vus

    @operation
    def has_instance(self) -> bool:
        """Return True if `exec.instance` is available to the VU, by k6's rules.

        It is, in setup, in iterations, and in the init code of VUs that are made while scenarios run.
        """
        vu = self.vu
        if vu.stage:
            return vu.stage == "setup"
        return bool(vu.id) and (not vu.in_init or vu.id > vu.process.instance.planned_vus)

    @operation
    def scenario(self, name: str) -> object:
        """Return a property of the VU's scenario; None outside of a scenario."""
        scenario = self.vu.scenario
        if scenario is None:
            return None
        if name == "name":
            return scenario.config.name
        if name == "executor":
            return scenario.config.type
        if name == "startTime":
            return int(scenario.start_epoch * 1000)
        if name == "progress":
            return scenario.progress()
        number = self.vu.iteration_in_test
        return number if name == "iterationInInstance" else scenario.plan.numbering.index(number)

    @operation
    def vu_number(self, name: str) -> int:
        """Return a number of `exec.vu`; 0 in stages."""
        vu = self.vu
        if vu.stage:
            return 0
        if name == "iterationInInstance":
            return vu.iteration
        if name == "iterationInScenario":
            return vu.iteration_in_scenario
        if name == "idInTest" and vu.id:
            return vu.process.instance.striping.index(vu.id - 1) + 1
        return vu.id

    @operation
    def get_label(self, kind: str, key: str) -> str | None:
        """Return a tag or metadata of the VU; None without one."""
        return self._labels(kind).get(key)

    @operation
    def labels(self, kind: str) -> list[str]:
        """Return the names of the tags or the metadata of the VU, sorted."""
        return sorted(self._labels(kind))

    @operation
    def set_label(self, kind: str, key: str, value: str | None) -> None:
        """Change a tag or metadata of the VU; None removes it."""
        context = self.vu.context
        change = context.set_tag if kind == "tag" else context.set_metadata
        change(key, value)

    def _labels(self, kind: str) -> dict[str, str]:
        context = self.vu.context
        return context.tags if kind == "tag" else context.metadata or {}

    @operation
    def options(self) -> str:
        """Return the consolidated options as JSON."""
        assert self.vu.process.plan is not None
        return self.vu.process.plan.options_json

    @operation
    def abort(self, text: str, place: str) -> None:
        """Abort the test. k6's message has the place, except in setup and teardown."""
        stage = not self.vu.in_init and self.vu.stage in ("setup", "teardown")
        self.vu.abort_test(text if stage else f"{text} at {place}")

    @operation
    def fail(self, reason: str) -> None:
        """Mark the test as failed; it goes on."""
        text = f"test marked as failed: {reason}" if reason else "test marked as failed"
        self.vu.process.mark_failed(text)
