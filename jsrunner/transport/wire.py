"""What the kernel knows of a connection: its ends, and how many bytes it has carried."""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

#: Offsets in Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=120xQQ")
#: Linux's TCP_CLOSE: the state of a connection that was reset.
_CLOSED: Final = 7


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


def was_reset(sock: Any) -> bool:
    """Whether the peer has reset the connection, which Python's TLS does not tell from its end."""
    option = getattr(socket, "TCP_INFO", None)
    try:
        return option is not None and sock.getsockopt(socket.IPPROTO_TCP, option, 1)[0] == _CLOSED
    except OSError:
        return False


def ends_of(sock: Any) -> str:
    """Return both ends of a connection as Go shows them: `127.0.0.1:5->127.0.0.1:80`."""
    return "->".join(shown(name) for name in (sock.getsockname(), sock.getpeername()))


def shown(name: tuple[Any, ...]) -> str:
    """Return an address with its port as Go shows it: `127.0.0.1:80`, `[::1]:80`."""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
