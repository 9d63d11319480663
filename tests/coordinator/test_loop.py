"""The coordinator's event loop."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """Goes when the test wants."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked(clock: Clock) -> Iterator[Loop]:
    loop = Loop(clock)
    yield loop
    loop.close()


def turn(loop: Loop, turns: int) -> None:
    """Have the loop look at its timers so many times."""
    left = [turns]

    def is_over() -> bool:
        left[0] -= 1
        loop.call_soon(lambda: None)  # so that it does not wait
        return left[0] < 0

    loop.run_until(is_over)


def test_a_stream_is_watched_until_it_is_not(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        received: list[bytes] = []

        def handle() -> None:
            received.append(ours.recv(1))
            if received[-1] == b"2":
                loop.unwatch(ours)

        loop.watch(ours, handle)
        theirs.sendall(b"123")
        loop.run_until(lambda: b"2" in received)
        turn(loop, 2)
    assert received == [b"1", b"2"]


def test_calls_from_another_thread(loop: Loop) -> None:
    threads: list[str] = []
    caller = threading.Thread(
        target=loop.call_soon, args=(lambda: threads.append(threading.current_thread().name),)
    )
    caller.start()
    loop.run_until(lambda: bool(threads))
    caller.join()
    assert threads == [threading.current_thread().name]


def test_calls_are_made_in_order_and_may_call(loop: Loop) -> None:
    made: list[int] = []
    loop.call_soon(lambda: made.append(1))
    loop.call_soon(lambda: loop.call_soon(lambda: made.append(3)))
    loop.call_soon(lambda: made.append(2))
    loop.make_calls()
    assert made == [1, 2]
    loop.run_until(lambda: 3 in made)
    assert made == [1, 2, 3]


def test_a_call_that_calls_itself_holds_up_nothing(loop: Loop) -> None:
    made: list[str] = []

    def again() -> None:
        made.append("again")
        loop.call_soon(again)

    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.watch(ours, lambda: made.append(ours.recv(1).decode()))
        loop.call_soon(again)
        theirs.sendall(b"x")
        loop.run_until(lambda: "x" in made and "again" in made)


def test_a_timer_is_first_due_after_its_seconds(clock: Clock, clocked: Loop) -> None:
    made: list[float] = []
    clocked.every(1.0, lambda: made.append(clock.now), catches_up=True)
    turn(clocked, 2)
    assert made == []
    clock.now += 1.0
    turn(clocked, 2)
    assert made == [101.0]


def test_a_timer_at_once(clock: Clock, clocked: Loop) -> None:
    made: list[float] = []
    clocked.every(1.0, lambda: made.append(clock.now), at_once=True, catches_up=False)
    turn(clocked, 3)
    assert made == [100.0]


@pytest.mark.parametrize(("catches_up", "count"), [(True, 4), (False, 1)])
def test_a_timer_that_was_held_up(clock: Clock, clocked: Loop, catches_up: bool, count: int) -> None:
    made: list[float] = []
    clocked.every(1.0, lambda: made.append(clock.now), catches_up=catches_up)
    clock.now += 4.5
    turn(clocked, 1)
    assert len(made) == 1
    turn(clocked, 9)
    assert len(made) == count
    clock.now += 0.5 if catches_up else 1.0
    turn(clocked, 2)
    assert len(made) == count + 1


def test_a_handler_may_run_the_loop_itself(loop: Loop) -> None:
    made: list[str] = []

    def outer() -> None:
        loop.call_soon(lambda: made.append("inner"))
        loop.run_until(lambda: "inner" in made)
        made.append("outer")

    loop.call_soon(outer)
    loop.run_until(lambda: "outer" in made)
    assert made == ["inner", "outer"]


def test_calls_after_the_end_are_in_vain() -> None:
    loop = Loop()
    loop.close()
    loop.call_soon(lambda: pytest.fail("called"))
