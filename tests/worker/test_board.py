from __future__ import annotations

import os
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.worker import board as boards
from jsrunner.worker.board import Board


def numbers_of(board: Board, worker: int, total: int) -> list[int]:
    counts, found = board.view(0, worker), []
    while True:
        first, end = counts.draw(total)
        if first >= end:
            return found
        found += range(first, end)


def drawn_by_processes(workers: int, total: int) -> list[list[int]]:
    """What each of so many processes draws of the numbers below `total`."""
    board = Board(workers)
    board.open(1)
    pipes = []
    for worker in range(workers):
        reader, writer = os.pipe()
        if not os.fork():
            try:
                board.open(1)
                found = numbers_of(board, worker, total)
                with os.fdopen(writer, "wb") as stream:
                    stream.write(struct.pack(f"{len(found)}q", *found))
            finally:
                os._exit(0)
        os.close(writer)
        pipes.append(reader)
    results = []
    for reader in pipes:
        with os.fdopen(reader, "rb") as stream:
            results.append([one for (one,) in struct.iter_unpack("q", stream.read())])
        os.wait()
    return results


@given(st.integers(0, 3000), st.integers(1, 3))
@settings(max_examples=15)
def test_every_number_is_drawn_exactly_once(total: int, workers: int) -> None:
    results = drawn_by_processes(workers, total)
    assert sorted(number for one in results for number in one) == list(range(total))
    for one in results:
        assert one == sorted(one)


def test_first_and_last_numbers_come_singly() -> None:
    board = Board(2)
    board.open(1)
    counts = board.view(0, 0)
    sizes = []
    while True:
        first, end = counts.draw(100_000)
        if first >= end:
            break
        sizes.append(end - first)
    assert sizes[:30] == [1] * 30
    assert sizes[-30:] == [1] * 30
    assert max(sizes) == 64
    assert sum(sizes) == 100_000


def test_counts_add_up_over_workers() -> None:
    board = Board(3)
    board.open(2)
    for slot in (0, 1):
        for worker in range(3):
            counts = board.view(slot, worker)
            counts.add(boards.STARTED, 10 * slot + worker)
            counts.add(boards.ACTIVE)
            counts.add(boards.ACTIVE, -1)
            counts.set_state(boards.RUNNING if worker else boards.DONE)
    assert [board.view(slot, 0).total(boards.STARTED) for slot in (0, 1)] == [3, 33]
    assert board.view(1, 2).total(boards.ACTIVE) == 0
    assert board.view(0, 0).states() == [boards.DONE, boards.RUNNING, boards.RUNNING]
