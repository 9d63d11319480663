"""What the kernel knows of a connection."""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

#: Offsets in Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=120xQQ")


def wire_bytes(sock: Any) -> tuple[int, int] | None:
    """(sent, received) bytes of a TCP connection, TLS records included; None if nobody tells."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, option, 192)
        acked, received = _TCP_INFO.unpack_from(info)
    except (OSError, struct.error):
        return None
    return acked, received
