"""Frames by RFC 6455 and RFC 7692: their bytes, fragments, control frames, status codes, sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from core_frames import both_rules, frame, more, text
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

if TYPE_CHECKING:
    from core_library import FramesLibrary


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason)


# -- 5.2: the frame --------------------------------------------------------------------------------------


@both_rules
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 300_000])
def test_lengths(frames_library: FramesLibrary, strict: bool, size: int) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        stream = frame(Opcode.BINARY, b"b" * size) + text(b"t" * size)
        assert decoder.all(stream) == [("binary", b"b" * size), ("text", b"t" * size)]


@both_rules
def test_stream_cut_at_every_byte(frames_library: FramesLibrary, strict: bool) -> None:
    stream = (
        text("grü".encode()[:3], fin=False)
        + frame(Opcode.PING, b"ping")
        + more("grü".encode()[3:])
        + frame(Opcode.PONG)
        + more(b"!" * 130, fin=True)
        + frame(Opcode.BINARY, fin=False)
        + more(b"x", fin=True)
        + close(1000, b"bye")
    )
    expected = [
        ("ping", b"ping"),
        ("pong", b""),
        ("text", ("grü" + "!" * 130).encode()),
        ("binary", b"x"),
        ("close", 1000, b"bye"),
    ]
    for cut in range(len(stream) + 1):
        with frames_library.decoder(strict=strict) as decoder:
            assert decoder.all(stream[:cut], stream[cut:]) == expected, cut
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(*(bytes((byte,)) for byte in stream)) == expected


def test_message_in_one_frame_is_not_copied(frames_library: FramesLibrary) -> None:
    stream = text(b"hello") + frame(Opcode.BINARY, b"\x00" * 200) + frame(Opcode.PING, b"p")
    with frames_library.decoder() as decoder:
        for _ in range(3):
            used, event = decoder.decode(stream)
            assert event.is_in_place
            stream = stream[used:]


@pytest.mark.parametrize(
    ("front", "wanted"),
    [
        (b"", 2),
        (b"\x81", 2),
        (b"\x81\x05", 7),
        (b"\x81\x05hell", 7),
        (b"\x81\x7e", 4),
        (b"\x81\x7e\x01\x00", 260),
        (b"\x81\x7f\x00\x00", 10),
        (b"\x82\x7f\x00\x00\x01\x00\x00\x00\x00\x00", (1 << 40) + 10),
        (b"\x01\x01a\x80\x05", 7),
        (b"\x01\x01a", 2),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else str(value),
)
def test_wanted_bytes(frames_library: FramesLibrary, front: bytes, wanted: int) -> None:
    with frames_library.decoder() as decoder:
        assert decoder.all(front) == []
        assert decoder.wanted == wanted


VIOLATIONS = {
    "rsv1": b"\xc1\x00",
    "rsv2": b"\xa1\x00",
    "rsv3": b"\x91\x00",
    "rsv of a ping": b"\xc9\x00",
    "masked": b"\x81\x85",
    "opcode 3": b"\x83\x00",
    "opcode 7": b"\x87\x00",
    "opcode 11": b"\x8b\x00",
    "opcode 15": b"\x8f\x00",
    "fragmented ping": b"\x09\x00",
    "fragmented close": b"\x08\x00",
    "ping of 126 bytes": b"\x89\x7e",
    "pong of 2^40 bytes": b"\x8a\x7f",
    "close of 126 bytes": b"\x88\x7e",
    "continuation of nothing": b"\x80\x00",
    "continuation of nothing, not final": b"\x00\x00",
}


@both_rules
@pytest.mark.parametrize("bad", VIOLATIONS.values(), ids=VIOLATIONS)
def test_bad_first_bytes_fail_before_the_rest_is_there(
    frames_library: FramesLibrary, strict: bool, bad: bytes
) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(bad[:1]) == []
        assert decoder.all(bad[1:]) == [("violation", 1002)]


@both_rules
@pytest.mark.parametrize("bad", VIOLATIONS.values(), ids=VIOLATIONS)
def test_what_came_before_a_bad_frame_is_delivered_and_nothing_after(
    frames_library: FramesLibrary, strict: bool, bad: bytes
) -> None:
    """Autobahn 3.2-3.4, 4.1.3-5, 4.2.3-5, 5.15."""
    with frames_library.decoder(strict=strict) as decoder:
        stream = text(b"one") + frame(Opcode.PING, b"two") + bad + text(b"after") + close(1000)
        assert decoder.all(stream) == [("text", b"one"), ("ping", b"two"), ("violation", 1002)]
        assert decoder.kept == b""
        assert decoder.all(text(b"after")) == []
        assert decoder.kept == b""
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.decode(bad + text(b"after"))[0] == len(bad + text(b"after"))


@both_rules
@pytest.mark.parametrize("first", [b"\x81\x00", b"\x01\x01", b"\x82\x00", b"\x02\x7e"])
def test_message_within_a_message(frames_library: FramesLibrary, strict: bool, first: bytes) -> None:
    """Section 5.4."""
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(text(b"begun", fin=False) + first) == [("violation", 1002)]


@pytest.mark.parametrize(
    "bad", [b"\x81\x7e\x00\x7d", b"\x81\x7f" + (65535).to_bytes(8, "big"), b"\x82\x7f" + bytes(8)]
)
def test_length_in_too_many_bytes(frames_library: FramesLibrary, bad: bytes) -> None:
    """Section 5.2: the minimal number of bytes MUST be used; k6 does not look."""
    size = int.from_bytes(bad[2:], "big")
    with frames_library.decoder() as decoder:
        assert [event[0] for event in decoder.all(bad, b"x" * size)] == [
            "text" if bad[0] == 0x81 else "binary"
        ]
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(bad) == [("violation", 1002)]


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1002)])
def test_length_of_64_bits(frames_library: FramesLibrary, strict: bool, code: int) -> None:
    """Section 5.2: the most significant bit MUST be 0; for k6 the message is too big."""
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(text(b"a") + b"\x82\x7f\x80" + bytes(7)) == [
            ("text", b"a"),
            ("violation", code),
        ]


# -- 5.4: fragments --------------------------------------------------------------------------------------


@both_rules
def test_fragments_with_control_frames_between(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        stream = (
            frame(Opcode.BINARY, b"a", fin=False)
            + frame(Opcode.PING, b"1")
            + more(b"b" * 5000)
            + frame(Opcode.PONG, b"2")
            + more(b"")
            + more(b"c", fin=True)
            + text(b"next")
        )
        assert decoder.all(stream) == [
            ("ping", b"1"),
            ("pong", b"2"),
            ("binary", b"a" + b"b" * 5000 + b"c"),
            ("text", b"next"),
        ]


@both_rules
def test_fragments_without_bytes(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        stream = text(b"", fin=False) + more(b"") + more(b"", fin=True)
        assert decoder.all(stream * 2) == [("text", b"")] * 2


@both_rules
def test_close_within_a_message(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(text(b"begun", fin=False) + close(1001)) == [("close", 1001, b"")]


# -- 5.5: control frames ---------------------------------------------------------------------------------


@both_rules
def test_close_without_status(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(frame(Opcode.CLOSE) + text(b"after")) == [("close", 1005, b"")]
        assert decoder.all(text(b"after")) == []


@pytest.mark.parametrize(
    ("strict", "event"), [(False, ("close", 1005, b"")), (True, ("violation", 1002))]
)
def test_close_with_half_a_status(
    frames_library: FramesLibrary, strict: bool, event: tuple[Any, ...]
) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(frame(Opcode.CLOSE, b"\x03")) == [event]


@both_rules
def test_longest_control_frames(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        stream = frame(Opcode.PING, b"p" * 125) + close(1000, b"r" * 123)
        assert decoder.all(stream) == [("ping", b"p" * 125), ("close", 1000, b"r" * 123)]


# -- 7.4: status codes -----------------------------------------------------------------------------------

BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)

GOOD_CODES = (1000, 1001, 1002, 1003, *range(1007, 1014), 3000, 3999, 4000, 4999)


@both_rules
@pytest.mark.parametrize("code", GOOD_CODES)
def test_close_codes_that_may_come(frames_library: FramesLibrary, strict: bool, code: int) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(close(code, "Grüße".encode())) == [("close", code, "Grüße".encode())]


@both_rules
@pytest.mark.parametrize("code", BAD_CODES)
def test_close_codes_that_must_not_come(frames_library: FramesLibrary, strict: bool, code: int) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(text(b"a") + close(code)) == [("text", b"a"), ("violation", 1002)]


def test_close_code_1014_is_known_to_iana_but_not_to_k6(frames_library: FramesLibrary) -> None:
    with frames_library.decoder() as decoder:
        assert decoder.all(close(1014)) == [("violation", 1002)]
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(close(1014)) == [("close", 1014, b"")]


@pytest.mark.parametrize(("strict", "code"), [(False, 1002), (True, 1007)])
@pytest.mark.parametrize("reason", [b"\xff", b"ok \xe2\x82", b"\xed\xa0\x80"])
def test_close_reason_that_is_not_utf8(
    frames_library: FramesLibrary, strict: bool, code: int, reason: bytes
) -> None:
    """Autobahn 7.5.1."""
    with frames_library.decoder(strict=strict) as decoder:
        assert decoder.all(close(1000, reason)) == [("violation", code)]


# -- 5.3 and 6.1: sending --------------------------------------------------------------------------------


@given(
    st.binary(max_size=70_000),
    st.sampled_from([0x81, 0x82, 0x89, 0xC1]),
    st.binary(min_size=4, max_size=4),
)
def test_frames_are_what_a_server_expects(
    frames_library: FramesLibrary, payload: bytes, first: int, key: bytes
) -> None:
    if first == 0x89:
        payload = payload[:125]
    stream = frames_library.header(first & ~0x40, len(payload), key) + frames_library.mask(payload, key)
    protocol = Protocol(Side.SERVER, max_size=None)
    protocol.receive_data(stream)
    [received] = protocol.events_received()
    assert isinstance(received, Frame)
    assert (received.opcode, bytes(received.data), received.fin) == (first & 15, payload, True)


@pytest.mark.parametrize(
    ("size", "length"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10), (1 << 40, 10)]
)
def test_headers(frames_library: FramesLibrary, size: int, length: int) -> None:
    header = frames_library.header(0xC2, size, b"\x01\x02\x03\x04")
    assert header[0] == 0xC2
    assert header[-4:] == b"\x01\x02\x03\x04"
    assert len(header) == length + 4


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4), st.integers(0, 100), st.booleans())
def test_masking_from_any_offset(
    frames_library: FramesLibrary, payload: bytes, key: bytes, offset: int, in_place: bool
) -> None:
    expected = bytes(byte ^ key[(offset + i) % 4] for i, byte in enumerate(payload))
    assert frames_library.mask(payload, key, offset, in_place=in_place) == expected


def test_masking_keys_differ(frames_library: FramesLibrary) -> None:
    """Over several batches: a repetition among 5,000 of 2^32 has a chance of 0.3 %, three of 1e-8."""
    keys = [frames_library.c.frame_mask_key() for _ in range(5000)]
    assert len(set(keys)) > 4996
    assert all(any(key >> bit & 1 for key in keys) for bit in range(32))


def test_close_frames_of_the_package_are_understood(frames_library: FramesLibrary) -> None:
    with frames_library.decoder() as decoder:
        assert decoder.all(frame(Opcode.CLOSE, Close(4000, "bye").serialize())) == [
            ("close", 4000, b"bye")
        ]
