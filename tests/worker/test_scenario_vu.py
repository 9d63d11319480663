"""A VU of scenarios: activation, iterations, exceptions, the end of an interrupted iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.messages import board
from jsrunner.messages.protocol import Abort, Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Worker


def test_a_vu_goes_on_counting_in_its_next_assignment(worker: Callable[..., Worker]) -> None:
    here = worker(
        """
        import exec from 'k6/execution';
        export default () => console.log(JSON.stringify([__ITER, exec.vu.iterationInScenario]));
        """,
        PerVUIterations(name="s", vus=1, iterations=2),
    )
    vu = here.new_vu()
    here.play(vu)
    here.play(vu)
    assert here.logged() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert here.samples()["iterations"] == 4


def test_setup_data_variables_and_tags_of_the_scenario(worker: Callable[..., Worker]) -> None:
    here = worker(
        """
        import exec from 'k6/execution';
        export default (data) => console.log(JSON.stringify([data, __ENV.ROOM, exec.vu.metrics.tags]));
        """,
        PerVUIterations(name="s", vus=1, iterations=1, env={"ROOM": "a"}, tags={"team": "b"}),
    )
    here.play(here.new_vu(), setup_data=b'{"token":1}')
    assert here.logged() == [[{"token": 1}, "a", {"group": "", "scenario": "s", "team": "b"}]]


def test_an_exception_ends_its_iteration(worker: Callable[..., Worker]) -> None:
    here = worker(
        "export default () => { if (__ITER === 0) throw new Error('first'); };",
        PerVUIterations(name="s", vus=1, iterations=2),
    )
    here.play(here.new_vu())
    [error] = [one for one in here.sent if isinstance(one, Log) and one.level == "error"]
    assert error.text.startswith("Error: first")
    assert error.fields["scenario"] == "s"
    assert here.process.iteration_failures == 1
    assert here.scenario.counts.total(board.COMPLETED) == 2


def test_an_aborted_iteration_is_interrupted_and_measured(worker: Callable[..., Worker]) -> None:
    here = worker(
        """
        import { group } from 'k6';
        import exec from 'k6/execution';
        export default () => group('shop', () => exec.test.abort('enough'));
        """,
        PerVUIterations(name="s", vus=1, iterations=5),
    )
    vu = here.new_vu()
    here.play(vu)
    assert vu.interrupted
    [abort] = [one for one in here.sent if isinstance(one, Abort)]
    assert abort.text.startswith("test aborted: enough at ")
    assert here.scenario.counts.total(board.INTERRUPTED) == 1
    assert here.scenario.counts.total(board.COMPLETED) == 0
    samples = here.samples()
    assert samples["iterations"] == 1
    assert len(samples["iteration_duration"]) == len(samples["group_duration"]) == 1


def test_no_iteration_begins_after_the_run_was_stopped(worker: Callable[..., Worker]) -> None:
    here = worker("export default () => {};", PerVUIterations(name="s", vus=1, iterations=5))
    vu = here.new_vu()
    here.process.stopping = True
    assert here.play(vu).left == 5
    assert here.scenario.counts.total(board.STARTED) == 0
