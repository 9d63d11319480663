"""TLS between the core and a socket: Python's ssl reads and writes, the core sees plain bytes.

One object per wss session, of the VU with the core's index `vu`. Its methods run on the main stack when
the core says that the socket is ready (OPERATION_TLS) or that it has bytes to send; they never block.
"""

from __future__ import annotations

import contextlib
import ctypes
import ssl
from typing import Any, Final

from jsrunner.transport.wire import wire_bytes

_READ_BYTES: Final = 65536
#: Bytes of one `read`: then others have their turn.
_READ_AT_ONCE: Final = 1 << 18
#: How a stream ends, for core_session_feed.
_GOES_ON, _ENDED, _RESET = 0, 1, 2

_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype = ctypes.py_object
_view.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_PY_BUF_READ: Final = 0x100


class SecureStream:
    """`sock` is a connected SSLSocket of gevent's; `slot` and `generation` name the core's session."""

    _buffer = bytearray(_READ_BYTES)

    def __init__(
        self, sock: Any, library: Any, slot: int, generation: int, vu: int, sent: int, received: int
    ) -> None:
        self._sock = sock
        self._vu = vu
        #: Plain bytes, from those of the handshake on: these are counted already.
        self._sent, self._received = sent, received
        sock.setblocking(False)
        self._tls: Any = sock._sslobj
        self._library = library
        self._slot, self._generation = slot, generation

    def read(self) -> None:
        """Give the core all that has come."""
        pieces = []
        total, end = 0, _GOES_ON
        try:
            while True:
                size = self._tls.read(_READ_BYTES, self._buffer)
                if not size:
                    end = _ENDED
                    break
                pieces.append(bytes(memoryview(self._buffer)[:size]))
                total += size
                if not self._tls.pending() and (size < 16384 or total >= _READ_AT_ONCE):
                    break
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except ssl.SSLEOFError:
            end = _ENDED
        except OSError:
            end = _RESET
        self._received += total
        data = b"".join(pieces)
        self._library.core_session_feed(self._slot, self._generation, data, len(data), end)

    def write(self) -> None:
        """Send what the core wants sent, as far as the kernel takes it."""
        size = ctypes.c_size_t()
        address = self._library.core_session_output(self._slot, self._generation, ctypes.byref(size))
        written, is_full = 0, False
        if address:
            view = _view(address, size.value, _PY_BUF_READ)
            try:
                while written < size.value:
                    count = self._tls.write(view[written:])
                    written += count
                    self._sent += count
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                is_full = True
            except OSError:
                written = size.value  # reading will tell
        self._library.core_session_written(self._slot, self._generation, written, is_full)

    def close(self) -> None:
        """Say goodbye, close the connection, and count for the VU what TLS has cost on the wire."""
        self.write()
        with contextlib.suppress(OSError):  # nobody waits for the peer's answer
            self._tls.shutdown()
        sent, received = wire_bytes(self._sock) or (0, 0)
        self._sock.close()
        more = max(sent - self._sent, 0), max(received - self._received, 0)
        self._library.core_vu_add_bytes(self._vu, *more)
