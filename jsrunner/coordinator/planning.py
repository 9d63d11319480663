"""The plan that the workers get, from the test and the settings of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsrunner.coordinator.partition import share_out
from jsrunner.messages.plan import WorkerPlan
from jsrunner.options.model import to_json

if TYPE_CHECKING:
    from jsrunner.coordinator.settings import RunSettings
    from jsrunner.json_types import JsonObject
    from jsrunner.messages.plan import Test
    from jsrunner.outputs.base import SampleFormatter


def consolidated_options(test: Test) -> JsonObject:
    """Return the options in the shape of `exec.test.options`: with defaults, and with all scenarios."""
    scenarios = {name: config.to_json() for name, config in test.scenarios.items()}
    return to_json(test.options, consolidated=True) | {"scenarios": scenarios}


def worker_plan(
    test: Test,
    settings: RunSettings,
    *,
    machines: tuple[int, ...],
    formatters: tuple[SampleFormatter, ...],
) -> WorkerPlan:
    """Return the plan for the workers of some machines.

    Args:
        test: The test.
        settings: The settings of the run.
        machines: Number of worker processes on each machine.
        formatters: The formatters of the outputs that write each sample.
    """
    options = test.options
    consolidated = consolidated_options(test)
    filled = ("scenarios", "summaryTrendStats", "systemTags")
    shown = to_json(options, consolidated=False) | {name: consolidated[name] for name in filled}
    return WorkerPlan(
        test=test,
        shares=share_out(test.plans, sum(machines)),
        machines=machines,
        formatters=formatters,
        options_json=json.dumps(consolidated),
        shown_options=shown,
        user_agent=settings.user_agent if options.user_agent is None else options.user_agent,
        limits=settings.limits,
    )
