"""Messages as bytes."""

from __future__ import annotations

import socket
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import ExitCode, WorkerError
from jsrunner.messages import protocol
from jsrunner.messages.protocol import NewSeries, SeriesDelta, StageName
from jsrunner.messages.stream import VERSION, MessageReader, encode, receive, send

EXAMPLES = [
    protocol.Loaded(
        {"default": "function"}, "{}", None, [protocol.DeclaredMetric("m", "rate", "default")]
    ),
    protocol.WorkerFailed("text", ExitCode.SCRIPT_EXCEPTION, "hint"),
    protocol.Forked(7),
    protocol.Initialized(3),
    protocol.Ready(),
    protocol.StageDone("error", b"{}", timed_out=True),
    protocol.WorkerSnapshot(
        series=[NewSeries(0, "m", "trend", "time", {"a": "b"}, 1.0)],
        deltas=[
            SeriesDelta(0, b"\0" * 8),
            SeriesDelta(1, 2.5),
            SeriesDelta(2, (1, 2)),
            SeriesDelta(3, (1.5, -2.0, 3.0)),
        ],
        lines=[b"line\n"],
        sessions_open=1,
        iteration_failures=2,
        failed_handshakes=3,
        lateness=b"",
    ),
    protocol.Log("info", "ü\n", 1_700_000_000_123_456_789, {"source": "console"}, once=True),
    protocol.Secret("word"),
    protocol.Abort("why"),
    protocol.MarkFailed("why"),
    protocol.Finished(),
    protocol.Packed(b"archive"),
    protocol.Pack(),
    protocol.Prepare(2, b"pickled", 1),
    protocol.RunStage(StageName.HANDLE_SUMMARY, None, 1.5, wanted=False),
    protocol.Start(1.5, b"[]"),
    protocol.Interrupt(),
    protocol.Exit(),
]


def test_all_messages_are_known() -> None:
    known = set(typing.get_args(protocol.AnyMessage))
    assert {type(example) for example in EXAMPLES} == known
    assert all(issubclass(message, protocol.WorkerMessage) for message in known)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_round_trip(message: protocol.WorkerMessage) -> None:
    [decoded] = MessageReader().feed(encode(message))
    assert type(decoded) is type(message)
    assert decoded == message


def test_whole_numbers_stay_whole() -> None:
    """A check's passes are shown without a fraction."""
    snapshot = next(example for example in EXAMPLES if isinstance(example, protocol.WorkerSnapshot))
    [decoded] = MessageReader().feed(encode(snapshot))
    assert isinstance(decoded, protocol.WorkerSnapshot)
    assert repr(decoded.deltas) == repr(snapshot.deltas)


@pytest.mark.slow
@given(st.lists(st.sampled_from(EXAMPLES), max_size=8), st.integers(1, 60))
def test_pieces_of_any_size(sent: list[protocol.WorkerMessage], size: int) -> None:
    data, reader = b"".join(map(encode, sent)), MessageReader()
    decoded: list[protocol.WorkerMessage] = []
    for start in range(0, len(data), size):
        decoded += reader.feed(data[start : start + size])
    assert [type(message) for message in decoded] == [type(message) for message in sent]


def test_receive_until_the_end() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            send(theirs, protocol.Ready())
            send(theirs, protocol.Exit())
        reader, waiting = MessageReader(), []
        received = [receive(ours, reader, waiting) for _ in range(3)]
    assert received == [protocol.Ready(), protocol.Exit(), None]


def test_another_version() -> None:
    data = bytearray(encode(protocol.Ready()))
    data[0] += 1
    with pytest.raises(WorkerError, match=f"version {VERSION + 1}, .* speaks version {VERSION}"):
        list(MessageReader().feed(data))
