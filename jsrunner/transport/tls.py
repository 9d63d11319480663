"""TLS contexts for a run's options, and TLS handshakes, whose errors have Go's texts."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Final

from jsrunner.core.binding import TLSTarget
from jsrunner.transport.addresses import literal
from jsrunner.transport.errors import DialError
from jsrunner.transport.names import to_ascii
from jsrunner.transport.openssl import (
    certificates_of,
    core_functions,
    ffi,
    key_of,
    lib,
    take_problem,
)
from jsrunner.transport.tls_names import DEFAULT_SUITES, NO_SUITE, SUITES, certificate_for
from jsrunner.transport.tls_socket import TLSSocket

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from jsrunner.options.certificates import ClientCertificate
    from jsrunner.options.model import Options

_VERSIONS: Final = {
    "tls1.0": lib.TLS1_VERSION,
    "tls1.1": lib.TLS1_1_VERSION,
    "tls1.2": lib.TLS1_2_VERSION,
    "tls1.3": lib.TLS1_3_VERSION,
}
#: An end of the stream without close_notify is no error, as in Go's net/http.
_OPTIONS: Final = (
    (lib.SSL_OP_ALL & ~lib.SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS)
    | lib.SSL_OP_NO_COMPRESSION
    | lib.SSL_OP_IGNORE_UNEXPECTED_EOF
)
_MODE: Final = (
    lib.SSL_MODE_ENABLE_PARTIAL_WRITE
    | lib.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    | lib.SSL_MODE_AUTO_RETRY
    | lib.SSL_MODE_RELEASE_BUFFERS
)
_HOST_FLAGS: Final = lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | lib.X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
#: Files of the system's trusted authorities: Debian and Alpine, Fedora, openSUSE, RHEL, the BSDs.
_SYSTEM_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_SYSTEM_FOLDERS: Final = ("/etc/ssl/certs", "/etc/pki/tls/certs")
#: Contexts (SSL_CTX) by their addresses. The core's recipes hold these addresses, so the contexts live
#: as long as the process.
_lent: Final[dict[int, Any]] = {}


class TLS:
    """The TLS contexts of a process. Making a context takes milliseconds, so they are kept."""

    def __init__(
        self, options: Options, environment: Mapping[str, str], authorities: Sequence[str] = ()
    ) -> None:
        """Store the options. Contexts are made on first need.

        Args:
            options: The run's options.
            environment: Variables of the environment: SSL_CERT_FILE, SSL_CERT_DIR, SSLKEYLOGFILE.
            authorities: Trusted certificates (PEM) in addition to the system's.
        """
        self._authorities = authorities
        self._verifies = not options.insecure_skip_tls_verify
        self._versions = options.tls_version or (None, None)
        self._suites = options.tls_cipher_suites
        self._certificates: Sequence[ClientCertificate] = options.tls_auth or ()
        self._environment = environment
        #: Contexts (SSL_CTX) by the index of the client certificate and the protocols to offer.
        self._contexts: dict[tuple[int | None, tuple[str, ...]], Any] = {}
        #: Certificates (PEM) between a server's certificate and a trusted one (see `aia`).
        self._intermediates: list[str] = []
        #: OpenSSL's callback for SSLKEYLOGFILE, made on first need.
        self._key_logger: Any = None

    def handshake(
        self, sock: socket.socket, host: str, alpn: tuple[str, ...], *, verify: bool = True
    ) -> TLSSocket:
        """Do the TLS handshake on a connected gevent socket.

        Args:
            sock: The connection. It is closed if the handshake fails.
            host: The name or the address that the certificate must have.
            alpn: Protocols to offer, the preferred protocol first.
            verify: False to accept any certificate.

        Returns:
            The TLS socket.

        Raises:
            Untrusted: The certificate was refused.
            DialError: The server has sent an alert, or bytes that are no TLS.
            OSError: The connection is broken.
        """
        try:
            context = self._context(host, alpn) if verify else self._new_context()
            ssl = ffi.gc(lib.SSL_new(context), lib.SSL_free)
            _expect(ssl, host)
            secure = TLSSocket(sock, ssl)
            secure.shake_hands()
        except BaseException:
            sock.close()
            raise
        return secure

    def target(self, host: str, alpn: tuple[str, ...]) -> TLSTarget:
        """Return the core's parameters for TLS with a host (struct tls_target).

        Args:
            host: The name or the address that the certificate must have.
            alpn: Protocols to offer, the preferred protocol first.

        Raises:
            DialError: No server can have the name, or the client certificate cannot be loaded.
            OSError: The file of SSLKEYLOGFILE cannot be opened.
        """
        context = self._context(host, alpn)
        number = int(ffi.cast("uintptr_t", context))
        _lent[number] = context
        name, address = _names_of(host)
        target = TLSTarget(ctypes.addressof(core_functions), number)
        target.name, target.name_size = name, len(name)
        target.address[: len(address)] = address
        target.address_size = len(address)
        return target

    @property
    def intermediate_count(self) -> int:
        """Count of known intermediate certificates."""
        return len(self._intermediates)

    def add_intermediates(self, certificates: Sequence[str]) -> None:
        """Add certificates (PEM) that complete the chains of servers from now on."""
        added = [certificate for certificate in certificates if certificate not in self._intermediates]
        if added:
            self._intermediates += added
            self._contexts.clear()

    def take_intermediates(self, other: TLS) -> None:
        """Add the intermediate certificates of another object."""
        if other is not self:
            self.add_intermediates(other._intermediates)

    def _context(self, host: str, alpn: tuple[str, ...]) -> Any:
        certificate = certificate_for(host, self._certificates)
        key = (certificate, alpn)
        context = self._contexts.get(key)
        if context is None:
            context = self._new_context()
            if self._verifies:
                self._trust(context)
            if alpn:
                names = b"".join(bytes([len(name)]) + name.encode() for name in alpn)
                lib.SSL_CTX_set_alpn_protos(context, names, len(names))
            if certificate is not None:
                _load_certificate(context, self._certificates[certificate])
            self._contexts[key] = context
        return context

    def _new_context(self) -> Any:
        """Return a context that takes any certificate."""
        context = ffi.gc(lib.SSL_CTX_new(lib.TLS_client_method()), lib.SSL_CTX_free)
        lib.SSL_CTX_set_options(context, _OPTIONS)
        lib.SSL_CTX_set_mode(context, _MODE)
        lowest, highest = self._versions
        lib.SSL_CTX_set_min_proto_version(context, _VERSIONS[lowest or "tls1.2"])
        if highest:
            lib.SSL_CTX_set_max_proto_version(context, _VERSIONS[highest])
        suites = [SUITES[name] for name in self._suites or () if name in SUITES]
        if self._suites and not suites:  # of older protocols none that OpenSSL has
            suites = [NO_SUITE]
        # Level 1 takes keys that Go takes; OpenSSL speaks TLS 1.0 and 1.1 only at level 0.
        level = 1 if (lowest or "tls1.2") >= "tls1.2" else 0
        names = ":".join([*(suites or DEFAULT_SUITES), f"@SECLEVEL={level}"])
        if not lib.SSL_CTX_set_cipher_list(context, names.encode()):
            raise DialError(f"tls: {take_problem().text}")
        if path := self._environment.get("SSLKEYLOGFILE"):
            self._log_keys(context, path)
        return context

    def _log_keys(self, context: Any, path: str) -> None:
        """Write the keys of the context's connections to a file. Raises OSError."""
        if self._key_logger is None:
            from jsrunner.core.binding import attach

            library = attach()
            library.core_tls_log_keys(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            address = ctypes.cast(library.core_tls_log_key, ctypes.c_void_p).value
            self._key_logger = ffi.cast("void(*)(SSL *, char *)", address)
        lib.SSL_CTX_set_keylog_callback(context, self._key_logger)

    def _trust(self, context: Any) -> None:
        """Have a context verify certificates by the trusted authorities.

        As in Go, these are the authorities of SSL_CERT_FILE and SSL_CERT_DIR, else the system's.
        """
        lib.SSL_CTX_set_verify(context, lib.SSL_VERIFY_PEER, ffi.NULL)
        lib.X509_VERIFY_PARAM_set_hostflags(lib.SSL_CTX_get0_param(context), _HOST_FLAGS)
        file = self._environment.get("SSL_CERT_FILE")
        folder = self._environment.get("SSL_CERT_DIR")
        if not (file or folder):
            file = next(filter(os.path.isfile, _SYSTEM_FILES), None)
            folder = ":".join(filter(os.path.isdir, _SYSTEM_FOLDERS))
        for name, is_file in ((file, True), (folder, False)):
            if name:  # if it cannot be read, none of its authorities is trusted
                path = os.fsencode(name)
                lib.SSL_CTX_load_verify_locations(
                    context, path if is_file else ffi.NULL, ffi.NULL if is_file else path
                )
        store = lib.SSL_CTX_get_cert_store(context)
        for certificate in certificates_of("\n".join([*self._authorities, *self._intermediates])):
            lib.X509_STORE_add_cert(store, certificate)
        lib.ERR_clear_error()


def _names_of(host: str) -> tuple[bytes, bytes]:
    """Return the name that a certificate must have, and the packed address, b"" if the host is a name.

    Raises:
        DialError: No server can have the name.
    """
    address = literal(host)
    if address is not None:
        return host.encode(), address.packed
    name = to_ascii(host).encode()
    # OpenSSL would accept any certificate for an empty name, and any subdomain's for a leading dot.
    if name[:1] in (b"", b".") or b"\0" in name:
        raise DialError(f"tls: invalid server name {host!r}")
    return name, b""


def _expect(ssl: Any, host: str) -> None:
    """Set the name that the server is asked for (SNI), and the name or address of its certificate.

    Raises:
        DialError: No server can have the name.
    """
    name, address = _names_of(host)
    param = lib.SSL_get0_param(ssl)
    if address:
        lib.X509_VERIFY_PARAM_set1_ip(param, address, len(address))
    else:
        lib.SSL_set_tlsext_host_name(ssl, name)
        lib.X509_VERIFY_PARAM_set1_host(param, name, len(name))


def _load_certificate(context: Any, entry: ClientCertificate) -> None:
    """Load a client certificate, its key and its chain into a context. Raises DialError."""
    certificates = certificates_of(entry["cert"])
    key = key_of(entry["key"], entry.get("password") or "")
    is_loaded = (
        certificates
        and key is not None
        and lib.SSL_CTX_use_certificate(context, certificates[0])
        and lib.SSL_CTX_use_PrivateKey(context, key)
        and lib.SSL_CTX_check_private_key(context)
    )
    if not is_loaded:
        raise DialError(f"tls: {take_problem().text or 'failed to load the client certificate'}")
    for certificate in certificates[1:]:
        lib.SSL_CTX_add_extra_chain_cert(context, ffi.gc(certificate, None))
