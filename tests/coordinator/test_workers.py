"""The workers of a run, whose messages the test sends. (Real processes: test_local.py, tests/faults/test_workers.py.)"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.workers import Workers
from jsrunner.messages import board, protocol
from jsrunner.messages.plan import Share, WorkerPlan
from jsrunner.messages.stream import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import PlayedTransport, Records

    from jsrunner.coordinator.loop import Loop
    from jsrunner.errors import JsrunnerError
    from jsrunner.messages.plan import Test


class Heard:
    """Workers, and the messages that a run receives of them."""

    def __init__(self, transport: PlayedTransport, loop: Loop, log: Records) -> None:
        self.messages: list[tuple[int, protocol.WorkerMessage]] = []
        self.errors: list[JsrunnerError] = []
        self.transport = transport
        self.loop = loop
        self.workers = Workers(
            transport,
            loop,
            log,
            hear=lambda number, message: self.messages.append((number, message)),
            fail=self.errors.append,
        )


@pytest.fixture
def heard(transport: PlayedTransport, loop: Loop, log: Records) -> Heard:
    return Heard(transport, loop, log)


@pytest.fixture
def plan(make_test: Callable[..., Test]) -> WorkerPlan:
    """For two workers with three VUs."""
    shares = (Share((1, 3), {"default": (0, 2)}), Share((2,), {"default": (1,)}))
    return WorkerPlan(test=make_test(vus=3), shares=shares, machines=(2,))


@pytest.fixture
def prepared(heard: Heard, plan: WorkerPlan) -> Heard:
    heard.workers.start(4)
    heard.workers.keep(2, 1)
    heard.workers.prepare(plan)
    return heard


def test_there_is_one_worker_until_the_plan_is_known(heard: Heard) -> None:
    heard.workers.start(4)
    assert (len(heard.workers), heard.workers.most()) == (1, 4)
    loaded = protocol.Loaded({}, None, None, [])
    heard.transport.connections[0].tell(loaded)
    heard.loop.run_until(lambda: bool(heard.messages))
    assert heard.messages == [(1, loaded)]


def test_the_first_worker_is_told_to_fork_the_others(prepared: Heard, plan: WorkerPlan) -> None:
    first, second = prepared.transport.connections
    [message] = first.told()
    assert isinstance(message, protocol.Prepare)
    assert message.workers == 2
    assert pickle.loads(message.plan).shares == plan.shares
    assert second.told() == []
    assert len(prepared.workers) == 2


def test_how_workers_get_on(prepared: Heard, log: Records) -> None:
    first, second = prepared.transport.connections
    first.tell(protocol.Forked(41), protocol.Initialized(1), protocol.Initialized(2), protocol.Ready())
    second.tell(protocol.Forked(42), protocol.Initialized(1))
    prepared.loop.run_until(lambda: prepared.workers.vus == 3)
    assert not prepared.workers.are_ready()
    second.tell(protocol.Ready())
    prepared.loop.run_until(prepared.workers.are_ready)
    assert (first.process_id, second.process_id) == (41, 42)
    assert "Worker 1 has made 2 VUs" in log.texts("debug")
    assert prepared.messages == []
    first.tell(protocol.Finished())
    prepared.loop.run_until(lambda: len(prepared.workers.playing()) == 1)
    assert prepared.workers.playing()[0].number == 2


def test_active_vus_are_those_of_the_board(prepared: Heard) -> None:
    counts = prepared.transport.board.view(0, 1)
    counts.add(board.ACTIVE, 2)
    assert prepared.workers.active_vus == 2
    assert len(prepared.workers.counts) == 1


def test_a_worker_that_dies_fails_the_run(prepared: Heard) -> None:
    second = prepared.transport.connections[1]
    second.tell(protocol.Forked(42))
    second.worker.close()
    prepared.loop.run_until(lambda: bool(prepared.errors))
    [error] = prepared.errors
    assert (
        str(error)
        == "worker 2 of 2 (process 42) died by itself, its 1 VU is lost: the run is not complete"
    )
    first = prepared.workers.first_alive()
    assert first is not None
    assert first.number == 1


def test_a_worker_that_does_not_obey_is_killed(prepared: Heard) -> None:
    first, second = prepared.transport.connections
    handle = prepared.workers.playing()[0]
    prepared.workers.kill(handle, "it sleeps")
    assert (first.is_killed, second.is_killed) == (True, False)
    assert [str(error) for error in prepared.errors] == [
        "worker 1 of 2 (process 0) was killed because it sleeps: the run is not complete"
    ]
    second.tell(protocol.Finished())  # its stream's end is no news
    prepared.loop.run_until(lambda: not prepared.workers.playing())
    assert len(prepared.errors) == 1


def test_only_workers_that_are_left_are_told(prepared: Heard) -> None:
    first, second = prepared.transport.connections
    first.told()
    prepared.workers.kill(prepared.workers.playing()[0], "of the test")
    prepared.workers.interrupt()
    prepared.workers.dismiss()
    assert second.told() == [protocol.Interrupt(), protocol.Exit()]
    prepared.workers.end(1.0)
    assert prepared.transport.is_ended


def test_a_worker_of_another_version_fails_the_run(heard: Heard) -> None:
    heard.workers.start(1)
    data = bytearray(encode(protocol.Ready()))
    data[0] += 1
    heard.transport.connections[0].worker.sendall(data)
    heard.loop.run_until(lambda: bool(heard.errors))
    assert "must be of the same version" in str(heard.errors[0])
