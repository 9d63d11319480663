from __future__ import annotations

import tracemalloc

import pytest

from jsrunner.transport.body import Body, TooLarge


def test_pieces() -> None:
    body = Body(10)
    assert body.take() == b""
    for piece in (b"", b"one", b"", b"two"):
        body.add(piece)
    assert (body.take(), body.size) == (b"onetwo", 6)


def test_one_piece_is_not_copied() -> None:
    body, piece = Body(10), b"some bytes"
    body.add(piece)
    assert body.take() is piece


def test_the_limit() -> None:
    body = Body(3)
    body.add(b"abc")
    with pytest.raises(TooLarge):
        body.add(b"d")
    assert body.take() is None


def test_bodies_that_nobody_reads() -> None:
    body = Body(None)
    for _ in range(3):
        body.add(b"x" * 1000)
    assert (body.take(), body.size) == (b"", 3000)


def test_many_small_pieces_take_no_more_memory_than_one() -> None:
    tracemalloc.start()
    try:
        body = Body(1 << 20)
        for number in range(1 << 17):
            body.add(number.to_bytes(8, "big"))
        assert tracemalloc.get_traced_memory()[0] < 2 << 20
    finally:
        tracemalloc.stop()
