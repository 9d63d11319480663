"""TLS of connections: contexts for a run's options, and the handshake, which fails in Go's words."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
from typing import TYPE_CHECKING, Final

from gevent.socket import wait_read, wait_write

from jsrunner.transport.certificates import UNKNOWN_AUTHORITY
from jsrunner.transport.errors import DialError, TLSAlert, TLSRecordError
from jsrunner.transport.tls_names import (
    DEFAULT_SUITES,
    GO_SUITES,
    NO_SUITE,
    SUITES,
    alert_text,
    certificate_for,
)
from jsrunner.transport.wire import socket_below, tls_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.options.certificates import ClientCertificate
    from jsrunner.options.model import Options
    from jsrunner.transport.wire import TLSObject

_VERSIONS: Final = {
    "tls1.0": ssl.TLSVersion.TLSv1,
    "tls1.1": ssl.TLSVersion.TLSv1_1,
    "tls1.2": ssl.TLSVersion.TLSv1_2,
    "tls1.3": ssl.TLSVersion.TLSv1_3,
}

# A TLS record (RFC 8446, section 5.1).
_HEADER_BYTES: Final = 5
_ALERT_BYTES: Final = 7
_MAX_RECORD_BYTES: Final = 16384 + 2048
_ALERT, _HANDSHAKE = 21, 22
_NO_TLS: Final = "tls: first record does not look like a TLS handshake"


class Untrusted(Exception):
    """The server's certificate was refused."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        #: OpenSSL's X509_V_ERR_*.
        self.code = code
        self.detail = detail

    @property
    def is_of_issuer(self) -> bool:
        """True if no trusted authority has issued the certificate."""
        return self.code in UNKNOWN_AUTHORITY


class TLS:
    """The TLS contexts of a process. Making a context takes milliseconds, so they are kept."""

    def __init__(
        self, options: Options, environment: Mapping[str, str], authorities: Sequence[str] = ()
    ) -> None:
        """Make no context yet.

        Args:
            options: The run's options.
            environment: Variables of the environment: SSL_CERT_FILE, SSL_CERT_DIR, SSLKEYLOGFILE.
            authorities: Certificates (PEM) that are trusted besides the system's.
        """
        self._authorities = authorities
        self._verifies = not options.insecure_skip_tls_verify
        self._versions = options.tls_version or (None, None)
        self._suites = options.tls_cipher_suites
        self._certificates: Sequence[ClientCertificate] = options.tls_auth or ()
        self._environment = environment
        self._contexts: dict[tuple[int | None, tuple[str, ...]], ssl.SSLContext] = {}
        #: Certificates of authorities between servers' and trusted ones, as PEM (see `aia`).
        self._intermediates: list[str] = []

    def handshake(
        self, sock: socket.socket, host: str, alpn: tuple[str, ...], *, verify: bool = True
    ) -> ssl.SSLSocket:
        """Speak TLS on a connected gevent socket.

        Args:
            sock: The connection.
            host: The name that the certificate must have.
            alpn: Protocols to offer, the preferred protocol first.
            verify: False to take any certificate.

        Returns:
            The TLS socket.

        Raises:
            Untrusted, DialError, OSError: the socket is closed.
        """
        context = self._context(host, alpn) if verify else self._new_context()
        secure = None
        try:
            secure = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            _shake_hands(secure)
        except BaseException as error:
            (secure or sock).close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise Untrusted(error.verify_code, error.verify_message) from None
            if isinstance(error, ssl.SSLError):
                raise explained(error, host) from None
            raise
        return secure

    @property
    def intermediate_count(self) -> int:
        """Count of known intermediate certificates."""
        return len(self._intermediates)

    def add_intermediates(self, certificates: Sequence[str]) -> None:
        """Let chains be completed by these certificates (PEM) from now on."""
        added = [certificate for certificate in certificates if certificate not in self._intermediates]
        if added:
            self._intermediates += added
            self._contexts.clear()

    def take_intermediates(self, other: TLS) -> None:
        """Let chains be completed by what completes those of other contexts."""
        if other is not self:
            self.add_intermediates(other._intermediates)

    def _context(self, host: str, alpn: tuple[str, ...]) -> ssl.SSLContext:
        certificate = certificate_for(host, self._certificates)
        key = (certificate, alpn)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = self._new_context()
            if self._verifies:
                self._trust(context)
            if alpn:
                context.set_alpn_protocols(list(alpn))
            if certificate is not None:
                _load_certificate(context, self._certificates[certificate])
        return context

    def _new_context(self) -> ssl.SSLContext:
        """Return a context that takes any certificate."""
        from gevent.ssl import SSLContext

        context: ssl.SSLContext = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        lowest, highest = self._versions
        context.minimum_version = _VERSIONS[lowest or "tls1.2"]
        if highest:
            context.maximum_version = _VERSIONS[highest]
        suites = [SUITES[name] for name in self._suites or () if name in SUITES]
        if self._suites and not suites:  # of older protocols none that OpenSSL has
            suites = [NO_SUITE]
        # Level 1 takes keys that Go takes; OpenSSL speaks TLS 1.0 and 1.1 only at level 0.
        level = 1 if (lowest or "tls1.2") >= "tls1.2" else 0
        context.set_ciphers(":".join([*(suites or DEFAULT_SUITES), f"@SECLEVEL={level}"]))
        if key_log := self._environment.get("SSLKEYLOGFILE"):
            context.keylog_filename = key_log
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        """Verify by the system's authorities, or those of SSL_CERT_FILE and SSL_CERT_DIR, as Go."""
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
        context.hostname_checks_common_name = False
        file = self._environment.get("SSL_CERT_FILE")
        folder = self._environment.get("SSL_CERT_DIR")
        if file or folder:
            with contextlib.suppress(OSError):  # then no authority is trusted
                context.load_verify_locations(cafile=file or None, capath=folder or None)
        else:
            context.load_default_certs()
        if self._authorities:
            context.load_verify_locations(cadata="\n".join(self._authorities))
        if self._intermediates:
            context.load_verify_locations(cadata="\n".join(self._intermediates))


def facts(sock: ssl.SSLSocket) -> tuple[str, str]:
    """Return (`tls1.3`, Go's name of the cipher suite) of a TLS socket."""
    cipher, version = sock.cipher(), sock.version()
    assert cipher is not None  # the handshake is over
    assert version is not None
    return "tls" + version.removeprefix("TLSv"), GO_SUITES.get(cipher[0], cipher[0])


def chain(sock: ssl.SSLSocket) -> list[bytes]:
    """Return the certificates that the server has sent, its own first, as DER."""
    encoding = 2  # _ssl.ENCODING_DER; from Python 3.13 on they are bytes
    return [
        certificate if isinstance(certificate, bytes) else certificate.public_bytes(encoding)
        for certificate in _tls_of(sock).get_unverified_chain() or ()
    ]


def _tls_of(sock: ssl.SSLSocket) -> TLSObject:
    tls = tls_below(sock)
    assert tls is not None
    return tls


def _shake_hands(sock: ssl.SSLSocket) -> None:
    """Shake hands, and park the greenlet meanwhile. Raises OSError, TLSRecordError, DialError."""
    tls, below = _tls_of(sock), socket_below(sock)
    header = b""  # and an alert, if it is one
    while True:
        try:
            tls.do_handshake()
            return
        except ssl.SSLWantReadError:
            wait_read(sock.fileno())
            if not header:  # OpenSSL does not say what it was that is no TLS
                header = below.recv(_ALERT_BYTES, socket.MSG_PEEK)
                _check_header(header[:_HEADER_BYTES])
        except ssl.SSLWantWriteError:
            wait_write(sock.fileno())
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            has_begun = header and header[0] != _ALERT
            raise DialError("unexpected EOF" if has_begun else "EOF") from None
        except ssl.SSLError as error:
            if error.reason is None and len(header) == _ALERT_BYTES and header[0] == _ALERT:
                raise TLSAlert(f"remote error: tls: alert({header[-1]})") from None
            if not header and "WRONG_VERSION_NUMBER" in str(error):  # it has come at once
                rest = below.recv(2, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                raise TLSRecordError(_NO_TLS, is_http=rest == b"1.") from None
            raise


def _check_header(header: bytes) -> None:
    """Refuse bytes that cannot be the first record of a server, as Go does. Raises TLSRecordError."""
    if len(header) < _HEADER_BYTES:
        return
    if header[0] not in (_ALERT, _HANDSHAKE) or header[1] >= 0x10:
        raise TLSRecordError(_NO_TLS, is_http=header == b"HTTP/")
    size = int.from_bytes(header[3:], "big")
    if size > _MAX_RECORD_BYTES:
        raise TLSRecordError(f"tls: oversized record received with length {size}")


def explained(error: ssl.SSLError, host: str) -> DialError:
    """Return the error of a failed handshake with the host, in Go's words."""
    from jsrunner.transport import certificates

    if isinstance(error, ssl.SSLCertVerificationError):
        return certificates.refusal(error.verify_code, error.verify_message, host, [])
    if isinstance(error, ssl.SSLEOFError):
        return DialError("EOF")
    text = str(error)
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        return TLSRecordError(_NO_TLS)
    alert = alert_text(text)
    if alert is not None:
        return TLSAlert(alert)
    return DialError(f"tls: {(error.reason or text).replace('_', ' ').lower()}")


def _load_certificate(context: ssl.SSLContext, entry: ClientCertificate) -> None:
    # OpenSSL reads client certificates from files only.
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        for path, text in ((certificate, entry["cert"]), (key, entry["key"])):
            with open(path, "w", encoding="ascii") as file:
                os.chmod(path, 0o600)
                file.write(text)
        try:
            context.load_cert_chain(certificate, key, entry.get("password") or None)
        except (ssl.SSLError, OSError) as error:
            raise DialError(f"tls: {error}") from None
