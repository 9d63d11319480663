"""Error texts of Go's crypto/x509 for server certificates that are refused."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

from jsrunner.transport.addresses import literal
from jsrunner.transport.errors import DialError, HostMismatch, UnknownAuthority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

# X509_V_ERR_* of OpenSSL.
#: An issuer that is not known or may not issue: UNABLE_TO_GET_ISSUER_CERT and its like, self-signed
#: certificates, wrong signatures, INVALID_CA.
UNKNOWN_AUTHORITY: Final = (2, 7, 18, 19, 20, 21, 24, 79)
_EXPIRED: Final = (9, 10)
_HOST_MISMATCH: Final = (62, 64)
_REASONS: Final = {
    25: "too many intermediates for path length constraint",
    26: "certificate specifies an incompatible key usage",
    47: 'a root or intermediate certificate is not authorized to sign for this name: DNS name "{}" is '
    "not permitted by any constraint",
    48: 'a root or intermediate certificate is not authorized to sign for this name: DNS name "{}" is '
    "excluded by constraint",
}

_PREFIX: Final = "tls: failed to verify certificate: "
#: Go lists fewer names than this.
_MOST_NAMES: Final = 100


def refusal(
    code: int, detail: str, host: str, chain: Sequence[bytes], prefix: str = _PREFIX
) -> DialError:
    """Return the error of a certificate that was refused.

    Args:
        code: OpenSSL's X509_V_ERR_*.
        detail: OpenSSL's text of the error.
        host: The host that the certificate should be for.
        chain: the server's certificates as DER, its own first; empty if they are not known.
        prefix: The text before the reason.
    """
    if code in UNKNOWN_AUTHORITY:
        return UnknownAuthority(f"{prefix}x509: certificate signed by unknown authority")
    certificates = _parse(chain)
    if code in _HOST_MISMATCH:
        return HostMismatch(f"{prefix}{mismatch(host, certificates[0] if certificates else None)}")
    if code in _EXPIRED:
        short = f"x509: certificate has expired or is not yet valid{_when(certificates)}"
    else:
        names = _names(certificates[0])[0] if certificates else []
        short = f"x509: {_REASONS.get(code, detail).format(*names[:1] or [host])}"
    return DialError(prefix + short, short)


def mismatch(host: str, certificate: Certificate | None) -> str:
    """Return the error of a certificate that is not for `host` (Go's x509.HostnameError)."""
    names, addresses = _names(certificate) if certificate is not None else ([], [])
    if literal(host) is not None:
        if not addresses:
            reason = "because it doesn't contain any IP SANs"
            return f"x509: cannot validate certificate for {host} {reason}"
        valid = addresses
    else:
        if certificate is not None and _common_name(certificate) == host and not (names or addresses):
            return "x509: certificate relies on legacy Common Name field, use SANs instead"
        valid = names
    if not valid:
        return f"x509: certificate is not valid for any names, but wanted to match {host}"
    if len(valid) >= _MOST_NAMES:
        return f"x509: certificate is valid for {len(valid)} names, but none matched {host}"
    return f"x509: certificate is valid for {', '.join(valid)}, not {host}"


def _parse(chain: Sequence[bytes]) -> list[Certificate]:
    from cryptography import x509

    try:
        return [x509.load_der_x509_certificate(encoded) for encoded in chain]
    except ValueError:
        return []


def _names(certificate: Certificate) -> tuple[list[str], list[str]]:
    """Return (DNS names, IP addresses) of a certificate."""
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [], []
    addresses = [str(address) for address in extension.get_values_for_type(x509.IPAddress)]
    return extension.get_values_for_type(x509.DNSName), addresses


def _common_name(certificate: Certificate) -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[-1].value) if names else ""


def _when(certificates: Sequence[Certificate]) -> str:
    """Return Go's text about the first certificate that is expired or not yet valid."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for certificate in certificates:
        for is_wrong, word, limit in (
            (now < certificate.not_valid_before_utc, "before", certificate.not_valid_before_utc),
            (now > certificate.not_valid_after_utc, "after", certificate.not_valid_after_utc),
        ):
            if is_wrong:
                return f": current time {now:%Y-%m-%dT%H:%M:%SZ} is {word} {limit:%Y-%m-%dT%H:%M:%SZ}"
    return ""
