"""The state that all VUs of a worker share: log records, secrets, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.executors.per_vu_iterations import PerVUIterations
from jsrunner.messages.protocol import Log, MarkFailed, Secret
from jsrunner.options.model import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Worker


@pytest.fixture
def here(worker: Callable[..., Worker]) -> Worker:
    made = worker(
        "export default () => {};",
        PerVUIterations(name="s", vus=1, iterations=1),
        options=Options(tags={"team": "a"}, system_tags=("scenario",)),
    )
    made.sent.clear()  # of the first init
    return made


def test_records_have_their_fields(here: Worker) -> None:
    here.process.log("info", "text", source="console")
    here.process.log_once("warning", "once")
    first, second = (one for one in here.sent if isinstance(one, Log))
    assert (first.level, first.text, first.fields, first.once) == (
        "info",
        "text",
        {"source": "console"},
        False,
    )
    assert (second.level, second.text, second.once) == ("warning", "once", True)


def test_the_time_of_records_is_the_coordinators(here: Worker) -> None:
    """A machine whose clock is an hour behind corrects its records."""
    here.process.log("info", "before")
    here.board.clock_lag = 3_600_000_000_000
    here.process.log("info", "after")
    before, after = (one.time for one in here.sent if isinstance(one, Log))
    assert 3_600_000_000_000 <= after - before < 7_200_000_000_000


def test_a_secret_is_sent_once(here: Worker) -> None:
    for secret in ("a", "b", "a"):
        here.process.redact(secret)
    assert [one.value for one in here.sent if isinstance(one, Secret)] == ["a", "b"]


def test_a_fault_is_logged_once_for_each_place(here: Worker) -> None:
    for _ in range(2):
        try:
            raise LookupError("no")
        except LookupError as error:
            here.process.log_fault(error)
    [text] = here.logged("debug")
    assert "LookupError: no" in text


def test_a_run_is_marked_as_failed(here: Worker) -> None:
    here.process.mark_failed("why")
    assert [one.text for one in here.sent if isinstance(one, MarkFailed)] == ["why"]


def test_the_plan_sets_tags(here: Worker) -> None:
    assert here.process.run_tags == {"team": "a"}
    assert here.process.system_tags == {"scenario"}
