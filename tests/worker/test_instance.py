"""The run over all processes, from the board's counts."""

from __future__ import annotations

from jsrunner.messages import board as boards
from jsrunner.messages.board import Board
from jsrunner.options.segment import Striping
from jsrunner.worker.instance import Instance


def instance(board: Board, machines: int = 1) -> Instance:
    counts = [board.view(slot, 0) for slot in range(2)]
    return Instance(
        board, counts, started_at=0.0, planned_vus=5, machines=machines, striping=Striping(None, None)
    )


def test_counts_of_all_workers_and_scenarios_add_up() -> None:
    board = Board(2)
    board.open(2)
    for slot in range(2):
        for worker in range(2):
            counts = board.view(slot, worker)
            counts.add(boards.ACTIVE)
            counts.add(boards.COMPLETED, 10)
            counts.add(boards.INTERRUPTED, 100)
    for _ in range(3):
        board.new_vu()
    here = instance(board)
    assert (here.active_vus, here.iterations_completed, here.iterations_interrupted) == (4, 40, 400)
    assert here.initialized_vus == board.vus
    board.close()


def test_each_machine_keeps_to_its_part_of_a_rate() -> None:
    """With two machines, each has every second start."""
    board = Board(1)
    board.open(2)
    here = instance(board, machines=2)
    first = here.next_start(1_000, 100)
    assert [here.next_start(1_000, 100) - first for _ in range(3)] == [200, 400, 600]
    board.close()
