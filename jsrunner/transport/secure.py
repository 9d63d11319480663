"""TLS between the core and a socket: Python's ssl reads and writes, the core sees plain bytes.

One object per wss session. Its methods run on the main stack when the core says that the socket is
ready (OPERATION_TLS) or that it has bytes to send; they never block.
"""

from __future__ import annotations

import ctypes
import ssl
from typing import Any, Final

from jsrunner.transport.wire import wire_bytes

_READ_BYTES: Final = 65536
#: How a stream ends, for core_session_feed.
_GOES_ON, _ENDED, _RESET = 0, 1, 2

_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype = ctypes.py_object
_view.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_PY_BUF_READ: Final = 0x100


class SecureStream:
    """`sock` is a connected SSLSocket of gevent's; `slot` and `generation` name the core's session."""

    _buffer = bytearray(_READ_BYTES)

    def __init__(self, sock: Any, library: Any, slot: int, generation: int) -> None:
        self._sock = sock
        sock.setblocking(False)
        self._tls: Any = sock._sslobj
        self._library = library
        self._slot, self._generation = slot, generation

    def read(self) -> None:
        """Give the core all that has come."""
        pieces = []
        end = _GOES_ON
        try:
            while True:
                size = self._tls.read(_READ_BYTES, self._buffer)
                if not size:
                    end = _ENDED
                    break
                pieces.append(bytes(memoryview(self._buffer)[:size]))
                if not self._tls.pending() and size < 16384:
                    break
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except ssl.SSLEOFError:
            end = _ENDED
        except OSError:
            end = _RESET
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
                    written += self._tls.write(view[written:])
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                is_full = True
            except OSError:
                written = size.value  # reading will tell
        self._library.core_session_written(self._slot, self._generation, written, is_full)

    def close(self) -> tuple[int, int]:
        """Close the connection; return the bytes (sent, received) on the wire."""
        counted = wire_bytes(self._sock) or (0, 0)
        self._sock.close()
        return counted
