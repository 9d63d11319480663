"""Pushing to a receiver: one that is slow, dead or late delays no other part of the run."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from waiting import DEADLINE

from jsrunner.outputs.influxdb import InfluxFormatter
from jsrunner.outputs.pusher import LinePusher, PushError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.outputs.pusher import Item


class Pushes(LinePusher):
    """Keeps what arrives; `answers` are the errors of the first pushes."""

    buffer = 100
    patience = 0.2

    def __init__(
        self, *answers: PushError | Exception | None, gate: threading.Event | None = None
    ) -> None:
        super().__init__("x", 0.001, InfluxFormatter({}, 1))
        self.arrived_lines: list[bytes] = []
        self.failed = threading.Event()
        self._answers = list(answers)
        self._gate = gate
        self.begin()

    def push(self, items: Sequence[Item]) -> None:
        if self._gate is not None:
            self.failed.set()
            self._gate.wait(DEADLINE)
        if self._answers and (answer := self._answers.pop(0)) is not None:
            self.failed.set()
            raise answer
        self.arrived_lines += [item.payload for item in items]


def test_what_the_receiver_did_not_take_is_sent_again() -> None:
    output = Pushes(PushError("no"))
    output.write(b"one\ntwo\n")
    assert output.failed.wait(DEADLINE)
    output.write(b"three\n")
    output.close()
    output.close()
    assert b"".join(output.arrived_lines) == b"one\ntwo\nthree\n"
    assert [text for _, text in output.news] == [
        "output x: no; the test goes on",
        "output x: pushes that failed: 1; samples that were lost: 0",
    ]


def test_what_it_will_never_take_is_lost() -> None:
    output = Pushes(PushError("bad request", again=False), ValueError("odd"))
    output.write(b"one\ntwo\n")
    assert output.failed.wait(DEADLINE)
    output.failed.clear()
    output.write(b"three\n")
    assert output.failed.wait(DEADLINE)
    output.close()
    assert [text for _, text in output.news] == [
        "output x: bad request; the test goes on",
        "output x: pushes that failed: 2; samples that were lost: 3",
    ]


def test_a_receiver_that_never_answers_costs_the_end_its_patience() -> None:
    gate = threading.Event()
    output = Pushes(gate=gate)
    output.write(b"one\ntwo\n")
    assert output.failed.wait(DEADLINE)
    for _ in range(20):
        output.write(b"0123456789\n")
    output.close()
    gate.set()
    assert [text for _, text in output.news] == [
        "output x: 0 MB wait for the receiver, samples are lost from now on",
        "output x: it took too long at the end, given up after 0.2 s",
        "output x: pushes that failed: 1; samples that were lost: 22",
    ]


def test_a_dead_receiver_costs_neither_the_summary_nor_the_exit_code(
    run_to: Callable[..., Any],
) -> None:
    done = run_to("influxdb=http://127.0.0.1:1/db", "statsd=127.0.0.1:1",
               "experimental-prometheus-rw=http://127.0.0.1:1/write")  # fmt: skip
    assert done.returncode == 0
    assert "iterations" in done.stdout
    lines = done.stderr.splitlines()
    assert sum("connection refused; the test goes on" in line for line in lines) == 3
    # On a busy machine a run lasts longer, and there are more pushes than the last one.
    assert sum(re.search(r"pushes that failed: [1-9]\d*; ", line) is not None for line in lines) == 3
