"""The plan that workers get."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

from jsrunner.coordinator.planning import worker_plan
from jsrunner.coordinator.settings import RunSettings
from jsrunner.messages.plan import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.messages.plan import Test


def test_a_plan_has_a_share_for_each_worker(make_test: Callable[..., Test]) -> None:
    plan = worker_plan(make_test(vus=3), RunSettings(), machines=(2,), formatters=())
    assert [share.vu_ids for share in plan.shares] == [(1, 3), (2,)]


def test_the_user_agent_of_the_options_wins(make_test: Callable[..., Test]) -> None:
    settings = RunSettings(user_agent="settings", limits=Limits(1, 2, 3))
    plan = worker_plan(make_test(), settings, machines=(1,), formatters=())
    assert (plan.user_agent, plan.limits) == ("settings", Limits(1, 2, 3))
    for agent in ("options", ""):
        test = make_test(user_agent=agent)
        assert worker_plan(test, settings, machines=(1,), formatters=()).user_agent == agent


def test_scripts_see_the_options_with_the_scenarios(make_test: Callable[..., Test]) -> None:
    plan = worker_plan(make_test(batch=7), RunSettings(), machines=(1,), formatters=())
    shown = json.loads(plan.options_json)
    assert (shown["batch"], plan.shown_options["batch"]) == (7, 7)
    assert list(shown["scenarios"]) == list(plan.shown_options["scenarios"]) == ["default"]


def test_a_plan_survives_its_way(make_test: Callable[..., Test]) -> None:
    plan = worker_plan(make_test(), RunSettings(), machines=(2,), formatters=())
    arrived = pickle.loads(pickle.dumps(plan))
    assert (arrived.shares, arrived.options_json) == (plan.shares, plan.options_json)
    assert (arrived.test.options, arrived.test.exports) == (plan.test.options, plan.test.exports)
    assert float(arrived.test.striping.segment.length) == 1.0
