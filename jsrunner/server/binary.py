"""The protocol of /binary: length-prefixed records, any number of them per message.

A record, all numbers big-endian::

    4 bytes   length of the rest
    1 byte    type
    4 bytes   number, chosen by the client; the answer has the same number
    n bytes   payload

===== ======== ============================================ =================================
type  request  payload                                      the answer's type and payload
===== ======== ============================================ =================================
0x01  echo     anything                                     0x81, the same
0x02  sum      32-bit signed integers                       0x82, a 64-bit signed integer
0x03  time     nothing                                      0x83, milliseconds since 1970, 64 bits
===== ======== ============================================ =================================

A wrong record is answered by 0xFF with a text in UTF-8; a length that does not fit ends the
connection with 1003. Answers come in one message, in the order of the requests.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ECHO: Final = 0x01
SUM: Final = 0x02
TIME: Final = 0x03
#: The bit that is set in the type of an answer.
ANSWER: Final = 0x80
ERROR: Final = 0xFF

_HEAD: Final = struct.Struct(">IBI")
_LENGTH_SIZE: Final = 4


class SensorRecord(NamedTuple):
    """A request or an answer."""

    type: int
    number: int
    payload: bytes


def encode(records: Iterable[SensorRecord]) -> bytes:
    """Encode records as a message."""
    return b"".join(
        _HEAD.pack(_HEAD.size - _LENGTH_SIZE + len(record.payload), record.type, record.number)
        + record.payload
        for record in records
    )


def decode(message: bytes) -> list[SensorRecord]:
    """Decode the records of a message.

    Raises:
        ValueError: A record's length does not fit the message.
    """
    records = []
    at = 0
    while at < len(message):
        if len(message) - at < _HEAD.size:
            raise ValueError(f"{len(message) - at} bytes are left at {at}, too few for a record")
        length, type_, number = _HEAD.unpack_from(message, at)
        end = at + _LENGTH_SIZE + length
        if end < at + _HEAD.size or end > len(message):
            raise ValueError(f"length {length} at {at} does not fit a message of {len(message)} bytes")
        records.append(SensorRecord(type_, number, message[at + _HEAD.size : end]))
        at = end
    return records


def answer(record: SensorRecord) -> SensorRecord:
    """Return the answer to a request."""
    type_, number, payload = record
    if type_ == ECHO:
        return SensorRecord(ANSWER | ECHO, number, payload)
    if type_ == SUM:
        count, rest = divmod(len(payload), 4)
        if rest:
            return SensorRecord(ERROR, number, f"{len(payload)} bytes are no 32-bit integers".encode())
        total = sum(struct.unpack(f">{count}i", payload))
        return SensorRecord(ANSWER | SUM, number, struct.pack(">q", total))
    if type_ == TIME:
        return SensorRecord(ANSWER | TIME, number, struct.pack(">q", int(time.time() * 1000)))
    return SensorRecord(ERROR, number, f"unknown type {type_:#04x}".encode())
