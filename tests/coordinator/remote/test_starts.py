from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.remote import starts
from jsrunner.messages import mail
from jsrunner.messages.board import IDLE, Board
from jsrunner.messages.mail import MailEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

START = MailEntry(mail.START, 0, 0, 1, 2.5)
TAKEN, REFUSED = START._replace(kind=mail.TAKEN), START._replace(kind=mail.REFUSED)
#: Two machines with two workers each.
MACHINES = [range(2), range(2, 4)]


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board(4, with_others=True)
    made.open(1)
    yield made
    made.close()


def test_a_start_goes_to_another_machine_that_has_a_free_vu(board: Board) -> None:
    board.view(0, 0).add(IDLE)
    board.view(0, 3).add(IDLE)
    data = START.pack() + START.pack()
    assert starts.route(board, MACHINES, 0, data) == {1: START.pack(), 0: REFUSED.pack()}


def test_answers_go_back(board: Board) -> None:
    data = TAKEN.pack() + REFUSED.pack()
    assert starts.route(board, MACHINES, 1, data) == {0: data}


def test_a_machine_hands_starts_to_workers_with_free_vus(board: Board) -> None:
    board.view(0, 2).add(IDLE)
    assert starts.deliver(board, START.pack() * 2) == TAKEN.pack() + REFUSED.pack()
    assert os.read(board.mail[2][0], 100) == START.pack()


def test_a_machine_hands_answers_to_the_worker_that_has_asked(board: Board) -> None:
    assert starts.deliver(board, REFUSED.pack()) == b""
    assert os.read(board.mail[1][0], 100) == REFUSED.pack()


def test_a_full_pipe_is_no_free_vu(board: Board) -> None:
    while board.post(2, START.pack()):
        pass
    board.view(0, 2).add(IDLE)
    assert starts.deliver(board, START.pack()) == REFUSED.pack()
    assert board.view(0, 0).total(IDLE) == 1


def test_what_workers_hand_over_is_collected(board: Board) -> None:
    assert starts.collect(board) == b""
    board.post(4, START.pack())
    board.post(4, START.pack())
    assert starts.collect(board) == START.pack() * 2
