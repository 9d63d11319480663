"""What the kernel knows of a connection."""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

#: Offsets in Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=120xQQ")


def wire_bytes(sock: Any) -> tuple[int, int] | None:
    """(sent, received) bytes of a TCP client, TLS records included; None if nobody tells.

    What was sent counts when it is acknowledged: at the latest with the answer to it.
    """
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, option, 192)
        acked, received = _TCP_INFO.unpack_from(info)
    except (OSError, struct.error):
        return None
    return max(acked - 1, 0), received  # Linux counts the SYN


def wire_bytes_of(descriptor: int) -> tuple[int, int] | None:
    """The same for a descriptor that is someone else's."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
    try:
        return wire_bytes(sock)
    finally:
        sock.detach()
