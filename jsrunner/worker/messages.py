"""What the coordinator and its workers say to each other: msgpack, each message behind its length.

Workers run on the same machine and are started by the coordinator, so the plan, which is made of
our own dataclasses, travels pickled inside a message; everything else is plain data.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = struct.Struct("!I")


class Message(msgspec.Struct, tag=True, frozen=True):
    """Base of all messages."""


# -- worker to coordinator -------------------------------------------------------------------------


class Loaded(Message, frozen=True):
    """The script's first init is done: types of its exports, its options as JSON text."""

    exports: dict[str, str]
    options: str | None
    options_error: str | None
    #: Metrics that the init code declared: (name, type, contains).
    metrics: list[tuple[str, str, str]]
    #: Specifiers of all modules that were loaded, the script itself included.
    imports: list[str] = []


class Failed(Message, frozen=True):
    """The worker cannot go on."""

    text: str
    exit_code: int
    hint: str | None = None


class Initialized(Message, frozen=True):
    """So many VUs of this worker have run their init code."""

    vus: int


class Forked(Message, frozen=True):
    """This worker's process has begun: whom to kill if it does not obey."""

    process_id: int


class Ready(Message, frozen=True):
    """All VUs of this worker are there."""


class StageDone(Message, frozen=True):
    """setup, teardown or handleSummary is over: its failure, or its result as JSON."""

    error: str | None
    #: None for undefined.
    result: bytes | None
    timed_out: bool = False
    #: The failure is a promise that nobody has handled, which is no exception to k6.
    is_rejection: bool = False
    #: The failure is that handleSummary has called exec.test.abort.
    aborted: bool = False


class Snapshot(Message, frozen=True):
    """What happened since the last snapshot (see Recorder.collect), and the state now."""

    series: list[tuple[int, str, str, str, dict[str, str], float]]
    deltas: list[tuple[int, Any]]
    lines: list[bytes]
    sessions_open: int
    #: How late iterations of arrival rates were started: milliseconds, as doubles.
    lateness: bytes
    iteration_failures: int
    failed_handshakes: int
    #: Why the first of them failed.
    handshake_failure: str = ""


class Log(Message, frozen=True):
    """A line for the log."""

    level: str
    text: str
    #: Nanoseconds since the epoch.
    time: int
    fields: dict[str, Any]
    #: Whether the run logs this text only once, however many workers say it.
    once: bool = False


class Secret(Message, frozen=True):
    """A script has got this secret: it must not be seen in the log from now on."""

    value: str


class Abort(Message, frozen=True):
    """The script called exec.test.abort: the run is to end now."""

    text: str


class MarkFailed(Message, frozen=True):
    """The script called exec.test.fail: the run goes on and ends as failed."""

    text: str


class Finished(Message, frozen=True):
    """All scenarios of this worker have ended."""


# -- coordinator to worker -------------------------------------------------------------------------


class Prepare(Message, frozen=True):
    """Fork into `workers` processes (said to the first one), then make the VUs of each."""

    workers: int
    plan: bytes


class RunStage(Message, frozen=True):
    """Run setup, teardown or handleSummary with this argument (JSON), for `timeout` seconds.

    If it is not `wanted`, only the init code runs, as k6 does where there is no handleSummary.
    """

    name: str
    argument: bytes | None
    timeout: float
    wanted: bool = True


class Start(Message, frozen=True):
    """Begin the scenarios at this moment of the monotonic clock, with setup's data as JSON."""

    at: float
    setup_data: bytes | None


class Interrupt(Message, frozen=True):
    """Stop all iterations now."""


class Exit(Message, frozen=True):
    """The run is over."""


_Any = (
    Loaded | Failed | Forked | Initialized | Ready | StageDone | Snapshot | Log | Secret | Abort
    | MarkFailed
    | Finished | Prepare | RunStage | Start | Interrupt | Exit
)  # fmt: skip

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Any).decode


class Stream(Protocol):
    """A connected socket, plain or gevent's."""

    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...


def encode(message: Message) -> bytes:
    """The bytes of a message, its length before it."""
    data = _encode(message)
    return _LENGTH.pack(len(data)) + data


def send(stream: Stream, message: Message) -> None:
    stream.sendall(encode(message))


class Reader:
    """Cuts a stream's bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 4:
            end = 4 + _LENGTH.unpack_from(buffer)[0]
            if len(buffer) < end:
                return
            message: Message = _decode(bytes(buffer[4:end]))
            del buffer[:end]
            yield message


def receive(stream: Stream, reader: Reader, waiting: list[Message]) -> Message | None:
    """The next message, blocking; None when the other side is gone."""
    while not waiting:
        data = stream.recv(65536)
        if not data:
            return None
        waiting.extend(reader.feed(data))
    return waiting.pop(0)
