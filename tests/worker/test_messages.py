from __future__ import annotations

import socket
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.worker import messages

EXAMPLES = [
    messages.Failed("text", 107, "hint"),
    messages.Forked(7),
    messages.Initialized(3),
    messages.Ready(),
    messages.StageDone("error", b"{}", timed_out=True),
    messages.Snapshot(
        series=[(0, "m", "trend", "time", {"a": "b"}, 1.0)],
        deltas=[(0, b"\0" * 8), (1, 2.5), (2, (1, 2))],
        lines=[b"line\n"],
        sessions_open=1,
        iteration_failures=2,
        failed_handshakes=3,
        lateness=b"",
    ),
    messages.Log("info", "ü\n", 1_700_000_000_123_456_789, {"source": "console"}, once=True),
    messages.Abort("why"),
    messages.MarkFailed("why"),
    messages.Finished(),
    messages.RunStage("setup", None, 1.5, wanted=False),
    messages.Start(1.5, b"[]"),
    messages.Interrupt(),
    messages.Exit(),
]


def test_all_messages_are_known() -> None:
    known = set(typing.get_args(messages._Any))
    assert {type(one) for one in EXAMPLES} <= known
    assert all(issubclass(one, messages.Message) for one in known)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda one: type(one).__name__)
def test_round_trip(message: messages.Message) -> None:
    [found] = messages.Reader().feed(messages.encode(message))
    assert type(found) is type(message)
    if not isinstance(message, messages.Snapshot):  # pairs come back as lists
        assert found == message


@given(st.lists(st.sampled_from(EXAMPLES), max_size=8), st.integers(1, 60))
def test_pieces_of_any_size(sent: list[messages.Message], size: int) -> None:
    data, reader = b"".join(map(messages.encode, sent)), messages.Reader()
    found = []
    for start in range(0, len(data), size):
        found += reader.feed(data[start : start + size])
    assert [type(one) for one in found] == [type(one) for one in sent]


def test_receive_until_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            messages.send(theirs, messages.Ready())
            messages.send(theirs, messages.Exit())
        reader, waiting = messages.Reader(), []
        found = [messages.receive(ours, reader, waiting) for _ in range(3)]
    assert found == [messages.Ready(), messages.Exit(), None]
