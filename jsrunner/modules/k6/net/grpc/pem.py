"""Certificates and keys that scripts give as PEM, checked with the words of Go's crypto/tls."""

from __future__ import annotations

import re
import warnings
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*\n(.*?)-----END \1-----", re.DOTALL)
_PAIR: Final = "failed to append certificate from PEM: "


class PEMError(Exception):
    """A text is not the PEM that it should be."""


def checked_authority(index: int, text: str) -> str:
    """Return the certificates of authorities that a text has. Raises PEMError if there are none."""
    blocks = []
    for match in _BLOCK.finditer(text):
        if match[1] == "CERTIFICATE":
            try:
                x509.load_pem_x509_certificate(match[0].encode())
            except ValueError:
                continue
            blocks.append(match[0])
    if not blocks:
        raise PEMError(f"failed to append ca certificate [{index}] from PEM")
    return "\n".join(blocks)


def decrypted(text: str, password: str) -> str:
    """Return an encrypted key of the old form, opened. Raises PEMError."""
    match = _BLOCK.search(text)
    if match is None:
        raise PEMError("failed to decode PEM key")
    if match[1] == "ENCRYPTED PRIVATE KEY":
        raise PEMError("encrypted pkcs8 formatted key is not supported")
    if "DEK-Info:" not in match[2]:
        raise PEMError("x509: no DEK-Info header in block")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = serialization.load_pem_private_key(match[0].encode(), password.encode())
    except (ValueError, TypeError):
        raise PEMError("x509: decryption password incorrect") from None
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def checked_pair(certificate: str, key: str) -> str:
    """Return the key of a certificate. Raises PEMError if they are none, or do not fit."""
    certificates = _blocks(certificate, "certificate")
    keys = _blocks(key, "key")
    try:
        public = x509.load_pem_x509_certificate(certificates[0].encode()).public_key()
    except ValueError as error:
        raise PEMError(f"{_PAIR}x509: malformed certificate: {error}") from None
    try:
        private = serialization.load_pem_private_key(keys[0].encode(), None)
    except (ValueError, TypeError):
        raise PEMError(f"{_PAIR}tls: failed to parse private key") from None
    raw = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*raw) != private.public_key().public_bytes(*raw):
        raise PEMError(f"{_PAIR}tls: private key does not match public key")
    return keys[0]


def _is_certificate(kind: str) -> bool:
    return kind == "CERTIFICATE"


def _is_key(kind: str) -> bool:
    return kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY")


def _blocks(text: str, kind: str) -> list[str]:
    """Return the blocks of a kind. Raises PEMError if there are none."""
    kinds = []
    blocks = []
    for match in _BLOCK.finditer(text):
        kinds.append(match[1])
        wanted = _is_certificate(match[1]) if kind == "certificate" else _is_key(match[1])
        if wanted:
            blocks.append(match[0])
    if blocks:
        return blocks
    if not kinds:
        raise PEMError(f"{_PAIR}tls: failed to find any PEM data in {kind} input")
    listed = " ".join(kinds)
    if kind == "certificate":
        reason = (
            'find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the '
            f"following types: [{listed}]"
        )
        if len(kinds) == 1 and _is_key(kinds[0]):
            reason = (
                "find certificate PEM data in certificate input, but did find a private key; PEM "
                "inputs may have been switched"
            )
        raise PEMError(f"{_PAIR}tls: failed to {reason}")
    if len(kinds) == 1 and _is_certificate(kinds[0]):
        reason = "found a certificate rather than a key in the PEM for the private key"
        raise PEMError(f"{_PAIR}tls: {reason}")
    raise PEMError(
        f'{_PAIR}tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{listed}]"
    )
