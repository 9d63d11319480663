"""Client certificates and their keys in PEM."""

from __future__ import annotations

import re

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from jsrunner.options.certificates import check_pair

AUTHORITY = trustme.CA()
ISSUED = AUTHORITY.issue_cert("client")
CERTIFICATE = ISSUED.cert_chain_pems[0].bytes().decode()
KEY = ISSUED.private_key_pem.bytes().decode()
OTHER_KEY = AUTHORITY.issue_cert("other").private_key_pem.bytes().decode()


def _pem(key: object, encryption: KeySerializationEncryption, format: PrivateFormat) -> str:
    assert hasattr(key, "private_bytes")
    text: bytes = key.private_bytes(Encoding.PEM, format, encryption)
    return text.decode()


RSA_KEY = _pem(rsa.generate_private_key(65537, 2048), NoEncryption(), PrivateFormat.PKCS8)
ENCRYPTED = _pem(
    load_pem_private_key(KEY.encode(), None),
    BestAvailableEncryption(b"secret"),
    PrivateFormat.TraditionalOpenSSL,
)
BROKEN = "-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n"


@pytest.mark.parametrize(
    ("certificate", "key", "password"),
    [
        (CERTIFICATE, KEY, None),
        (f"Subject: client\n{CERTIFICATE}{AUTHORITY.cert_pem.bytes().decode()}", f"\n{KEY}", None),
        (KEY + CERTIFICATE, CERTIFICATE + KEY, None),
        (CERTIFICATE.replace("\n", "\r\n"), KEY, None),
        (CERTIFICATE, ENCRYPTED, "secret"),
        (CERTIFICATE, KEY, "needless"),
    ],
)
def test_pairs(certificate: str, key: str, password: str | None) -> None:
    check_pair(certificate, key, password)


@pytest.mark.parametrize(
    ("certificate", "key", "password", "text"),
    [
        ("./client.pem", KEY, None, "tls: failed to find any PEM data in certificate input"),
        (CERTIFICATE, "./client.key", None, "tls: failed to find any PEM data in key input"),
        (
            KEY, CERTIFICATE, None,
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
            "PEM inputs may have been switched",
        ),
        (
            CERTIFICATE, CERTIFICATE, None,
            "tls: found a certificate rather than a key in the PEM for the private key",
        ),
        (
            BROKEN.format("X") + BROKEN.format("Y Z"), KEY, None,
            'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks '
            "of the following types: [X Y Z]",
        ),
        (
            CERTIFICATE, BROKEN.format("X") + CERTIFICATE, None,
            'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping '
            "PEM blocks of the following types: [X CERTIFICATE]",
        ),
        (BROKEN.format("CERTIFICATE"), KEY, None, "x509: malformed certificate"),
        (CERTIFICATE, BROKEN.format("PRIVATE KEY"), None, "tls: failed to parse private key"),
        (CERTIFICATE, ENCRYPTED, None, "tls: failed to parse private key"),
        (CERTIFICATE, ENCRYPTED, "wrong", "x509: decryption password incorrect"),
        (CERTIFICATE, OTHER_KEY, None, "tls: private key does not match public key"),
        (CERTIFICATE, RSA_KEY, None, "tls: private key type does not match public key type"),
    ],
)  # fmt: skip
def test_what_is_no_pair(certificate: str, key: str, password: str | None, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        check_pair(certificate, key, password)
