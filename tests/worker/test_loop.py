"""Python's half of the event loop: a VU's greenlet waits, others post."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from in_process import Stage

from jsrunner.engine.interpreter import Interrupted
from jsrunner.worker.loop import BATCH

if TYPE_CHECKING:
    from pathlib import Path

    from jsrunner.worker.loop import EventLoop


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, "export function setup() {}")


@pytest.fixture
def loop(stage: Stage) -> EventLoop:
    return stage.vu.loop


class Texts:
    """A source of texts."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.settled = 0

    def deliver(self, at: float, events: list[Any]) -> list[object]:
        return [f"{one}!" for one in events]

    def settle(self) -> None:
        self.settled += 1


def taken(answer: bytes) -> list[list[Any]]:
    """What JavaScript gets, without the times."""
    return [[one[0], *one[2:]] for one in json.loads(answer)]


def test_handles_are_numbers_of_their_own(loop: EventLoop) -> None:
    assert [loop.new_handle(), loop.new_handle()] == [1, 2]


def test_what_was_posted_is_taken_at_once_and_in_order(loop: EventLoop) -> None:
    loop.post(1, "a")
    loop.post_aside(Texts(2), ["b", "c"])
    loop.post(1, {"d": None})
    assert taken(loop.wait(b"\x04")) == [[1, "a"], [2, "b!", "c!"], [1, {"d": None}]]


def test_a_waiting_vu_is_woken_from_another_greenlet(loop: EventLoop) -> None:
    waiting = gevent.spawn(loop.wait, b"\x04-")
    gevent.sleep(0)
    loop.post(7, "x")
    assert taken(waiting.get(timeout=10)) == [[7, "x"]]


def test_a_waiting_vu_is_woken_from_the_hub(loop: EventLoop) -> None:
    waiting = gevent.spawn(loop.wait, b"\x04-")
    timer = gevent.get_hub().loop.timer(0.001)
    timer.start(loop.post_events, Texts(3), ["x", "y"])
    assert taken(waiting.get(timeout=10)) == [[3, "x!", "y!"]]
    timer.close()


def test_times_are_those_of_the_script(loop: EventLoop) -> None:
    loop.set_clock(5_000_000.0)
    loop.post(1, "x")
    at = json.loads(loop.wait(b"\x04"))[0][1]
    assert 5_000_000 <= at < 5_020_000


def test_the_alarm_rings(loop: EventLoop) -> None:
    assert gevent.spawn(loop.wait, b"\x041.5").get(timeout=10) == b"2"


def test_the_alarm_lasts_until_another_is_set(loop: EventLoop) -> None:
    waiting = gevent.spawn(loop.wait, b"\x0430")
    gevent.sleep(0)
    loop.post(1, "x")
    assert taken(waiting.get(timeout=10)) == [[1, "x"]]
    assert gevent.spawn(loop.wait, b"\x04").get(timeout=10) == b"2"


def test_an_alarm_that_rang_while_nobody_waited_is_told(loop: EventLoop) -> None:
    loop.post(1, "x")
    assert taken(loop.wait(b"\x040.1")) == [[1, "x"]]
    gevent.sleep(0.01)
    assert loop.wait(b"\x04") == b"2"


def test_an_alarm_can_be_taken_back(loop: EventLoop) -> None:
    loop.post(1, "x")
    loop.wait(b"\x040.1")
    waiting = gevent.spawn(loop.wait, b"\x04-")
    gevent.sleep(0.01)
    assert not waiting.ready()
    loop.post(1, "y")
    assert taken(waiting.get(timeout=10)) == [[1, "y"]]


def test_one_text_for_the_sender_comes_as_it_is(loop: EventLoop) -> None:
    sender, other = Texts(1), Texts(2)
    loop.post_aside(sender, ["x"])
    assert loop.send_and_wait(sender) == b'"x!"'
    loop.post_aside(other, ["x"])
    assert taken(loop.send_and_wait(sender)) == [[2, "x!"]]
    loop.post_aside(sender, ["x", "y"])
    assert taken(loop.send_and_wait(sender)) == [[1, "x!", "y!"]]
    loop.post_aside(sender, ["x"])
    loop.post(3, "y")
    assert taken(loop.send_and_wait(sender)) == [[1, "x!"], [3, "y"]]


def test_much_crosses_in_parts(loop: EventLoop) -> None:
    for number in range(BATCH + 3):
        loop.post(1, number)
    assert len(taken(loop.wait(b"\x04"))) == BATCH
    assert taken(loop.wait(b"\x04")) == [[1, BATCH], [1, BATCH + 1], [1, BATCH + 2]]


def test_a_turn_does_not_wait(loop: EventLoop) -> None:
    assert loop.wait(b"\x04turn") == b"[]"
    loop.post(1, "x")
    assert taken(loop.wait(b"\x04turn")) == [[1, "x"]]


def test_others_run_when_a_slice_is_over(loop: EventLoop) -> None:
    ran: list[int] = []
    gevent.spawn(ran.append, 1)
    loop.slice_end = 0.0
    loop.wait(b"\x04turn")
    assert ran == [1]
    gevent.spawn(ran.append, 2)
    loop.slice_end = float("inf")
    loop.wait(b"\x04turn")
    assert ran == [1]


def test_sources_settle_when_javascript_is_done_with_what_it_took(loop: EventLoop) -> None:
    source = Texts(1)
    loop.post_aside(source, ["x"])
    loop.wait(b"\x04")
    loop.settle_later(source)
    loop.wait(b"\x04turn")
    assert source.settled == 0
    loop.post(1, "y")
    loop.wait(b"\x04")
    assert source.settled == 1


def test_an_interrupted_vu_does_not_wait_any_more(stage: Stage) -> None:
    loop = stage.vu.loop
    stage.vu.interrupted = True
    loop.post(1, "x")
    with pytest.raises(Interrupted):
        loop.wait(b"\x04")


def test_a_new_interpreter_hears_nothing_of_the_old_one(loop: EventLoop) -> None:
    loop.post(1, "x")
    loop.wait(b"\x040.1")
    loop.post(1, "y")
    loop.set_clock(1.0)
    gevent.sleep(0.01)
    assert loop.wait(b"\x04turn") == b"[]"


def test_timers_of_the_first_init_need_no_hub(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        "const started = Date.now();"
        "setTimeout(() => console.log('late', Date.now() - started >= 15), 15);"
        "setTimeout(() => console.log('soon'), 1); export function setup() {}",
    )
    assert stage.logged()[:2] == ["soon", "late true"]
