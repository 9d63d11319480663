"""UTF-8 against Python's codec: validation in pieces, replacement byte by byte."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from core_library import FramesLibrary

#: Bytes in which every kind of beginning, continuation and edge is frequent.
EDGES = (
    b"a", b"\x7f", b"\x80", b"\x8f", b"\x90", b"\x9f", b"\xa0", b"\xbf", b"\xc0", b"\xc1", b"\xc2",
    b"\xdf", b"\xe0", b"\xe1", b"\xec", b"\xed", b"\xee", b"\xef", b"\xf0", b"\xf1", b"\xf3", b"\xf4",
    b"\xf5", b"\xff",
)  # fmt: skip
texts = st.lists(
    st.one_of(
        st.sampled_from(EDGES),
        st.text(max_size=20).map(str.encode),
        st.integers(0, 200).map(lambda size: b"x" * size),
        st.binary(max_size=5),
    ),
    max_size=12,
).map(b"".join)


def expected_validity(pieces: list[bytes]) -> int:
    """As FramesLibrary.validate."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for i, piece in enumerate(pieces):
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            return i + 1
        # The decoder waits for a surrogate's third byte, for the sake of error handlers.
        if b"\xed\xa0" <= decoder.getstate()[0] < b"\xee":
            return i + 1
    return -2 if decoder.getstate()[0] else -1


def replaced(text: bytes) -> bytes:
    """U+FFFD for each invalid byte."""
    done = b""
    while True:
        try:
            return done + text.decode().encode()
        except UnicodeDecodeError as error:
            done += text[: error.start] + b"\xef\xbf\xbd"
            text = text[error.start + 1 :]


@given(texts, st.lists(st.integers(0, 400), max_size=8))
def test_validity_is_known_at_the_first_wrong_piece(
    frames_library: FramesLibrary, text: bytes, cuts: list[int]
) -> None:
    ends = sorted(min(cut, len(text)) for cut in cuts)
    pieces = [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
    result, is_ascii = frames_library.validate(*pieces)
    assert result == expected_validity(pieces)
    assert is_ascii == text.isascii()


@given(texts)
def test_validity_byte_by_byte(frames_library: FramesLibrary, text: bytes) -> None:
    pieces = [text[i : i + 1] for i in range(len(text))]
    assert frames_library.validate(*pieces)[0] == expected_validity(pieces)


def test_each_pair_of_bytes_before_and_after_each_other(frames_library: FramesLibrary) -> None:
    """RFC 3629, section 4: second bytes by first byte, at the end of a text and before continuations."""
    for first in range(0x80, 0x100):
        for second in range(0x100):
            for rest in (b"", b"\x80", b"\x80\x80", b"\xbf\xbf", b"a"):
                text = bytes((first, second)) + rest
                assert frames_library.validate(text)[0] == expected_validity([text]), text.hex()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1000])
@pytest.mark.parametrize("wrong", ["é".encode(), b"\xff", b"\xe2\x82"])
def test_a_byte_that_is_not_ascii_is_seen_wherever_it_is(
    frames_library: FramesLibrary, size: int, wrong: bytes
) -> None:
    assert frames_library.validate(b"x" * size) == (-1, True)
    for at in range(size + 1):
        text = b"x" * at + wrong + b"y" * (size - at)
        result, is_ascii = frames_library.validate(text)
        assert (result, is_ascii) == (expected_validity([text]), False)


@given(texts)
def test_replacement_is_byte_by_byte(frames_library: FramesLibrary, text: bytes) -> None:
    assert frames_library.replace(text) == replaced(text)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (b"\xff", "\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf0\x9f\x98", "\ufffd\ufffd\ufffd"),
        (b"\xe2\x82A", "\ufffd\ufffdA"),
        ("\ufffd".encode(), "\ufffd"),
    ],
)
def test_replacement_is_what_go_shows(
    frames_library: FramesLibrary, text: bytes, repaired: str
) -> None:
    assert frames_library.replace(text).decode() == repaired
