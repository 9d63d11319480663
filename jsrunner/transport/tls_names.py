"""Go's names of cipher suites and Go's texts of TLS errors, by those of OpenSSL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jsrunner.transport.errors import DialError, TLSAlert, TLSRecordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.options.certificates import ClientCertificate

#: OpenSSL's names of cipher suites by Go's. As in Go, suites of TLS 1.3 cannot be chosen.
SUITES: Final = {
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
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
}

#: A suite that needs a pre-shared key. There is none, so no server agrees to this suite alone.
NO_SUITE: Final = "PSK-AES128-CBC-SHA"

#: Go's names by OpenSSL's. Suites of TLS 1.3 have the same name in both.
GO_SUITES: Final = {openssl: go for go, openssl in SUITES.items()}

#: Suites that Go offers for TLS 1.2 by default, in its order.
DEFAULT_SUITES: Final = tuple(
    SUITES[f"TLS_ECDHE_{key}_WITH_{cipher}"]
    for cipher in (
        "AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305", "AES_128_CBC_SHA",
        "AES_256_CBC_SHA",
    )
    for key in ("ECDSA", "RSA")
)  # fmt: skip

#: OpenSSL's texts of alerts; from version 4 on they begin with `tls alert`.
_ALERT: Final = re.compile(
    r"(?:(?:tlsv1|tlsv13|sslv3|ssl/tls)[ _](?:alert[ _])?|\btls alert )([a-z_ ]+)"
)

#: TLS alerts (RFC 8446, section 6) by OpenSSL's names where Go's differ.
_ALERTS: Final = {
    "protocol version": "protocol version not supported",
    "insufficient security": "insufficient security level",
    "unknown ca": "unknown certificate authority",
    "decrypt error": "error decrypting message",
    "decode error": "error decoding message",
    "bad record mac": "bad record MAC",
    "certificate unknown": "unknown certificate",
    "certificate expired": "expired certificate",
    "certificate revoked": "revoked certificate",
    "user cancelled": "user canceled",
    "unknown psk identity": "unknown PSK identity",
}


#: OpenSSL's texts of errors for which this end sends alerts. Go decrypts a record before it looks at
#: its type, unlike OpenSSL.
_LOCAL: Final = {
    "decryption failed or bad record mac": "bad record MAC",
    "cipher operation failed": "bad record MAC",
    "bad record type": "bad record MAC",
    "unexpected message": "unexpected message",
    "length mismatch": "error decoding message",
}
#: Number of the alert for which OpenSSL has no name (RFC 9849, section 5).
_ECH_REQUIRED: Final = 121

#: Go's text for a server that does not speak TLS.
NO_TLS: Final = "tls: first record does not look like a TLS handshake"


def certificate_for(host: str, certificates: Sequence[ClientCertificate]) -> int | None:
    """Return the index of the client certificate (option tlsAuth) for a host."""
    return next(
        (
            number
            for number, entry in enumerate(certificates)
            if _matches(host, entry.get("domains") or ())
        ),
        None,
    )


def _matches(host: str, domains: Sequence[str]) -> bool:
    if not domains:
        return True
    return any(
        host == domain or (domain.startswith("*.") and host.partition(".")[2] == domain[2:])
        for domain in domains
    )


def alert_text(text: str) -> str | None:
    """Return Go's text of a TLS alert from the peer, by OpenSSL's text; None for other errors."""
    if "no ciphers available" in text:  # OpenSSL fails before it asks the peer
        return "remote error: tls: handshake failure"
    match = _ALERT.search(text.lower())
    if match is None:
        return None
    name = match[1].replace("_", " ").strip()
    return "remote error: tls: " + _ALERTS.get(name, name)


def unnamed_alert(number: int) -> str:
    """Return Go's name of a TLS alert that has no name in OpenSSL.

    Args:
        number: The alert's number (RFC 8446, section 6).
    """
    return "encrypted client hello required" if number == _ECH_REQUIRED else f"alert({number})"


def tls_error(text: str) -> DialError:
    """Return the error with Go's text for OpenSSL's text in lower case."""
    if "wrong version number" in text or "record layer" in text:
        return TLSRecordError(NO_TLS)
    if text in _LOCAL:
        return TLSAlert(f"local error: tls: {_LOCAL[text]}")
    alert = alert_text(text)
    return DialError(f"tls: {text}") if alert is None else TLSAlert(alert)
