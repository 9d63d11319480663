"""TLS of connections: one context per worker, Go's texts for what fails."""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import TYPE_CHECKING, Any, Final

from jsrunner.transport.errors import DialError
from jsrunner.transport.tls_names import SUITES, alert_text, certificate_for, verification_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSIONS: Final = {
    "tls1.0": ssl.TLSVersion.TLSv1,
    "tls1.1": ssl.TLSVersion.TLSv1_1,
    "tls1.2": ssl.TLSVersion.TLSv1_2,
    "tls1.3": ssl.TLSVersion.TLSv1_3,
}


class TLS:
    """Contexts for the options of a run; which client certificate a host gets."""

    def __init__(
        self,
        *,
        skip_verify: bool,
        versions: tuple[str | None, str | None] | None,
        suites: Sequence[str] | None,
        certificates: Sequence[Mapping[str, Any]] | None,
        environment: Mapping[str, str],
    ) -> None:
        self._skip_verify = skip_verify
        self._versions = versions
        self._suites = suites
        self._certificates = certificates or ()
        self._environment = environment
        self._contexts: dict[tuple[int | None, tuple[str, ...]], ssl.SSLContext] = {}

    def context(self, host: str, alpn: tuple[str, ...]) -> ssl.SSLContext:
        """The context for a host. Making one takes milliseconds, so they are kept."""
        certificate = certificate_for(host, self._certificates)
        key = (certificate, alpn)
        found = self._contexts.get(key)
        if found is None:
            found = self._contexts[key] = self._make(certificate, alpn)
        return found

    def _make(self, certificate: int | None, alpn: tuple[str, ...]) -> ssl.SSLContext:
        from gevent.ssl import SSLContext

        context: ssl.SSLContext = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            self._load_authorities(context)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if self._versions:
            lowest, highest = self._versions
            if lowest:
                context.minimum_version = _VERSIONS[lowest]
            if highest:
                context.maximum_version = _VERSIONS[highest]
        if self._suites:
            names = [SUITES[name] for name in self._suites if name in SUITES]
            if names:
                context.set_ciphers(":".join(names))
        if certificate is not None:
            self._load_certificate(context, self._certificates[certificate])
        return context

    def _load_authorities(self, context: ssl.SSLContext) -> None:
        """The system's, or those of SSL_CERT_FILE and SSL_CERT_DIR, which Go reads too."""
        file = self._environment.get("SSL_CERT_FILE")
        folder = self._environment.get("SSL_CERT_DIR")
        if file or folder:
            try:
                context.load_verify_locations(cafile=file or None, capath=folder or None)
            except (OSError, ssl.SSLError):
                context.load_default_certs()
        else:
            context.load_default_certs()

    @staticmethod
    def _load_certificate(context: ssl.SSLContext, one: Mapping[str, Any]) -> None:
        # OpenSSL reads client certificates from files only.
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
            for path, text in ((certificate, one["cert"]), (key, one["key"])):
                with open(path, "w", encoding="ascii") as file:
                    os.chmod(path, 0o600)
                    file.write(text)
            try:
                context.load_cert_chain(certificate, key, one.get("password") or None)
            except (ssl.SSLError, OSError) as error:
                raise DialError(f"tls: {error}") from None


def error_text(error: Exception, host: str) -> str:
    """What Go says of a failed TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return verification_text(error.verify_code, host, detail=error.verify_message)
    if isinstance(error, ssl.SSLEOFError):
        return "EOF"
    text = str(error)
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "RECORD_LAYER" in text:
        return "tls: first record does not look like a TLS handshake"
    return alert_text(text) or f"tls: {getattr(error, 'reason', None) or text}"
