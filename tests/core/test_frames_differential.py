"""The strict decoder against the frames and the protocol of the package websockets, on random streams."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

if TYPE_CHECKING:
    from core_library import FramesLibrary

assert settings.default
#: What the profile says; each of these costs little.
EXAMPLES = settings.default.max_examples

CLOSE_CODES = (1000, 1001, 1003, 1004, 1005, 1014, 1015, 2000, 3000, 4999, 5000)

payloads = st.one_of(
    st.binary(max_size=130),
    st.text(max_size=60).map(str.encode),
    st.integers(120, 70_000).map(lambda size: b"x" * size),
)
reasons = st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=20))
data_frames = st.builds(Frame, st.sampled_from([Opcode.TEXT, Opcode.BINARY]), payloads)
control_frames = st.one_of(
    st.builds(Frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125)),
    st.builds(
        lambda code, reason: Frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason),
        st.sampled_from(CLOSE_CODES),
        reasons,
    ),
    st.binary(max_size=3).map(lambda payload: Frame(Opcode.CLOSE, payload)),
)


@st.composite
def fragmented(draw: st.DrawFn) -> list[Frame]:
    """A message in fragments, control frames between them."""
    whole: Frame = draw(data_frames)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole.data)), max_size=4)))
    ends = [*cuts, len(whole.data)]
    frames: list[Frame] = []
    for i, (start, end) in enumerate(zip([0, *cuts], ends, strict=True)):
        opcode = whole.opcode if i == 0 else Opcode.CONT
        frames.append(Frame(opcode, whole.data[start:end], i == len(cuts)))
        if i < len(cuts):
            frames += draw(
                st.lists(control_frames.filter(lambda f: f.opcode is not Opcode.CLOSE), max_size=1)
            )
    return frames


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames of a server: most are valid, some are in a wrong place, some bytes are changed."""
    frames: list[Frame] = []
    for group in draw(st.lists(st.one_of(data_frames.map(lambda f: [f]), control_frames.map(lambda f: [f]), fragmented(), st.builds(lambda payload, fin: [Frame(Opcode.CONT, payload, fin)], payloads, st.booleans())), max_size=8)):  # fmt: skip
        frames += group
    if draw(st.booleans()):
        frames = [frame for frame in frames if frame.opcode is not Opcode.CLOSE]
    stream = bytearray(b"".join(frame.serialize(mask=False) for frame in frames))
    for _ in range(draw(st.integers(0, 3)) if stream else 0):
        at = draw(st.integers(0, min(len(stream) - 1, 400)))
        stream[at] = draw(st.integers(0, 255))
    return bytes(stream[: draw(st.integers(0, len(stream)))] if draw(st.booleans()) else stream)


class Reference:
    """A reference decoder: the frames of the package websockets, joined to messages by the RFC's rules."""

    def __init__(self, stream: bytes) -> None:
        self.events: list[tuple[Any, ...]] = []
        self._opcode = Opcode.CONT
        self._message = b""
        self._text = codecs.getincrementaldecoder("utf-8")()
        protocol = Protocol(Side.CLIENT, max_size=None)
        protocol.receive_data(stream)
        used = 0
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)
            used += len(frame.serialize(mask=False))
            if not self._take(frame):
                return
        if protocol.parser_exc is not None:
            assert protocol.close_sent is not None
            if str(protocol.parser_exc) == "incomplete fragmented message":
                close = protocol.close_rcvd
                assert close is not None
                self.events.append(("close", close.code, close.reason.encode()))
                return
            self.events.append(("violation", protocol.close_sent.code))
        elif not self.events or self.events[-1][0] != "close":
            self._take_incomplete(stream[used:])

    def _decode(self, payload: bytes, final: bool) -> bool:
        try:
            self._text.decode(payload, final)
        except UnicodeDecodeError:
            return False
        # The codec waits for a surrogate's third byte.
        return not b"\xed\xa0" <= self._text.getstate()[0] < b"\xee"

    def _take(self, frame: Frame) -> bool:
        name, payload = frame.opcode.name.lower(), bytes(frame.data)
        if frame.opcode is Opcode.CLOSE:
            close = Close.parse(payload)
            self.events.append((name, close.code, close.reason.encode()))
            return False
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            self.events.append((name, payload))
            return True
        if frame.opcode is not Opcode.CONT:
            self._opcode, self._message = frame.opcode, b""
            self._text.reset()
        if self._opcode is Opcode.TEXT and not self._decode(payload, frame.fin):
            self.events.append(("violation", 1007))
            return False
        self._message += payload
        if frame.fin:
            self.events.append((self._opcode.name.lower(), self._message))
            self._opcode = Opcode.CONT
        return True

    def _take_incomplete(self, front: bytes) -> None:
        """A frame that is not all there can be wrong nevertheless; the package waits for its end."""
        if len(front) < 2:
            return
        opcode, is_final, size = front[0] & 15, front[0] >> 7, front[1]
        in_message = self._opcode is not Opcode.CONT
        is_wrong = (
            front[0] & 0x70
            or (opcode >= 8 and (not is_final or size > 125))
            or (opcode < 8 and in_message != (opcode == 0))
        )
        if is_wrong:
            self.events.append(("violation", 1002))
            return
        start = 2 if size < 126 else 4 if size == 126 else 10
        if size == 127 and len(front) >= 10 and front[2] & 0x80:
            self.events.append(("violation", 1002))
            return
        if opcode in (Opcode.TEXT, Opcode.CONT) and len(front) > start:
            if opcode == Opcode.TEXT:
                self._opcode = Opcode.TEXT
                self._text.reset()
            if self._opcode is Opcode.TEXT and not self._decode(front[start:], False):
                self.events.append(("violation", 1007))


def has_long_length(stream: bytes) -> bool:
    """A length in more bytes than it needs ends this stream here, but not in the package."""
    at = 0
    while len(stream) - at >= 2:
        size, start = stream[at + 1] & 127, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(stream) - at < start:
                return False
            size = int.from_bytes(stream[at + 2 : at + start], "big")
            if size < (126 if start == 4 else 65536):
                return True
        at += start + size
    return False


@given(streams(), st.lists(st.integers(0, 70_000), max_size=6))
@settings(max_examples=3 * EXAMPLES)
def test_random_streams_in_random_pieces(
    frames_library: FramesLibrary, stream: bytes, cuts: list[int]
) -> None:
    ends = sorted(min(cut, len(stream)) for cut in cuts)
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    with frames_library.decoder(strict=True) as decoder:
        events = decoder.all(*pieces)
    expected = Reference(stream).events
    if has_long_length(stream):
        assert events[:-1] == expected[: len(events) - 1]
    else:
        assert events == expected


@given(streams(), st.booleans(), st.booleans(), st.lists(st.integers(0, 70_000), max_size=6))
@settings(max_examples=2 * EXAMPLES)
def test_pieces_make_no_difference(
    frames_library: FramesLibrary, stream: bytes, strict: bool, deflate: bool, cuts: list[int]
) -> None:
    ends = sorted(min(cut, len(stream)) for cut in cuts)
    pieces = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    with frames_library.decoder(strict=strict, deflate=deflate) as decoder:
        whole = decoder.all(stream)
    with frames_library.decoder(strict=strict, deflate=deflate) as decoder:
        assert decoder.all(*pieces) == whole


@given(streams())
@settings(max_examples=2 * EXAMPLES)
def test_default_rules_deliver_at_least_what_the_strict_ones_do(
    frames_library: FramesLibrary, stream: bytes
) -> None:
    with frames_library.decoder(strict=True) as decoder:
        strict = decoder.all(stream)
    with frames_library.decoder() as decoder:
        default = decoder.all(stream)
    delivered = [event for event in strict if event[0] != "violation"]
    if delivered and delivered[-1][:2] == ("close", 1014):
        delivered[-1] = ("violation", 1002)
    assert default[: len(delivered)] == delivered
