"""Messages as bytes: the protocol's version in one byte, the length in four, then MessagePack.

The plan consists of jsrunner's classes and travels pickled inside a message. Everything else is plain
data. Both sides have the same `VERSION` and trust each other.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from jsrunner.errors import WorkerError
from jsrunner.messages.protocol import AnyMessage, WorkerMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The version of all messages, of the plan, of the board and of frames between machines.
VERSION: Final = 5

_HEAD: Final = struct.Struct("!BI")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyMessage).decode


class MessageStream(Protocol):
    """A connected socket, plain or gevent's."""

    def recv(self, size: int, /) -> bytes:
        """Receive bytes, at most `size`; none at the end of the stream."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Send all bytes."""
        ...


def encode(message: WorkerMessage) -> bytes:
    """Return the bytes of a message."""
    data = _encode(message)
    return _HEAD.pack(VERSION, len(data)) + data


def send(stream: MessageStream, message: WorkerMessage) -> None:
    """Send a message; wait until the stream has taken it. Raises OSError if the reader is gone."""
    stream.sendall(encode(message))


class MessageReader:
    """Cuts the bytes of one stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[WorkerMessage]:
        """Yield the messages that are complete with `data`.

        Raises:
            WorkerError: The other side speaks another version.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEAD.size:
            version, size = _HEAD.unpack_from(buffer)
            if version != VERSION:
                raise WorkerError(
                    f"a message has version {version}, but this jsrunner speaks version {VERSION}: "
                    "coordinator and workers must be of the same version"
                )
            end = _HEAD.size + size
            if len(buffer) < end:
                return
            message: WorkerMessage = _decode(bytes(buffer[_HEAD.size : end]))
            del buffer[:end]
            yield message

    def rest(self) -> bytes:
        """Return the bytes of an incomplete message, for the next reader of the stream."""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken


def receive(
    stream: MessageStream, reader: MessageReader, waiting: list[WorkerMessage]
) -> WorkerMessage | None:
    """Wait for the next message and return it; None if the other side is gone.

    Args:
        stream: The stream.
        reader: The stream's reader.
        waiting: Messages that have arrived with an earlier message; changed in place.

    Raises:
        WorkerError: The other side speaks another version.
    """
    while not waiting:
        data = stream.recv(65536)
        if not data:
            return None
        waiting.extend(reader.feed(data))
    return waiting.pop(0)
