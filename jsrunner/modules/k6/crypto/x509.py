"""Python half of `k6/crypto/x509`: the fields of certificates, read by the package cryptography."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.bytes import TextOrBytes, bytes_of

_SIGNATURES: Final = {
    SignatureAlgorithmOID.RSA_WITH_MD5: "MD5-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA1: "SHA1-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "SHA256-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "SHA384-RSA",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "SHA512-RSA",
    SignatureAlgorithmOID.DSA_WITH_SHA1: "DSA-SHA1",
    SignatureAlgorithmOID.DSA_WITH_SHA256: "DSA-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: "ECDSA-SHA1",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ECDSA-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ECDSA-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ECDSA-SHA512",
    SignatureAlgorithmOID.ED25519: "Ed25519",
}
_KEYS: Final = (
    (rsa.RSAPublicKey, "RSA"),
    (ec.EllipticCurvePublicKey, "ECDSA"),
    (dsa.DSAPublicKey, "DSA"),
)
#: Errors of the package cryptography for bytes that are no certificate.
_MALFORMED: Final = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip

_BEGIN: Final = re.compile(rb"^-----BEGIN (.*?)-----[ \t\r]*\n", re.MULTILINE)

_END: Final = re.compile(rb"^-----END (.*?)-----[ \t\r]*$", re.MULTILINE)


def _decoded(text: bytes) -> bytes | None:
    """Decode the first block of PEM as Go's encoding/pem does, whatever its type."""
    at = 0
    while (begin := _BEGIN.search(text, at)) is not None:
        end = _END.search(text, begin.end())
        if end is None:
            return None
        at = begin.end()
        if end[1] == begin[1]:
            body = text[at : end.start()]
            headers, empty, rest = body.partition(b"\n\n")
            if empty and b":" in headers:
                body = rest
            with contextlib.suppress(binascii.Error):
                return base64.b64decode(body.translate(None, b" \t\r\n"), validate=True)
    return None


class X509(HostModule):
    """The operations of `k6/crypto/x509`. Certificates come in PEM; HostErrors have k6's texts."""

    specifier = "k6/crypto/x509"

    def _certificate(self, encoded: TextOrBytes) -> x509.Certificate:
        data = _decoded(bytes_of(encoded))
        if data is None:
            raise HostError("failed to decode certificate PEM file")
        try:
            certificate = x509.load_der_x509_certificate(data)
            # These fields are parsed on first access.
            certificate.subject, certificate.issuer, _alt_names(certificate)
        except _MALFORMED:
            raise HostError("failed to parse certificate: x509: malformed certificate") from None
        return certificate

    @operation
    def parse(self, encoded: TextOrBytes) -> dict[str, object]:
        """Return all fields of a certificate. Raises HostError."""
        certificate = self._certificate(encoded)
        try:
            key: object = certificate.public_key()
        except _MALFORMED:
            key = None
        algorithm = next((name for kind, name in _KEYS if isinstance(key, kind)), None)
        if algorithm is None:
            raise HostError("unsupported public key algorithm")
        return {
            "subject": _subject(certificate.subject),
            "issuer": _issuer(certificate.issuer),
            "notBefore": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "notAfter": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "altNames": _alt_names(certificate),
            "signatureAlgorithm": _SIGNATURES.get(
                certificate.signature_algorithm_oid, "UnknownSignatureAlgorithm"
            ),
            "fingerPrint": list(certificate.fingerprint(hashes.SHA1())),
            "publicKey": {"algorithm": algorithm, "key": _numbers(key)},
        }

    @operation
    def alt_names(self, encoded: TextOrBytes) -> list[str]:
        """Return the subject's alternative names. Raises HostError."""
        return _alt_names(self._certificate(encoded))

    @operation
    def issuer(self, encoded: TextOrBytes) -> dict[str, object]:
        """Return the issuer's name. Raises HostError."""
        return _issuer(self._certificate(encoded).issuer)

    @operation
    def subject(self, encoded: TextOrBytes) -> dict[str, object]:
        """Return the subject's name. Raises HostError."""
        return _subject(self._certificate(encoded).subject)


def _numbers(key: object) -> dict[str, str]:
    """Return an RSA key's modulus and exponent, as texts: JSON's numbers are too short for them."""
    if not isinstance(key, rsa.RSAPublicKey):
        return {}
    numbers = key.public_numbers()
    return {"n": str(numbers.n), "e": str(numbers.e)}


def _all(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    return next(iter(_all(name, oid)), "")


def _last(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    return _all(name, oid)[-1] if _all(name, oid) else ""


def _issuer(name: x509.Name) -> dict[str, object]:
    return {
        "commonName": _last(name, NameOID.COMMON_NAME),
        "country": _first(name, NameOID.COUNTRY_NAME),
        "stateOrProvinceName": _first(name, NameOID.STATE_OR_PROVINCE_NAME),
        "localityName": _first(name, NameOID.LOCALITY_NAME),
        "organizationName": _first(name, NameOID.ORGANIZATION_NAME),
        "names": [
            {"type": attribute.oid.dotted_string, "value": str(attribute.value)} for attribute in name
        ],
    }


def _subject(name: x509.Name) -> dict[str, object]:
    return {
        **_issuer(name),
        "postalCode": _first(name, NameOID.POSTAL_CODE),
        "streetAddress": _first(name, NameOID.STREET_ADDRESS),
        "organizationalUnitName": _all(name, NameOID.ORGANIZATIONAL_UNIT_NAME),
    }


def _alt_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    kinds = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)
    return [str(value) for kind in kinds for value in names.get_values_for_type(kind)]
