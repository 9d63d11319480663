from __future__ import annotations

from jsrunner.messages import board as boards
from jsrunner.messages.board import Board


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
