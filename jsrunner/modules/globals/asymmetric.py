"""Asymmetric keys of the Web Cryptography API: formats, generation, signatures, key agreement.

Everything here imports cryptography. A private key's material is its PKCS #8, a public key's its SPKI
(both DER); keys are parsed once per process, however many VUs use them.
"""

from __future__ import annotations

import functools
from typing import Final, TypeAlias, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import (
    MGF1,
    OAEP,
    PSS,
    AsymmetricPadding,
    PKCS1v15,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from jsrunner.engine.errors import HostError

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
Key: TypeAlias = PrivateKey | PublicKey

CURVES: Final[dict[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
#: The first byte of a point that is not compressed (SEC 1, 2.3.3).
_UNCOMPRESSED: Final = b"\4"
_NO_POINT: Final = ": crypto/ecdh: invalid public key"
CURVE_NAMES: Final = {curve.name: name for name, curve in CURVES.items()}
_HASHES: Final[dict[str, type[hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512]]] = {
    "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
}  # fmt: skip


def hash_object(digest: str) -> hashes.HashAlgorithm:
    """Return a hash by its name in hashlib."""
    return _HASHES[digest]()


def oaep(digest: str, label: bytes | None) -> OAEP:
    """Return the padding of RSA-OAEP (RFC 8017, section 7.1), with the hash for its mask, too."""
    return OAEP(MGF1(hash_object(digest)), hash_object(digest), label)


# -- material --------------------------------------------------------------------------------------


def material(key: Key) -> tuple[str, bytes]:
    """Return a key's material: ("private", PKCS #8) or ("public", SPKI)."""
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return "private", key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    return "public", key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@functools.lru_cache(maxsize=512)
def load_private(data: bytes) -> PrivateKey:
    """Return the private key whose material this is."""
    # jsrunner has made or checked this key: another check of an RSA key would cost 35 ms.
    key = serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    return cast("PrivateKey", key)


@functools.lru_cache(maxsize=512)
def _check_private(data: bytes) -> PrivateKey:
    return cast("PrivateKey", serialization.load_der_private_key(data, None))


@functools.lru_cache(maxsize=512)
def load_public(data: bytes) -> PublicKey:
    """Return the public key whose material this is."""
    return cast("PublicKey", serialization.load_der_public_key(data))


def _ec_private(data: bytes) -> ec.EllipticCurvePrivateKey:
    return cast("ec.EllipticCurvePrivateKey", load_private(data))


def _ec_public(data: bytes) -> ec.EllipticCurvePublicKey:
    return cast("ec.EllipticCurvePublicKey", load_public(data))


def rsa_private(data: bytes) -> rsa.RSAPrivateKey:
    """Return the private RSA key whose material this is."""
    return cast("rsa.RSAPrivateKey", load_private(data))


def rsa_public(data: bytes) -> rsa.RSAPublicKey:
    """Return the public RSA key whose material this is."""
    return cast("rsa.RSAPublicKey", load_public(data))


def is_rsa(key: Key) -> bool:
    """Return True if a key is an RSA key."""
    return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey)


# -- making keys -----------------------------------------------------------------------------------


def ec_generate(curve: str) -> tuple[bytes, bytes]:
    """Return the material of a new private key on a curve and of its public key."""
    key = ec.generate_private_key(CURVES[curve]())
    return material(key)[1], material(key.public_key())[1]


def rsa_generate(bits: int, exponent: int) -> tuple[bytes, bytes]:
    """Return the material of a new private RSA key and of its public key. Raises HostError."""
    try:
        key = rsa.generate_private_key(exponent, bits)
    except (ValueError, OverflowError):
        raise HostError.named("OperationError", "could not generate RSA key pair") from None
    return material(key)[1], material(key.public_key())[1]


def from_bytes(name: str, format: str, data: bytes, curve: str | None) -> Key:
    """Read a key.

    Args:
        name: ECDSA, ECDH or RSA.
        format: raw, spki or pkcs8.
        data: The key in that format.
        curve: The curve of a raw key. In other formats the key names its own.

    Returns:
        The key, which is on P-256, P-384 or P-521 if it is no RSA key.

    Raises:
        HostError: DataError with k6's text.
    """
    kind = "private" if format == "pkcs8" else "public"
    try:
        if format == "raw":
            assert curve is not None
            return _from_point(data, curve)
        key: Key = load_public(data) if format == "spki" else _check_private(data)
        is_known = is_rsa(key) or _curve_name(key) is not None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        is_known = False
    if not is_known:
        # k6 says ECDH of each public key in SPKI.
        named = "ECDH" if format == "spki" and name == "ECDSA" else name
        text = f"unable to import {named} {kind} key data"
        if format != "raw":
            text += f": the data is no {format.upper()} of a known kind of key"
        elif name == "ECDH":
            assert curve is not None
            is_point = data[:1] == _UNCOMPRESSED
            text += f": invalid {curve.replace('-', '')} point encoding" if is_point else _NO_POINT
        raise HostError.named("DataError", text)
    if is_rsa(key) != (name == "RSA"):
        text = f"a {kind} key is not an ECDSA key"
        if name == "RSA":
            text = f"given CryptoKey is not a {kind} RSA key, it's *rsa.{kind.capitalize()}Key"
        raise HostError.named("DataError", text)
    return key


def _from_point(data: bytes, curve: str) -> ec.EllipticCurvePublicKey:
    """Read an uncompressed point. Raises ValueError."""
    if data[:1] != _UNCOMPRESSED:
        raise ValueError("no uncompressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve](), data)


def _curve_name(key: Key) -> str | None:
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return CURVE_NAMES.get(key.curve.name)
    return None


# -- showing keys ----------------------------------------------------------------------------------


def point(data: bytes) -> bytes:
    """Return the uncompressed point of a public EC key."""
    return load_public(data).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


# -- RSA signatures --------------------------------------------------------------------------------


def signature_padding(digest: str, salt_size: int | None) -> AsymmetricPadding:
    """Return the padding of RSA-PSS, or without a salt that of RSASSA-PKCS1-v1_5.

    Args:
        digest: The name of the hash in hashlib.
        salt_size: The number of bytes of the salt, -1 for as many as the hash has.

    Raises:
        ValueError: The size is below -1.
    """
    if salt_size is None:
        return PKCS1v15()
    hash_function = hash_object(digest)
    return PSS(MGF1(hash_function), hash_function.digest_size if salt_size == -1 else salt_size)


# -- using keys on elliptic curves -----------------------------------------------------------------


def ecdsa_sign(data: bytes, digest: str, message: bytes) -> bytes:
    """Return a signature as r and s side by side (IEEE P1363), the format of the Web API."""
    key = _ec_private(data)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hash_object(digest))))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def ecdsa_verify(data: bytes, digest: str, signature: bytes, message: bytes) -> bool:
    """Return True if a signature (IEEE P1363) is that of a message."""
    key = _ec_public(data)
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hash_object(digest)))
    except InvalidSignature:
        return False
    return True


def ecdh(private: bytes, public: bytes) -> bytes:
    """Return the shared secret of two keys on a curve. Raises HostError for two curves."""
    try:
        return _ec_private(private).exchange(ec.ECDH(), _ec_public(public))
    except ValueError:
        raise HostError("crypto/ecdh: private key and public key curves do not match") from None
