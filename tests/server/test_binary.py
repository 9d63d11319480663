from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.server import binary
from jsrunner.server.binary import SensorRecord

records = st.lists(
    st.builds(
        SensorRecord,
        type=st.integers(0, 255),
        number=st.integers(0, 2**32 - 1),
        payload=st.binary(max_size=50),
    ),
    max_size=5,
)


@given(records)
def test_what_is_encoded_is_decoded(found: list[SensorRecord]) -> None:
    assert binary.decode(binary.encode(found)) == found


@given(records, st.integers(1, 8))
def test_a_message_that_was_cut_is_refused(found: list[SensorRecord], cut: int) -> None:
    message = binary.encode(found)
    if len(message) > cut:
        with pytest.raises(ValueError, match="bytes"):
            binary.decode(message[:-cut])


@given(st.binary(max_size=60))
def test_any_bytes_are_records_or_refused(message: bytes) -> None:
    try:
        found = binary.decode(message)
    except ValueError:
        return
    assert binary.encode(found) == message


def test_a_length_that_ends_within_the_head() -> None:
    with pytest.raises(ValueError, match="length 4 at 0 does not fit a message of 9 bytes"):
        binary.decode(struct.pack(">IBI", 4, 1, 1))


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20))
def test_sum(numbers: list[int]) -> None:
    payload = struct.pack(f">{len(numbers)}i", *numbers)
    type_, number, result = binary.answer(SensorRecord(binary.SUM, 7, payload))
    assert (type_, number) == (binary.ANSWER | binary.SUM, 7)
    assert struct.unpack(">q", result) == (sum(numbers),)


def test_echo_and_time() -> None:
    assert binary.answer(SensorRecord(binary.ECHO, 1, b"as is")) == (0x81, 1, b"as is")
    type_, number, payload = binary.answer(SensorRecord(binary.TIME, 2, b""))
    assert (type_, number) == (0x83, 2)
    assert abs(struct.unpack(">q", payload)[0] / 1000 - time.time()) < 60


def test_errors() -> None:
    assert binary.answer(SensorRecord(0x44, 3, b"")) == (binary.ERROR, 3, b"unknown type 0x44")
    assert binary.answer(SensorRecord(binary.SUM, 4, b"12345")) == (
        binary.ERROR,
        4,
        b"5 bytes are no 32-bit integers",
    )
