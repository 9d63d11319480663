"""Starts of arrival rates that go from a machine without a free VU to another one."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from jsrunner.messages import mail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.messages.board import Board


def route(board: Board, machines: Sequence[range], sender: int, data: bytes) -> Mapping[int, bytes]:
    """Return where entries of a machine go, for the coordinator.

    A start goes to a machine that had a free VU when it was heard of last, and back as refused if there
    is none. An answer goes back.

    Args:
        board: The counts of all workers. The free VU counts as taken from now on.
        machines: The numbers of each machine's workers.
        sender: The machine that has sent the entries.
        data: The entries.

    Returns:
        The entries for each machine.
    """
    routed: dict[int, bytes] = defaultdict(bytes)
    for entry in mail.unpack(data):
        target = entry.machine
        if entry.kind == mail.START:
            counts = board.view(entry.slot, 0)
            free = (
                machine
                for machine, workers in enumerate(machines)
                if machine != sender and any(map(counts.reserve, workers))
            )
            target = next(free, sender)
            if target == sender:
                entry = entry._replace(kind=mail.REFUSED)
        routed[target] += entry.pack()
    return routed


def deliver(board: Board, data: bytes) -> bytes:
    """Hand entries over to the workers of this machine, for its agent.

    Args:
        board: The machine's.
        data: Starts of other machines, and answers to starts of this one.

    Returns:
        The answers to the starts.
    """
    answers = b""
    for entry in mail.unpack(data):
        if entry.kind == mail.START:
            is_taken = _start(board, entry)
            answers += entry._replace(kind=mail.TAKEN if is_taken else mail.REFUSED).pack()
        else:
            board.post(entry.worker, entry.pack())
    return answers


def _start(board: Board, entry: mail.MailEntry) -> bool:
    """Hand a start over to a worker with a free VU; return whether there is one."""
    counts = board.view(entry.slot, 0)
    for worker in range(board.workers):
        if counts.reserve(worker):
            if board.post(worker, entry.pack()):
                return True
            counts.release(worker)
    return False


def collect(board: Board) -> bytes:
    """Return the starts that the workers of this machine hand over to other machines; does not wait."""
    assert board.others is not None
    try:
        return os.read(board.mail[board.others][0], mail.SIZE * 1000)
    except BlockingIOError:
        return b""
