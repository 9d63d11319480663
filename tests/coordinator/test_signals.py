"""Signals of a run, in this process. (Whole runs: tests/faults/test_signals.py.)"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.coordinator.loop import Loop


class Caught:
    """The calls that signals have caused."""

    def __init__(self, loop: Loop) -> None:
        self.stopped: list[str] = []
        self.quits = 0
        self.signals = Signals(loop, stop=self.stopped.append, quit=self._quit)

    def _quit(self) -> None:
        self.quits += 1


@pytest.fixture
def caught(loop: Loop) -> Iterator[Caught]:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    caught = Caught(loop)
    caught.signals.install()
    yield caught
    caught.signals.restore()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminated")]
)
def test_the_first_signal_stops(loop: Loop, caught: Caught, number: signal.Signals, name: str) -> None:
    os.kill(os.getpid(), number)
    loop.run_until(lambda: bool(caught.stopped))
    assert (caught.stopped, caught.quits, caught.signals.count) == ([name], 0, 1)


def test_the_second_signal_quits_at_once(caught: Caught) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert caught.quits == 1
    assert caught.stopped == []  # the loop has not run


def test_a_signal_ends_lingering_and_nothing_else(loop: Loop, caught: Caught) -> None:
    loop.call_soon(lambda: os.kill(os.getpid(), signal.SIGINT))
    caught.signals.linger(loop.run_until)
    assert (caught.stopped, caught.quits, caught.signals.count) == ([], 0, 0)
