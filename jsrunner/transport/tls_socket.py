"""A TLS connection on top of a gevent socket, as HTTP, gRPC and the handshake of wss use it.

OpenSSL reads from the descriptor and writes to it. The methods ending in `_now` say so if they would
block; the others park the greenlet. The core speaks TLS by itself for wss (core/secure.c), and gives a
connection back whose server has refused the session.
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
from jsrunner.transport.tls_names import GO_SUITES, NO_TLS, explained
from jsrunner.transport.wire import socket_below, was_reset

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes of one read. A record has no more (RFC 8446, section 5.1).
_READ_BYTES: Final = 16384
_MOST_BYTES: Final = 1 << 30
_HEADER_BYTES: Final = 5
_MAX_RECORD_BYTES: Final = 16384 + 2048
_ALERT, _HANDSHAKE = 21, 22
#: OpenSSL's text of an end without close_notify.
_EOF: Final = "unexpected eof while reading"
#: Numbers of reasons: SSL_R_CERTIFICATE_VERIFY_FAILED.
_NOT_VERIFIED: Final = 134
#: Numbers of reasons from which on they are alerts: SSL_AD_REASON_OFFSET.
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
    #: A buffer that all objects of a process share: no method is left while it is in use.
    _buffer: Final[Any] = ffi.new("char[]", _READ_BYTES)

    def __init__(self, sock: plain.socket, ssl: Any) -> None:
        """Put OpenSSL on top of a socket.

        Args:
            sock: A connected gevent socket, which belongs to this object from now on.
            ssl: OpenSSL's SSL, before or after the handshake; it frees itself.
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
        """Return a connection that the core gives back: a gevent socket, and the address of its SSL."""
        return cls(sock, ffi.gc(ffi.cast("SSL *", address), lib.SSL_free))

    # -- facts -------------------------------------------------------------------------------------

    def selected_alpn_protocol(self) -> str | None:
        """Return the protocol that both ends have agreed on by ALPN."""
        name, size = ffi.new("unsigned char **"), ffi.new("unsigned int *")
        lib.SSL_get0_alpn_selected(self._ssl, name, size)
        return bytes(ffi.buffer(name[0], size[0])).decode() if size[0] else None

    def facts(self) -> tuple[str, str]:
        """Return (`tls1.3`, Go's name of the cipher suite)."""
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
        """Call a function of OpenSSL's and return its positive result.

        Raises:
            BlockingIOError: It must be called again when the socket is ready.
            TLSEnded: The stream has ended.
            DialError: The peer has sent an alert, or what is no TLS.
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
        """Return received bytes, at most one record's; b"" at the end.

        Raises:
            BlockingIOError: There are none yet.
            DialError, OSError: The connection is broken.
        """
        try:
            count = self._call(lib.SSL_read, self._buffer, min(size, _READ_BYTES))
        except TLSEnded:
            if was_reset(self.sock):  # OpenSSL takes a reset for an end
                raise ConnectionResetError(errno.ECONNRESET, "") from None
            return b""
        except Untrusted as error:  # in a renegotiation
            raise DialError(f"tls: {error}") from None
        return bytes(ffi.buffer(self._buffer, count))

    def write_now(self, data: bytes | memoryview) -> int:
        """Encrypt and send bytes; return the count of those that were taken.

        Raises:
            BlockingIOError: None was taken; the same bytes must be written again.
            OSError: The connection is broken.
        """
        if not data:
            return 0
        try:
            return self._call(lib.SSL_write, ffi.from_buffer(data), min(len(data), _MOST_BYTES))
        except (TLSEnded, DialError, Untrusted):  # the next read says why
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None

    # -- parking the greenlet ----------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait until OpenSSL can go on."""
        (wait_read if lib.SSL_want_read(self._ssl) else wait_write)(self.fileno())

    def recv(self, size: int) -> bytes:
        """Return received bytes; b"" at the end. Raises DialError, OSError."""
        while True:
            try:
                return self.read_now(size)
            except BlockingIOError:
                self._wait()

    def sendall(self, data: bytes) -> None:
        """Send bytes. Raises DialError, OSError."""
        left = memoryview(data)
        while left:
            try:
                left = left[self.write_now(left) :]
            except BlockingIOError:
                self._wait()

    def shake_hands(self) -> None:
        """Do the handshake. Raises Untrusted, OSError, TLSRecordError, DialError."""
        header = b""
        lib.SSL_set_connect_state(self._ssl)
        while True:
            try:
                self._call(lib.SSL_do_handshake)
                return
            except BlockingIOError:
                self._wait()
                if not header:  # OpenSSL does not say what it was that is no TLS
                    header = socket_below(self.sock).recv(_HEADER_BYTES, plain.MSG_PEEK)
                    _check_header(header)
            except TLSEnded:
                raise _broken_off(header) from None
            except TLSRecordError:
                if header:
                    raise
                # It has come at once.
                rest = socket_below(self.sock).recv(2, plain.MSG_PEEK | plain.MSG_DONTWAIT)
                raise TLSRecordError(NO_TLS, is_http=rest == b"1.") from None


def _check_header(header: bytes) -> None:
    """Refuse bytes that cannot be the first record of a server, as Go does. Raises TLSRecordError."""
    if len(header) < _HEADER_BYTES:
        return
    if header[0] not in (_ALERT, _HANDSHAKE) or header[1] >= 0x10:
        raise TLSRecordError(NO_TLS, is_http=header == b"HTTP/")
    size = int.from_bytes(header[3:], "big")
    if size > _MAX_RECORD_BYTES:
        raise TLSRecordError(f"tls: oversized record received with length {size}")


def _broken_off(header: bytes) -> DialError:
    """Return the error of a stream that has ended in the handshake, by what came first."""
    return DialError("unexpected EOF" if header and header[0] != _ALERT else "EOF")


def _error_of(kind: int, number: int, problem: Problem, verify_result: int) -> Exception:
    """Return the error of a call of OpenSSL's.

    Args:
        kind: SSL_ERROR_*, 0 for a broken socket.
        number: The errno.
        problem: OpenSSL's latest error.
        verify_result: The result of the verification: X509_V_ERR_*.
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
    if not problem.text and problem.reason > _ALERTS:
        return TLSAlert(f"remote error: tls: alert({problem.reason - _ALERTS})")
    return explained(problem.text)


def failure_of(data: bytes) -> Exception:
    """Return the error of a handshake of the core's.

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
