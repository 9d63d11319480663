"""Messages by RFC 6455 and RFC 7692: UTF-8, limits, compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from core_frames import both_rules, frame, more, text
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from core_library import FramesLibrary

# -- 8.1: UTF-8 ------------------------------------------------------------------------------------------

INVALID = (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"ok \xf0\x9f", b"\xc0\xaf", b"\xf4\x90\x80\x80")


@pytest.mark.parametrize("invalid", INVALID, ids=bytes.hex)
@pytest.mark.parametrize("padding", [0, 10, 100, 70_000])
def test_default_rules_replace_each_invalid_byte(
    frames_library: FramesLibrary, invalid: bytes, padding: int
) -> None:
    before = b"x" * padding
    expected = before + frames_library.replace(invalid) + b"!"
    for stream in (
        text(before + invalid + b"!"),
        text(before + invalid[:1], False) + more(invalid[1:] + b"!", True),
    ):
        with frames_library.decoder() as decoder:
            events = list(decoder.feed(stream + text(b"next") + text("né".encode())))
        assert [event.short for event in events] == [
            ("text", expected),
            ("text", b"next"),
            ("text", "né".encode()),
        ]
        assert [(event.is_utf8, event.is_ascii) for event in events] == [
            (False, False),
            (True, True),
            (True, False),
        ]


@pytest.mark.parametrize("invalid", INVALID, ids=bytes.hex)
@pytest.mark.parametrize("padding", [0, 10, 100, 70_000])
def test_strict_rules_fail(frames_library: FramesLibrary, invalid: bytes, padding: int) -> None:
    stream = text(b"x" * padding + invalid)
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(text(b"first") + stream) == [("text", b"first"), ("violation", 1007)]


def test_strict_rules_fail_at_the_first_wrong_byte(frames_library: FramesLibrary) -> None:
    """Autobahn 6.4.1 (in fragments) and 6.4.3 (within a frame)."""
    start, rest = "κόσμε".encode(), b"edited"
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(text(start, fin=False)) == []
        assert decoder.all(more(b"\xf4\x90\x80\x80")) == [("violation", 1007)]
    whole = text(start + b"\xf4\x90\x80\x80" + rest)
    wrong = whole.index(b"\x90") + 1
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(*(whole[i : i + 1] for i in range(wrong - 1))) == []
        assert decoder.all(whole[wrong - 1 : wrong]) == [("violation", 1007)]
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(whole[: wrong - 1]) == []
        assert decoder.all(whole[wrong - 1 : wrong]) == [("violation", 1007)]
    # In the second fragment, which is incomplete, after a character that is cut in two.
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(text(start + b"\xf4", fin=False), b"\x80\x09") == []
        assert decoder.all(b"\x90") == [("violation", 1007)]


def test_text_that_ends_within_a_character(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(strict=True) as decoder:
        assert decoder.all(text(b"\xe2\x82", False), more(b"", True)) == [("violation", 1007)]
    with frames_library.decoder() as decoder:
        assert decoder.all(text(b"\xe2\x82", False), more(b"", True)) == [
            ("text", "\ufffd\ufffd".encode())
        ]


@both_rules
def test_binary_messages_are_not_looked_at(frames_library: FramesLibrary, strict: bool) -> None:
    with frames_library.decoder(strict=strict) as decoder:
        stream = (
            frame(Opcode.BINARY, b"\xff") + frame(Opcode.BINARY, b"\xff", False) + more(b"\xfe", True)
        )
        assert decoder.all(stream) == [("binary", b"\xff"), ("binary", b"\xff\xfe")]


# -- limits ----------------------------------------------------------------------------------------------


def test_frame_limit(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(frame_bytes=1000) as decoder:
        stream = text(b"x" * 1000) + frame(Opcode.BINARY, b"x" * 1001)[:4]
        assert decoder.all(stream) == [("text", b"x" * 1000), ("violation", 1009)]


def test_message_limit(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(message_bytes=1000) as decoder:
        fragments = text(b"x" * 600, False) + frame(Opcode.PING, b"p" * 125) + more(b"x" * 400)
        assert decoder.all(fragments + more(b"", True)) == [
            ("ping", b"p" * 125),
            ("text", b"x" * 1000),
        ]
        assert decoder.all(fragments + more(b"x")[:2]) == [
            ("ping", b"p" * 125),
            ("violation", 1009),
        ]
    with frames_library.decoder(message_bytes=1000) as decoder:
        assert decoder.all(b"\x82\x7e\x03\xe9") == [("violation", 1009)]


def test_fragment_limit(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(fragments=3) as decoder:
        message = text(b"a", False) + more(b"b") + more(b"c", True)
        assert decoder.all(message * 2) == [("text", b"abc")] * 2
        assert decoder.all(text(b"a", False) + more(b"b") + more(b"c") + b"\x80\x00") == [
            ("violation", 1009)
        ]


@both_rules
def test_no_memory_is_a_violation(frames_library: FramesLibrary, strict: bool) -> None:
    left = frames_library.allocations_left
    try:
        with frames_library.decoder(strict=strict) as decoder:
            left.value = 0
            assert decoder.all(text(b"x" * 70_000)) == [("text", b"x" * 70_000)]
            assert decoder.all(text(b"a" * 100, False)) == [("violation", 1009)]
        with frames_library.decoder(strict=strict) as decoder:
            left.value = 1
            assert decoder.all(text(b"a" * 100, False)) == []
            assert decoder.all(more(b"a" * 100_000, True)) == [("violation", 1009)]
        with frames_library.decoder() as decoder:
            left.value = 0
            assert decoder.all(text(b"\xff")) == [("violation", 1009)]
    finally:
        left.value = -1


# -- RFC 7692: compressed messages -----------------------------------------------------------------------


@both_rules
def test_compressed_messages(frames_library: FramesLibrary, strict: bool) -> None:
    extension = PerMessageDeflate(True, True, 15, 15)
    whole = Frame(Opcode.TEXT, b"hello " * 100).serialize(mask=False, extensions=[extension])
    payload = whole[2:]
    pieces = b"\x41\x03" + payload[:3] + frame(Opcode.PING, b"p")
    pieces += bytes((0x80, len(payload) - 3)) + payload[3:]
    for stream, events in ((whole, []), (pieces, [("ping", b"p")])):
        with frames_library.decoder(strict=strict, deflate=True) as decoder:
            feeding = decoder.feed(stream)
            assert [next(feeding).short for _ in events] == events
            event = next(feeding)
            assert (event.kind, event.payload, event.is_compressed) == ("text", payload, True)
            event = decoder.inflated(b"hello " * 100)
            assert (event.kind, event.payload, event.is_compressed) == ("text", b"hello " * 100, False)
            assert event.is_ascii
            assert event.is_utf8
            assert decoder.all(text(b"plain")) == [("text", b"plain")]


@pytest.mark.parametrize(
    ("strict", "short"), [(False, ("text", b"a\xef\xbf\xbd")), (True, ("violation", 1007))]
)
def test_inflated_text_follows_the_rules(
    frames_library: FramesLibrary, strict: bool, short: tuple[Any, ...]
) -> None:
    with frames_library.decoder(strict=strict, deflate=True) as decoder:
        assert next(decoder.feed(b"\xc1\x01\xff")).is_compressed
        assert decoder.inflated(b"a\xff").short == short
        assert decoder.all(text(b"x")) == ([] if strict else [("text", b"x")])


def test_inflated_binary_is_not_looked_at(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(strict=True, deflate=True) as decoder:
        assert next(decoder.feed(b"\xc2\x01\xff")).is_compressed
        assert decoder.inflated(b"\xff\xfe").short == ("binary", b"\xff\xfe")


def test_inflated_message_is_limited(frames_library: FramesLibrary) -> None:
    with frames_library.decoder(deflate=True, message_bytes=100) as decoder:
        assert next(decoder.feed(b"\xc1\x01x")).is_compressed
        assert decoder.inflated(b"x" * 101).short == ("violation", 1009)


@both_rules
@pytest.mark.parametrize(
    "bad", [b"\xc9\x00", b"\xc8\x00", b"\xe1\x00", b"\xd1\x00", b"\x01\x00\xc0\x00"]
)
def test_rsv1_is_only_for_the_first_frame_of_a_message(
    frames_library: FramesLibrary, strict: bool, bad: bytes
) -> None:
    """RFC 7692, section 6."""
    with frames_library.decoder(strict=strict, deflate=True) as decoder:
        assert decoder.all(bad) == [("violation", 1002)]
