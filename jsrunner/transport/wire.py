"""The layers below gevent's sockets: Python's TLS objects, and the kernel's facts of a connection.

gevent's sockets park the greenlet where the layers below say that there is nothing to do yet.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Offsets in Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=120xQQ")
#: Linux's TCP_CLOSE: the state of a connection that was reset.
_CLOSED: Final = 7


class CertificateObject(Protocol):
    """A certificate as `_ssl` has it before Python 3.13."""

    def public_bytes(self, encoding: int, /) -> bytes:
        """Return the certificate in an encoding."""
        ...


class TLSObject(Protocol):
    """The TLS of a socket as `_ssl` has it. Its methods raise SSLWantReadError, not park."""

    def do_handshake(self) -> None:
        """Go on with the handshake. Raises ssl.SSLError."""

    def read(self, size: int, buffer: bytearray | None = ..., /) -> bytes | int:
        """Return decrypted bytes; with a buffer write them there and return their count."""
        ...

    def write(self, data: bytes | memoryview, /) -> int:
        """Encrypt and send bytes; return the count of those that were taken."""
        ...

    def shutdown(self) -> object:
        """Send close_notify."""

    def get_unverified_chain(self) -> Sequence[bytes | CertificateObject] | None:
        """Return the peer's certificates: DER from Python 3.13 on, else objects."""
        ...


def tls_below(sock: socket.socket) -> TLSObject | None:
    """Return the TLS of a gevent socket; None if it has none."""
    return cast("TLSObject | None", getattr(sock, "_sslobj", None))


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
    """Return True if the peer has reset the connection; Python's TLS takes a reset for an end."""
    option = getattr(socket, "TCP_INFO", None)
    try:
        return option is not None and sock.getsockopt(socket.IPPROTO_TCP, option, 1)[0] == _CLOSED
    except OSError:
        return False


def ends_of(sock: socket.socket) -> str:
    """Return both ends of a connection as Go shows them: `127.0.0.1:5->127.0.0.1:80`."""
    return "->".join(shown(name[:2]) for name in (sock.getsockname(), sock.getpeername()))


def shown(name: tuple[str, int]) -> str:
    """Return an address with its port as Go shows it: `127.0.0.1:80`, `[::1]:80`."""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
