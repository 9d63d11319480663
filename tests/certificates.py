"""Certificates with everything that can be wrong with them, and chains with links that can be fetched."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from pathlib import Path

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def configure(self, context: ssl.SSLContext, folder: Path, *others: Issued) -> None:
        """Let a server send this certificate, and those of others behind it."""
        path = folder / f"{self.certificate.serial_number}.pem"
        path.write_bytes(b"".join([self.key_pem, self.pem, *(one.pem for one in others)]))
        context.load_cert_chain(path)


def issue(
    names: Sequence[str] = (),
    *,
    by: Issued | None = None,
    is_authority: bool = False,
    common_name: str = "",
    begins: datetime.datetime = NOW - DAY,
    ends: datetime.datetime = NOW + DAY,
    issuers_at: Sequence[str] = (),
) -> Issued:
    """Issue a certificate.

    Args:
        names: DNS names and IP addresses that it is for.
        by: who issues it; None: it itself.
        issuers_at: URLs of its issuer's certificate.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or "somebody")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    if issuers_at:
        access = x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(one)
                )
                for one in issuers_at
            ]
        )
        builder = builder.add_extension(access, critical=False)
    signer = by.key if by else key
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def _general_name(name: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
