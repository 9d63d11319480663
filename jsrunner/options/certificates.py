"""Check of a client certificate and its private key, both in PEM, for the option `tlsAuth`.

The error texts are those of Go's crypto/tls and crypto/x509, which k6 prints.
"""

import re
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_BLOCK: Final = r"(?ms)^-----BEGIN ([A-Z0-9 ]+)-----\s*?\n.*?^-----END \1-----"


class ClientCertificate(TypedDict, total=False):
    """An entry of the option `tlsAuth`, which has been checked: `cert` and `key` are there."""

    #: Certificate and private key in PEM.
    cert: str
    key: str
    #: The password of an encrypted key.
    password: str | None
    #: Host names, `*.` at the start for all subdomains; none for all hosts.
    domains: list[str] | None


def check_pair(certificate: str, key: str, password: str | None) -> None:
    """Check that a client certificate and a private key belong together.

    Args:
        certificate: PEM text. Only its first certificate is looked at.
        key: PEM text. Only its first private key is looked at.
        password: The password of an encrypted key; ignored for any other key.

    Raises:
        ValueError: Either text cannot be parsed, or the key is another certificate's. The text is
            Go's.
    """
    certificate_block = _certificate(certificate)
    key_block = _key(key)

    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        public = load_pem_x509_certificate(certificate_block.encode()).public_key()
    except ValueError:
        raise ValueError("x509: malformed certificate") from None
    private: PrivateKeyTypes
    try:
        # `load_pem_private_key` refuses a password for a key that is not encrypted; Go ignores it.
        is_encrypted = "ENCRYPTED" in key_block
        private = load_pem_private_key(
            key_block.encode(), password.encode() if password and is_encrypted else None
        )
    except (TypeError, ValueError):
        raise ValueError(
            "x509: decryption password incorrect" if password else "tls: failed to parse private key"
        ) from None
    if type(private.public_key()) is not type(public):
        raise ValueError("tls: private key type does not match public key type")
    if private.public_key() != public:
        raise ValueError("tls: private key does not match public key")


def _certificate(text: str) -> str:
    """Return the first certificate block of a PEM text."""
    skipped = []
    for match in re.finditer(_BLOCK, text):
        if match[1] == "CERTIFICATE":
            return match[0]
        skipped.append(match[1])
    if not skipped:
        raise ValueError("tls: failed to find any PEM data in certificate input")
    if len(skipped) == 1 and skipped[0].endswith("PRIVATE KEY"):
        raise ValueError(
            "tls: failed to find certificate PEM data in certificate input, but did find a private "
            "key; PEM inputs may have been switched"
        )
    raise ValueError(
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of '
        f"the following types: [{' '.join(skipped)}]"
    )


def _key(text: str) -> str:
    """Return the first private key block of a PEM text."""
    skipped = []
    for match in re.finditer(_BLOCK, text):
        if match[1] == "PRIVATE KEY" or match[1].endswith(" PRIVATE KEY"):
            return match[0]
        skipped.append(match[1])
    if not skipped:
        raise ValueError("tls: failed to find any PEM data in key input")
    if skipped == ["CERTIFICATE"]:
        raise ValueError("tls: found a certificate rather than a key in the PEM for the private key")
    raise ValueError(
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping '
        f"PEM blocks of the following types: [{' '.join(skipped)}]"
    )
