"""A TLS connection on top of a gevent socket, for HTTP, gRPC and proxies.

OpenSSL reads from the descriptor and writes to it. A method whose name ends in `_now` raises
BlockingIOError where it would have to wait; the others park the greenlet.

For wss the core calls OpenSSL itself (core/secure.c). If the server refuses the WebSocket handshake,
the core passes the connection to Python, which reads the body of the response by this class.
"""

from __future__ import annotations

import errno
import os
import socket as plain
from typing import TYPE_CHECKING, Any, Final

from gevent.socket import wait_read, wait_write

from jsrunner.core.binding import TLSFailure
from jsrunner.transport.errors import DialError, TLSAlert, TLSRecordError
from jsrunner.transport.openssl import Problem, der_of, ffi, lib, problem_of, take_problem
from jsrunner.transport.tls_names import GO_SUITES, NO_TLS, tls_error, unnamed_alert
from jsrunner.transport.wire import socket_below, was_reset

if TYPE_CHECKING:
    from collections.abc import Callable

#: Maximum bytes of one read: those of a record (RFC 8446, section 5.1).
_READ_BYTES: Final = 16384
#: Maximum bytes of one write: OpenSSL's size is an int.
_MOST_BYTES: Final = 1 << 30
#: Bytes of a record's header, and the most that may follow it (RFC 5246, section 6.2.3).
_HEADER_BYTES: Final = 5
_MAX_RECORD_BYTES: Final = 16384 + 2048
#: Types of records.
_ALERT, _HANDSHAKE = 21, 22
#: OpenSSL's text of an end without close_notify.
_EOF: Final = "unexpected eof while reading"
#: OpenSSL's reason SSL_R_CERTIFICATE_VERIFY_FAILED.
_NOT_VERIFIED: Final = 134
#: SSL_AD_REASON_OFFSET: a reason above this number is an alert of the peer.
_ALERTS: Final = 1000


class Untrusted(Exception):
    """The server's certificate was refused; `code` is OpenSSL's X509_V_ERR_*, `detail` its text."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class TLSEnded(Exception):
    """The stream has ended: by close_notify, or without it."""


class TLSSocket:
    """A TLS connection; used by one greenlet at a time and by the hub. Its owner closes it."""

    __slots__ = ("_ssl", "sock")
    #: The receive buffer of all objects. No greenlet switches while a method uses it.
    _buffer: Final[Any] = ffi.new("char[]", _READ_BYTES)

    def __init__(self, sock: plain.socket, ssl: Any) -> None:
        """Put OpenSSL on top of a socket.

        Args:
            sock: A connected gevent socket, which belongs to this object from now on.
            ssl: OpenSSL's SSL, before or after the handshake. It is freed with its last reference.
        """
        self.sock = sock
        self._ssl = ssl
        lib.SSL_set_fd(ssl, sock.fileno())

    # -- the socket below --------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 if it is closed."""
        return self.sock.fileno()

    def close(self) -> None:
        """Close the socket, without close_notify."""
        self._ssl = None
        self.sock.close()

    def getpeername(self) -> tuple[str, int]:
        """Return the peer's address and port."""
        name: tuple[str, int] = self.sock.getpeername()[:2]
        return name

    def getsockname(self) -> tuple[str, int]:
        """Return the address and port of this end."""
        name: tuple[str, int] = self.sock.getsockname()[:2]
        return name

    @classmethod
    def of_core(cls, sock: plain.socket, address: int) -> TLSSocket:
        """Return a connection that the core passes to Python.

        Args:
            sock: The gevent socket.
            address: The address of its SSL, which the TLS socket frees.
        """
        return cls(sock, ffi.gc(ffi.cast("SSL *", address), lib.SSL_free))

    # -- the result of the handshake ---------------------------------------------------------------

    def selected_alpn_protocol(self) -> str | None:
        """Return the protocol that the server has chosen by ALPN, None if it has chosen none."""
        name, size = ffi.new("unsigned char **"), ffi.new("unsigned int *")
        lib.SSL_get0_alpn_selected(self._ssl, name, size)
        return bytes(ffi.buffer(name[0], size[0])).decode() if size[0] else None

    def facts(self) -> tuple[str, str]:
        """Return k6's name of the version, e.g. `tls1.3`, and Go's name of the cipher suite."""
        version = ffi.string(lib.SSL_get_version(self._ssl)).decode()
        version = "TLSv1.0" if version == "TLSv1" else version
        name = ffi.string(lib.SSL_CIPHER_get_name(lib.SSL_get_current_cipher(self._ssl))).decode()
        return "tls" + version.removeprefix("TLSv"), GO_SUITES.get(name, name)

    def chain(self) -> list[bytes]:
        """Return the certificates that the server has sent, its own first, as DER."""
        chain = lib.SSL_get_peer_cert_chain(self._ssl)
        count = lib.sk_X509_num(chain) if chain else 0
        return [der_of(lib.sk_X509_value(chain, number)) for number in range(count)]

    # -- without waiting ---------------------------------------------------------------------------

    def _call(self, function: Callable[..., int], *arguments: object) -> int:
        """Call a function of OpenSSL and return its positive result.

        Raises:
            BlockingIOError: The function must be called again when the socket is ready.
            TLSEnded: The stream has ended.
            DialError: The peer has sent an alert, or bytes that are no TLS.
            Untrusted: The certificate was refused.
            OSError: The connection is broken.
        """
        if self._ssl is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lib.ERR_clear_error()
        result = function(self._ssl, *arguments)
        if result > 0:
            return result
        number = ffi.errno
        kind = lib.SSL_get_error(self._ssl, result)
        if kind in (lib.SSL_ERROR_WANT_READ, lib.SSL_ERROR_WANT_WRITE):
            raise BlockingIOError
        raise _error_of(kind, number, take_problem(), lib.SSL_get_verify_result(self._ssl))

    def read_now(self, size: int) -> bytes:
        """Return received bytes, at most those of one record; b"" at the end of the stream.

        Raises:
            BlockingIOError: No bytes have arrived.
            DialError: The peer has sent an alert, or bytes that are no TLS.
            OSError: The connection is broken.
        """
        try:
            count = self._call(lib.SSL_read, self._buffer, min(size, _READ_BYTES))
        except TLSEnded:
            if was_reset(self.sock):  # OpenSSL reports a reset as an end
                raise ConnectionResetError(errno.ECONNRESET, "") from None
            return b""
        except Untrusted as error:  # in a renegotiation
            raise DialError(f"tls: {error}") from None
        return bytes(ffi.buffer(self._buffer, count))

    def write_now(self, data: bytes | memoryview) -> int:
        """Encrypt and send bytes; return the number of bytes that OpenSSL has taken.

        Raises:
            BlockingIOError: OpenSSL has taken none. The next call must write the same bytes.
            OSError: The connection is broken.
        """
        if not data:
            return 0
        try:
            return self._call(lib.SSL_write, ffi.from_buffer(data), min(len(data), _MOST_BYTES))
        except (TLSEnded, DialError, Untrusted):  # the next read raises the reason
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None

    # -- parking the greenlet ----------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait until the socket is ready for the call that could not go on."""
        (wait_read if lib.SSL_want_read(self._ssl) else wait_write)(self.fileno())

    def recv(self, size: int) -> bytes:
        """Return received bytes; b"" at the end of the stream. Raises DialError, OSError."""
        while True:
            try:
                return self.read_now(size)
            except BlockingIOError:
                self._wait()

    def sendall(self, data: bytes) -> None:
        """Send all bytes. Raises OSError."""
        left = memoryview(data)
        while left:
            try:
                left = left[self.write_now(left) :]
            except BlockingIOError:
                self._wait()

    def shake_hands(self) -> None:
        """Do the handshake.

        Raises:
            Untrusted: The certificate was refused.
            TLSRecordError: The server has sent bytes that are no TLS.
            DialError: The server has sent an alert, or has ended the stream.
            OSError: The connection is broken.
        """
        header = b""
        lib.SSL_set_connect_state(self._ssl)
        while True:
            try:
                self._call(lib.SSL_do_handshake)
                return
            except BlockingIOError:
                self._wait()
                if not header:  # OpenSSL's errors do not contain the bytes that are no TLS
                    header = socket_below(self.sock).recv(_HEADER_BYTES, plain.MSG_PEEK)
                    _check_header(header)
            except TLSEnded:
                raise _broken_off(header) from None
            except TLSRecordError:
                if header:
                    raise
                # The bytes were there before the first wait. OpenSSL has read the header `HTTP/`.
                rest = socket_below(self.sock).recv(2, plain.MSG_PEEK | plain.MSG_DONTWAIT)
                raise TLSRecordError(NO_TLS, is_http=rest == b"1.") from None


def _check_header(header: bytes) -> None:
    """Check the header of a server's first record as Go does. Raises TLSRecordError."""
    if len(header) < _HEADER_BYTES:
        return
    if header[0] not in (_ALERT, _HANDSHAKE) or header[1] >= 0x10:
        raise TLSRecordError(NO_TLS, is_http=header == b"HTTP/")
    size = int.from_bytes(header[3:], "big")
    if size > _MAX_RECORD_BYTES:
        raise TLSRecordError(f"tls: oversized record received with length {size}")


def _broken_off(header: bytes) -> DialError:
    """Return the error of a stream that has ended during the handshake, as Go has it.

    Args:
        header: The first bytes that the server has sent.
    """
    return DialError("unexpected EOF" if header and header[0] != _ALERT else "EOF")


def _error_of(kind: int, number: int, problem: Problem, verify_result: int) -> Exception:
    """Return the error of a failed call of OpenSSL.

    Args:
        kind: The result of SSL_get_error (SSL_ERROR_*), 0 for a broken socket.
        number: The errno, 0 for none.
        problem: The error in OpenSSL's queue.
        verify_result: The result of the certificate's verification (X509_V_ERR_*).
    """
    if kind == lib.SSL_ERROR_ZERO_RETURN:
        return TLSEnded()
    if kind in (0, lib.SSL_ERROR_SYSCALL) and number:
        return OSError(number, os.strerror(number))
    if kind == lib.SSL_ERROR_SYSCALL or problem.text == _EOF:
        return TLSEnded()
    if problem.reason == _NOT_VERIFIED:
        text = ffi.string(lib.X509_verify_cert_error_string(verify_result)).decode()
        return Untrusted(verify_result, text)
    if not problem.text and problem.reason == _ALERTS:  # close_notify
        return TLSEnded()
    if not problem.text and problem.reason > _ALERTS:
        return TLSAlert(f"remote error: tls: {unnamed_alert(problem.reason - _ALERTS)}")
    return tls_error(problem.text)


def failure_of(data: bytes) -> Exception:
    """Return the error of a handshake that has failed in the core.

    Args:
        data: struct tls_failure (core/session.h).

    Returns:
        Untrusted, DialError or OSError.
    """
    failure = TLSFailure.from_buffer_copy(data)
    header = bytes(failure.header[: min(failure.header_size, _HEADER_BYTES)])
    try:
        _check_header(header)
    except TLSRecordError as refusal:
        return refusal
    problem = problem_of(failure.first_error, failure.last_error)
    error = _error_of(failure.kind, failure.number, problem, failure.verify_result)
    return _broken_off(header) if isinstance(error, TLSEnded) else error
