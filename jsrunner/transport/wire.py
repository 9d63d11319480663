"""The kernel's facts of connections."""

from __future__ import annotations

import socket
import struct
from typing import Final, Protocol, cast

#: Offsets in Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=120xQQ")
#: Linux's TCP_CLOSE: the state of a connection that was reset.
_CLOSED: Final = 7


class HasEnds(Protocol):
    """A connection, plain or with TLS."""

    def getsockname(self) -> tuple[str, int]:
        """Return the address and port of this end."""
        ...

    def getpeername(self) -> tuple[str, int]:
        """Return the peer's address and port."""
        ...


def socket_below(sock: socket.socket) -> socket.socket:
    """Return the plain, non-blocking socket of a gevent socket."""
    return cast("socket.socket", sock._sock)  # type: ignore[attr-defined]


def wire_bytes(sock: socket.socket) -> tuple[int, int] | None:
    """Return (sent, received) bytes of a TCP client, TLS records included; None if unknown.

    Sent bytes count when they are acknowledged: at the latest with the peer's answer.
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


def was_reset(sock: socket.socket) -> bool:
    """Return True if the peer has reset the connection; OpenSSL takes a reset for an end."""
    option = getattr(socket, "TCP_INFO", None)
    try:
        return option is not None and sock.getsockopt(socket.IPPROTO_TCP, option, 1)[0] == _CLOSED
    except OSError:
        return False


def ends_of(sock: HasEnds) -> str:
    """Return both ends of a connection as Go shows them: `127.0.0.1:5->127.0.0.1:80`."""
    return "->".join(shown(name[:2]) for name in (sock.getsockname(), sock.getpeername()))


def shown(name: tuple[str, int]) -> str:
    """Return an address with its port as Go shows it: `127.0.0.1:80`, `[::1]:80`."""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
