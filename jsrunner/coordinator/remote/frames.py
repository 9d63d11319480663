"""The frames between a coordinator and the agent of a machine: several workers' bytes in one stream."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

from msgspec import Struct

#: A kind, the place of a worker on its machine or of a scenario, the length of what follows.
_HEAD: Final = struct.Struct("!BHI")


class FrameKind(IntEnum):
    """The kind of a frame: its content and its sender."""

    #: Coordinator to agent, first: a pickled `Job`.
    JOB = 1
    #: Both ways: bytes of the messages of one worker.
    DATA = 2
    #: Agent to coordinator: a worker's process has ended, how as text.
    GONE = 3
    #: Agent to coordinator: the counts of the machine's workers (`Board.rows`).
    COUNTS = 4
    #: Coordinator to agent: the sums of all other machines' counts (`Board.sums`).
    OTHERS = 5
    #: Coordinator to agent: kill this worker.
    KILL = 6
    #: Actor to agent, once a second or more often, and agent to coordinator: somebody is there.
    ALIVE = 7
    #: Coordinator to agent: shared iterations of a scenario on loan (`LOAN`), none: no more will come.
    LEND = 8
    #: Coordinator to agent: give back at most so many (`NUMBER`). Agent to coordinator: which (`LOAN`).
    GIVE_BACK = 9
    #: Agent to coordinator: how the loans of a scenario are (`LOANS`).
    LOANS = 10
    #: Both ways: starts of arrival rates that go to another machine, and answers (`messages.mail`).
    STARTS = 11
    #: Coordinator to agent: nanoseconds that the machine's clock is behind (`NUMBER`).
    CLOCK = 12


#: The first number and the count.
LOAN: Final = struct.Struct("!qq")
NUMBER: Final = struct.Struct("!q")
#: How many numbers nobody has drawn yet, how many loans have come, whether a VU waits for another.
LOANS: Final = struct.Struct("!qq?")


class Frame(NamedTuple):
    """A frame: its content, and the place of the worker or scenario that it concerns."""

    kind: FrameKind
    place: int
    data: bytes


class Job(Struct, frozen=True):
    """The data that an agent needs to start workers. It travels pickled."""

    #: The name of the script as errors show it.
    script: str
    #: In the format of `script.archive`.
    archive: bytes
    environment: Mapping[str, str]
    #: `secrets.sources.SecretSources`.
    secrets: Any
    features: frozenset[str]
    workers: int
    scenarios: int


def frame(kind: FrameKind, place: int = 0, data: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    return _HEAD.pack(kind, place, len(data)) + data


class FrameReader:
    """Cuts the bytes of one stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete with `data`."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEAD.size:
            kind, place, size = _HEAD.unpack_from(buffer)
            end = _HEAD.size + size
            if len(buffer) < end:
                return
            taken = bytes(buffer[_HEAD.size : end])
            del buffer[:end]
            yield Frame(FrameKind(kind), place, taken)
