"""Starts of iterations that a process hands over to another process: entries of the board's mail pipes.

An entry to another machine gets an answer: that machine has a free VU for the start, or it has none.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kinds of entries.
START: Final = 0
TAKEN: Final = 1
REFUSED: Final = 2

_ENTRY: Final = struct.Struct("=BHHHd")
#: Bytes of an entry.
SIZE: Final = _ENTRY.size


class MailEntry(NamedTuple):
    """A start, or the answer to one."""

    kind: int
    #: The place of the scenario.
    slot: int
    #: The process that has handed it over: its machine, and its place there.
    machine: int
    worker: int
    #: The planned moment, in seconds from the scenario's start.
    offset: float

    def pack(self) -> bytes:
        """Return the bytes of the entry."""
        return _ENTRY.pack(*self)


def unpack(data: bytes) -> Iterator[MailEntry]:
    """Yield the entries of some bytes, which end with an entry."""
    return map(MailEntry._make, _ENTRY.iter_unpack(data))
