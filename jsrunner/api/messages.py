"""Messages between a program and the process of the run that it has started.

They cross a socket pair: msgpack, each message behind its length as four bytes in network order.

    program -> run    Begin, once and first; then Stop, Pause, Resume
    run -> program    Logged, Snapshot and Replied; at last Ended or Refused

The end of the stream is a message too. To the run it says that the program has gone: the run stops.
To the program it says that no process of the run is left, because the workers inherit the socket.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import msgspec

from jsrunner.api import records  # noqa: TC001 (msgspec looks at the types)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH: Final = struct.Struct("!I")


class Message(msgspec.Struct, tag=True, frozen=True):
    """Base of all messages."""


# -- program to run --------------------------------------------------------------------------------


class Begin(Message, frozen=True):
    """Run this script."""

    #: As the file system has it: names need not be UTF-8.
    path: bytes
    #: The script's text; None if it is in the file `path`, which may be an archive.
    source: str | None
    #: Options of the test as JSON.
    options: bytes
    env: dict[str, str]
    #: As for `--out`.
    outputs: list[str]
    #: As for `--secret-source`.
    secrets: list[str]
    #: The files of the record and of the report, as the file system has their names; None for none.
    save: bytes | None
    report: bytes | None
    workers: int | None
    #: As for `--dask`, `--dask-insecure` and `--tolerate-loss`.
    dask: str | None
    dask_insecure: bool
    tolerate_loss: bool
    #: The selected scenarios; None for all.
    scenarios: list[str] | None
    once: bool
    thresholds: bool
    #: True if the bundled server is started for the run.
    server: bool
    #: True if the run waits for `Resume` before setup.
    paused: bool
    #: True if the log's records are written to standard error, besides being sent.
    prints_log: bool
    #: The descriptor of the file for samples; None without `samples=True`.
    samples: int | None


class Stop(Message, frozen=True):
    """End the run early; teardown and the summary still come."""


class Pause(Message, frozen=True):
    """Wait before the test begins. Answered by `Replied` with the same serial number."""

    serial: int


class Resume(Message, frozen=True):
    """Let a paused test begin. Answered by `Replied` with the same serial number."""

    serial: int


# -- run to program --------------------------------------------------------------------------------


class Logged(Message, frozen=True):
    """A record of the run's log."""

    record: records.LogRecord


class Snapped(Message, frozen=True):
    """A snapshot of the run."""

    snapshot: records.Snapshot


class Replied(Message, frozen=True):
    """A request was carried out, or refused with an error text."""

    serial: int
    error: str | None


class Ended(Message, frozen=True):
    """The run is over (see `Result`)."""

    exit_code: int
    reason: str
    duration: float
    thresholds: tuple[records.Threshold, ...]
    #: JSON.
    summary: bytes
    #: The series of the samples by number: JSON of (metric, type, contains, tags, metadata).
    series: dict[int, bytes]
    #: Number of log records that were not sent because the program did not read them.
    records_lost: int


class Refused(Message, frozen=True):
    """The run could not begin, or could not be completed: the error that says why."""

    #: The name of a class in jsrunner.errors.
    kind: str
    text: str
    exit_code: int
    hint: str | None


Request = Begin | Stop | Pause | Resume
Event = Logged | Snapped | Replied | Ended | Refused

_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(Request).decode
_decode_event = msgspec.msgpack.Decoder(Event).decode


def encode(message: Message) -> bytes:
    """Return the bytes of a message, its length before it."""
    data = _encode(message)
    return _LENGTH.pack(len(data)) + data


class Frames:
    """Cuts a stream's bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def requests(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that are complete with `data`."""
        return (_decode_request(frame) for frame in self._frames(data))

    def events(self, data: bytes) -> Iterator[Event]:
        """Yield the events that are complete with `data`."""
        return (_decode_event(frame) for frame in self._frames(data))

    def _frames(self, data: bytes) -> Iterator[bytes]:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(buffer)[0]
            if len(buffer) < end:
                return
            frame = bytes(buffer[_LENGTH.size : end])
            del buffer[:end]
            yield frame
