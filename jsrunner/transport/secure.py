"""TLS between the core and a socket: Python's ssl reads and writes, the core sees plain bytes.

There is one object per wss session, of the VU with the core's index `vu`. Its methods run on the main
stack when the core asks for them (OPERATION_TLS): the socket is ready, or bytes must be sent. They
never block.
"""

from __future__ import annotations

import contextlib
import ctypes
import ssl
from ctypes import string_at
from typing import TYPE_CHECKING, Final

from jsrunner.core.binding import Fed
from jsrunner.transport.wire import tls_below, wire_bytes

if TYPE_CHECKING:
    from ctypes import CDLL

_READ_BYTES: Final = 65536
#: A record has no more (RFC 8446, section 5.1).
_RECORD_BYTES: Final = 16384
#: Maximum bytes of one write; the core asks again for the rest.
_SEND_BYTES: Final = 1 << 18
#: How a stream ends, for core_session_feed.
_GOES_ON, _ENDED, _RESET = 0, 1, 2


class SecureStream:
    """The TLS of a session: `sock` is gevent's SSLSocket; `slot` and `generation` name the session."""

    __slots__ = (
        "_generation", "_library", "_received", "_sent", "_slot", "_sock", "_tls", "_vu",
    )  # fmt: skip
    #: Buffers that all objects of a process share: no method blocks while it uses them.
    _buffer = bytearray(_READ_BYTES)
    _address = ctypes.addressof((ctypes.c_char * _READ_BYTES).from_buffer(_buffer))
    _fed = Fed()
    _fed_reference = ctypes.byref(_fed)

    def __init__(
        self,
        sock: ssl.SSLSocket,
        library: CDLL,
        slot: int,
        generation: int,
        vu: int,
        sent: int,
        received: int,
    ) -> None:
        self._sock = sock
        self._vu = vu
        #: Plain bytes that are counted already, from the handshake on.
        self._sent, self._received = sent, received
        sock.setblocking(False)
        tls = tls_below(sock)
        assert tls is not None
        self._tls = tls
        self._library = library
        self._slot, self._generation = slot, generation

    def read(self) -> None:
        """Feed received bytes to the core, and send its answer."""
        fed, size = self._fed, _RECORD_BYTES
        end = _GOES_ON
        while size == _RECORD_BYTES and end == _GOES_ON:  # a full record: there may be more
            try:
                size = int(self._tls.read(_READ_BYTES, self._buffer))
                end = _GOES_ON if size else _ENDED
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                size = 0
            except ssl.SSLEOFError:
                size, end = 0, _ENDED
            except OSError:
                size, end = 0, _RESET
            self._received += size
            self._library.core_session_feed(
                self._slot, self._generation, self._address, size, end, self._fed_reference
            )
            reads_on = fed.reads_on
            if fed.size:
                self._send(string_at(fed.output, min(fed.size, _SEND_BYTES)))
            if not reads_on:
                break

    def write(self) -> None:
        """Send the core's pending bytes, as far as the kernel takes them."""
        size = ctypes.c_size_t()
        address = self._library.core_session_output(self._slot, self._generation, ctypes.byref(size))
        self._send(string_at(address, min(size.value, _SEND_BYTES)) if address else b"")

    def _send(self, data: bytes) -> None:
        sent, is_full, is_broken = 0, False, False
        try:
            while sent < len(data):
                sent += self._tls.write(data[sent:] if sent else data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            is_full = True
        except OSError:
            is_broken = True  # the next read raises the error
        self._sent += sent
        self._library.core_session_written(
            self._slot, self._generation, len(data) if is_broken else sent, is_full
        )

    def close(self) -> None:
        """Send close_notify, close the connection, and count TLS's own bytes for the VU."""
        self.write()
        with contextlib.suppress(OSError):  # the peer's answer is not awaited
            self._tls.shutdown()
        sent, received = wire_bytes(self._sock) or (0, 0)
        self._sock.close()
        more = max(sent - self._sent, 0), max(received - self._received, 0)
        self._library.core_vu_add_bytes(self._vu, *more)
