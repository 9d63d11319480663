"""Receiving: frames, and the messages that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_receive import END, ENDED
from core_session import rules, text
from core_vu import DEADLINE, LISTENING, READY, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode

from jsrunner.transport.deflate import Deflate

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links


def expected(frames: list[Frame]) -> list[list[Any]]:
    """The events of whole frames."""
    events: list[list[Any]] = []
    for one in frames:
        if one.opcode is Opcode.TEXT:
            events.append(["text", one.data.decode()])
        elif one.opcode is Opcode.BINARY:
            events.append(["binary", bytes(one.data)])
        elif one.opcode is Opcode.PING:
            events.append(["ping"])
        else:
            events.append(["pong", False, one.data.decode()])
    return events


FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=300).map(lambda data: Frame(Opcode.BINARY, data)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(text),
        st.binary(max_size=125).map(lambda data: Frame(Opcode.PING, data)),
        st.text("abc0", max_size=100).map(lambda data: Frame(Opcode.PONG, data.encode())),
    ),
    min_size=1,
    max_size=12,
)


# -- frames ----------------------------------------------------------------------------------------------


@given(FRAMES, st.integers(min_value=1, max_value=700))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_messages_in_pieces_of_any_size(
    link: Callable[..., Links], blocking: bool, secure: bool, frames: list[Frame], piece: int
) -> None:
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    sending = gevent.spawn(one.peer().send, *frames, END, piece=piece)
    assert running.get(timeout=DEADLINE) == [*expected(frames), ENDED]
    sending.get(timeout=DEADLINE)
    one.close()


@pytest.mark.parametrize("size", [125, 126, 16383, 16384, 65535, 65536, 262_144, 300_000, 3_000_000])
def test_sizes_around_lengths_and_buffers(
    link: Callable[..., Links], blocking: bool, secure: bool, size: int
) -> None:
    frames = [Frame(Opcode.BINARY, b"b" * size), text("t" * size), text("end")]
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    sending = gevent.spawn(one.peer().send, *frames, END, piece=50_000)
    assert running.get(timeout=DEADLINE) == [*expected(frames), ENDED]
    sending.get(timeout=DEADLINE)


def test_frames_cut_at_every_byte(link: Callable[..., Links], blocking: bool, secure: bool) -> None:
    """Of a fragmented message with control frames between its fragments; each time in a session of its own."""
    frames = [
        Frame(Opcode.TEXT, "grü".encode()[:3], fin=False),
        Frame(Opcode.PING, b"ping"),
        Frame(Opcode.CONT, "grü".encode()[3:], fin=False),
        Frame(Opcode.PONG, b""),
        Frame(Opcode.CONT, b"!" * 130, fin=True),
        Frame(Opcode.BINARY, b"", fin=False),
        Frame(Opcode.CONT, b"x"),
        Frame(Opcode.CLOSE, Close(1000, "bye").serialize()),
    ]
    data = b"".join(one.serialize(mask=False) for one in frames)
    one = link(secure=secure)
    for number, cut in enumerate(range(1, len(data), 9 if secure else 1)):
        one.rest = data[:cut]
        running = one.vu.start("see", blocking)
        one.peer(number).sock.sendall(data[cut:])
        assert running.get(timeout=DEADLINE) == [
            ["ping"],
            ["pong", False, ""],
            ["text", "grü" + "!" * 130],
            ["binary", b"x"],
            ["close", 1000, "bye"],
        ], cut


def test_an_incomplete_frame_is_waited_for(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """Neither the VU nor the core looks at it over and over."""
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    peer, data = one.peer(), text("x" * 100_000).serialize(mask=False)
    for start in (0, 5, 40_000):
        peer.sock.sendall(data[start : {0: 5, 5: 40_000, 40_000: -1}[start]])
        until(lambda: one.vu.state == (LISTENING if blocking else WAITING))
        for _ in range(20):
            gevent.sleep(0)
            assert one.vu.state != READY
    peer.sock.sendall(data[-1:] + END.serialize(mask=False))
    assert running.get(timeout=DEADLINE) == [["text", "x" * 100_000], ENDED]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x83, 0]),
        bytes([0x8B, 0]),
        bytes([0x91, 0]),
        bytes([0xA1, 0]),
        bytes([0xC1, 0]),
        bytes([0x81, 0x80, 0, 0, 0, 0]),
        bytes([0x09, 0]),
        bytes([0x88, 126, 0, 126]) + bytes(126),
        bytes([0x80, 0]),
        bytes([0x01, 0, 0x81, 0]),
        *(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False)
          for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000)),
        Frame(Opcode.CLOSE, b"\x03\xe8\xff").serialize(mask=False),
    ],
    ids=lambda data: data[:5].hex(),
)  # fmt: skip
def test_violations_end_the_connection_with_1002(
    link: Callable[..., Links], blocking: bool, data: bytes
) -> None:
    """Events in front of a violation are delivered first, events behind it are not."""
    one = link()
    one.rest = text("before").serialize(mask=False) + data + b"\x81\x05after"
    before, last = one.vu.call("see", blocking)
    assert before == ["text", "before"]
    assert last[:2] == ["violation", 1002]
    assert [(each.opcode, bytes(each.data)) for each in one.peer().frames()] == [
        (Opcode.CLOSE, b"\x03\xea")
    ]


@pytest.mark.parametrize("payload", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"ok \xf0\x9f"])
@pytest.mark.parametrize("padding", [0, 5000])
def test_invalid_utf8(link: Callable[..., Links], payload: bytes, padding: int) -> None:
    """k6 repairs it, byte by byte; the strict client fails the connection (RFC 6455, 8.1)."""
    payload = b"x" * padding + payload
    one = link()
    one.rest = Frame(Opcode.TEXT, payload).serialize(mask=False) + END.serialize(mask=False)
    repaired = "".join(chr(each) if each < 128 else "\ufffd" for each in payload)
    assert one.vu.call("see", False) == [["text", repaired], ENDED]
    rules(one.library, strict=True)
    assert one.vu.call("see", False)[0][:2] == ["violation", 1007]
    assert [bytes(each.data) for each in one.peer(1).frames()] == [b"\x03\xef"]


@pytest.mark.parametrize(
    ("limits", "frames"),
    [
        ({"frame": 1000}, [Frame(Opcode.BINARY, bytes(1001))]),
        ({"message": 1000}, [Frame(Opcode.BINARY, bytes(600), fin=False), Frame(Opcode.CONT, bytes(600))]),
        ({"fragments": 3}, [Frame(Opcode.TEXT, b"a", fin=False), *[Frame(Opcode.CONT, b"b", fin=False)] * 3]),
    ],
)  # fmt: skip
def test_messages_that_are_too_big(
    link: Callable[..., Links], blocking: bool, limits: dict[str, int], frames: list[Frame]
) -> None:
    """They end the connection, as in k6 without a close frame of the core's; those that fit come before."""
    one = link()
    rules(one.library, **limits)
    running = one.vu.start("see", blocking)
    one.peer().send(text("fits"), *frames)
    first, last = running.get(timeout=DEADLINE)
    assert first == ["text", "fits"]
    assert last[:2] == ["violation", 1009]
    assert one.peer().frames() == []


# -- permessage-deflate ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("takeover", [False, True])
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3000), min_size=1, max_size=6)
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_deflate_both_ways(
    link: Callable[..., Links], blocking: bool, secure: bool, takeover: bool, texts: list[str]
) -> None:
    texts = [one * 5 for one in texts]
    one = link(
        "entries.run = (isBlocking) => see(connect(isBlocking, { text(value, more, session) { session.sendText(value); } }), isBlocking);",
        secure=secure,
    )
    one.deflate = Deflate(takeover_out=takeover, takeover_in=takeover)
    running = one.vu.start("run", blocking)
    peer = one.peer()
    peer.extensions = [PerMessageDeflate(not takeover, not takeover, 15, 15)]
    peer.send(*map(text, texts), piece=1000)
    assert [bytes(each.data).decode() for each in peer.frames(len(texts))] == texts
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [*[["text", each] for each in texts], ENDED]
    one.close()


def test_compressed_message_in_fragments(link: Callable[..., Links], blocking: bool) -> None:
    extension = PerMessageDeflate(True, True, 15, 15)
    whole = text("hello " * 100).serialize(mask=False, extensions=[extension])
    payload = whole[2:] if whole[1] < 126 else whole[4:]
    one = link()
    one.deflate = Deflate()
    one.rest = (
        bytes([0x41, 3]) + payload[:3]
        + Frame(Opcode.PING, b"p").serialize(mask=False)
        + bytes([0x80, len(payload) - 3]) + payload[3:] + END.serialize(mask=False)
    )  # fmt: skip
    assert one.vu.call("see", blocking) == [["ping"], ["text", "hello " * 100], ENDED]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0xC1, 3]) + b"\xff\xff\xff",  # no deflate
        bytes([0xC9, 0]),  # a compressed ping
        bytes([0x01, 0, 0xC0, 0]),  # a continuation that says so
    ],
)
def test_violations_of_deflate(link: Callable[..., Links], blocking: bool, data: bytes) -> None:
    one = link()
    one.deflate = Deflate()
    one.rest = data
    [last] = one.vu.call("see", blocking)
    assert last[:2] == ["violation", 1002]
    assert [bytes(each.data) for each in one.peer().frames()] == [b"\x03\xea"]
    assert one.vu.faults == []


def test_message_that_inflates_without_end(link: Callable[..., Links], blocking: bool) -> None:
    one = link()
    one.deflate = Deflate()
    one.rest = text("x" * (2 << 20)).serialize(
        mask=False, extensions=[PerMessageDeflate(True, True, 15, 15)]
    )
    [last] = one.vu.call("see", blocking)
    assert last[:2] == ["violation", 1009]
    assert one.peer().frames() == []
    assert one.vu.faults == []
