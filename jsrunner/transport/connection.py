"""The type of connections: those of plain TCP, and those that speak TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from typing import TypeAlias

    from jsrunner.transport.tls_socket import TLSSocket

    #: A gevent socket, or TLS on top of it.
    Connection: TypeAlias = socket.socket | TLSSocket
