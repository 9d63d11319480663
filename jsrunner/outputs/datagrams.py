"""Sending of lines over UDP, with as many lines per datagram as fit."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from jsrunner.outputs.http import reason
from jsrunner.outputs.pusher import PushError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def send(
    receiver: tuple[str, int], lines: Sequence[bytes], *, size: int, most: int | None = None
) -> None:
    """Send lines.

    Args:
        receiver: Host and port.
        lines: The lines.
        size: The most bytes per datagram.
        most: The most lines per datagram; None for no limit.

    Raises:
        PushError: The host is unknown, or no process listens.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(*receiver, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.connect(address)
            for datagram in pack(lines, size, most):
                udp.send(datagram)
    except OSError as error:  # a missing listener is reported late, and only for this machine
        raise PushError(reason(error), again=False) from None


def pack(lines: Sequence[bytes], size: int, most: int | None) -> Iterator[bytes]:
    """Join lines to datagrams. A line that is too long for a datagram is a datagram alone.

    Args:
        lines: The lines.
        size: The most bytes per datagram.
        most: The most lines per datagram; None for no limit.
    """
    packed: list[bytes] = []
    used = 0
    for line in lines:
        if packed and (used + len(line) > size or len(packed) == most):
            yield b"".join(packed)
            packed, used = [], 0
        packed.append(line)
        used += len(line)
    if packed:
        yield b"".join(packed)
