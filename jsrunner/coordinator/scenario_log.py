"""The debug log of a run's scenarios: when each starts and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.messages import board

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.coordinator.log import RunLog
    from jsrunner.executors.config import ExecutorConfig


class ScenarioLog:
    """Logs changes of scenarios' states on the board. The coordinator makes one per run."""

    def __init__(
        self,
        logger: RunLog,
        scenarios: Mapping[str, ExecutorConfig],
        counts: Sequence[board.Counts],
        workers: int,
    ) -> None:
        """Make the log of scenarios that have not started.

        Args:
            logger: Gets debug records.
            scenarios: The scenarios by name.
            counts: The counts of each scenario, in the same order.
            workers: The number of workers that take part in the run.
        """
        self._logger = logger
        self._executors = {name: config.type for name, config in scenarios.items()}
        self._counts = dict(zip(scenarios, counts, strict=True))
        self._workers = workers
        self._states = dict.fromkeys(scenarios, board.WAITING)

    def update(self) -> None:
        """Log the scenarios that have started or ended since the last call."""
        for name, before in self._states.items():
            if before == board.DONE:
                continue
            counts = self._counts[name]
            states = counts.states()[: self._workers]
            state = board.DONE if min(states) == board.DONE else min(max(states), board.RUNNING)
            if before == board.WAITING < state:
                self._logger.log("debug", f"Scenario started: {self._executors[name]}", scenario=name)
            if state == board.DONE:
                done, cut = counts.total(board.COMPLETED), counts.total(board.INTERRUPTED)
                text = f"Scenario ended: {done} complete and {cut} interrupted iterations"
                self._logger.log("debug", text, scenario=name)
            self._states[name] = state
