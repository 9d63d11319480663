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


def test_vus_of_arrival_rates_add_up_over_machines() -> None:
    """A machine makes more as long as it has fewer than its part of the maximum."""
    whole, machine = Board(2), Board(1, with_others=True)
    for board in (whole, machine):
        board.open(1)
    counts = machine.view(0, 0)
    counts.add_vu()
    assert counts.begin_making(2)
    assert not counts.begin_making(2)
    counts.end_making()
    assert not counts.begin_making(2)
    whole.view(0, 1).add_vu()
    whole.set_rows(1, 0, machine.rows(1, 0, 1))
    machine.set_rows(1, 1, whole.sums(1, [range(1), range(1, 2)])[0])
    assert whole.view(0, 0).vus == counts.vus == 3


def test_counts_of_other_machines_add_up_with_those_of_this_one() -> None:
    """The coordinator's board has all workers, a machine's its own and the sums of the others."""
    whole, machine = Board(3), Board(1, with_others=True)
    for board in (whole, machine):
        board.open(2)
    for slot in range(2):
        for worker in (0, 2):
            whole.view(slot, worker).add(boards.COMPLETED, 10 * slot + worker + 1)
        machine.view(slot, 0).add(boards.COMPLETED, 100)
    whole.set_rows(2, 1, machine.rows(2, 0, 1))
    machine.set_rows(2, 1, whole.sums(2, [range(1), range(1, 2), range(2, 3)])[1])
    for board in (whole, machine):
        assert [board.view(slot, 0).total(boards.COMPLETED) for slot in range(2)] == [104, 124]
