"""TLS of connections: one context per worker, Go's texts for what fails."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from typing import TYPE_CHECKING, Any, Final

from jsrunner.transport.errors import DialError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSIONS: Final = {
    "tls1.0": ssl.TLSVersion.TLSv1,
    "tls1.1": ssl.TLSVersion.TLSv1_1,
    "tls1.2": ssl.TLSVersion.TLSv1_2,
    "tls1.3": ssl.TLSVersion.TLSv1_3,
}

#: Go's names of cipher suites -> OpenSSL's. TLS 1.3 suites cannot be chosen, there as here.
_SUITES: Final = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}

_UNKNOWN_AUTHORITY: Final = (18, 19, 20, 21)  # X509_V_ERR_*: self-signed, unknown issuer
_EXPIRED: Final = (9, 10)
_HOST_MISMATCH: Final = (62, 64)

_VERIFY: Final = "tls: failed to verify certificate: x509: "


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
        certificate = next(
            (
                number
                for number, one in enumerate(self._certificates)
                if _matches(host, one.get("domains") or ())
            ),
            None,
        )
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
            names = [_SUITES[name] for name in self._suites if name in _SUITES]
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


def _matches(host: str, domains: Sequence[str]) -> bool:
    if not domains:
        return True
    return any(
        host == one or (one.startswith("*.") and host.partition(".")[2] == one[2:]) for one in domains
    )


def error_text(error: Exception, host: str, is_address: bool, certificate: str) -> str:
    """What Go says of a failed TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _UNKNOWN_AUTHORITY:
            return _VERIFY + "certificate signed by unknown authority"
        if code in _EXPIRED:
            return _VERIFY + "certificate has expired or is not yet valid"
        if code in _HOST_MISMATCH:
            if is_address:
                return (
                    f"{_VERIFY}cannot validate certificate for {host} because it doesn't contain "
                    "any IP SANs"
                )
            names = certificate or "other names"
            return f"{_VERIFY}certificate is valid for {names}, not {host}"
        return _VERIFY + error.verify_message
    if isinstance(error, ssl.SSLEOFError):
        return "EOF"
    text = str(error)
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "RECORD_LAYER" in text:
        return "tls: first record does not look like a TLS handshake"
    alert = re.search(r"(?:TLSV1|SSLV3|TLSV13)_ALERT_(\w+)", text)
    if alert:
        return "remote error: tls: " + alert[1].replace("_", " ").lower()
    return f"tls: {getattr(error, 'reason', None) or text}"
