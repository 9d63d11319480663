"""Asymmetric keys of the Web Cryptography API: their formats, and what is done with them.

Everything here imports cryptography. A private key's material is its PKCS #8, a public key's its SPKI
(both DER); keys are parsed once per process, however many VUs use them.
"""

from __future__ import annotations

import base64
import binascii
import functools
from typing import Any, Final, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from jsrunner.engine.interpreter import HostError

Key = ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey | rsa.RSAPrivateKey | rsa.RSAPublicKey

_CURVES: Final[dict[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
_CURVE_NAMES: Final = {curve.name: name for name, curve in _CURVES.items()}
_HASHES: Final[dict[str, type[hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512]]] = {
    "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
}  # fmt: skip
#: Of an RSA key's JSON Web Key: its private members (RFC 7518, 6.3.2) as attributes of the numbers.
_RSA_PRIVATE: Final = {"d": "d", "p": "p", "q": "q", "dp": "dmp1", "dq": "dmq1", "qi": "iqmp"}


def hash_object(digest: str) -> hashes.HashAlgorithm:
    return _HASHES[digest]()


def oaep(digest: str, label: bytes | None) -> OAEP:
    return OAEP(MGF1(hash_object(digest)), hash_object(digest), label)


# -- material --------------------------------------------------------------------------------------


def material(key: Key) -> tuple[str, bytes]:
    """("private", PKCS #8) or ("public", SPKI)."""
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
def _load_private(data: bytes) -> Any:
    # What we have made or checked ourselves: checking an RSA key once more would cost some 35 ms.
    return serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)


@functools.lru_cache(maxsize=512)
def _check_private(data: bytes) -> Any:
    return serialization.load_der_private_key(data, None)


@functools.lru_cache(maxsize=512)
def _load_public(data: bytes) -> Any:
    return serialization.load_der_public_key(data)


def rsa_private(data: bytes) -> rsa.RSAPrivateKey:
    return cast("rsa.RSAPrivateKey", _load_private(data))


def rsa_public(data: bytes) -> rsa.RSAPublicKey:
    return cast("rsa.RSAPublicKey", _load_public(data))


def is_rsa(key: Key) -> bool:
    return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey)


def rsa_exponent(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> int:
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    return public.public_numbers().e


# -- making keys -----------------------------------------------------------------------------------


def ec_generate(curve: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(_CURVES[curve]())
    return material(key)[1], material(key.public_key())[1]


def rsa_generate(bits: int, exponent: int) -> tuple[bytes, bytes]:
    try:
        key = rsa.generate_private_key(exponent, bits)
    except ValueError as error:
        raise HostError.named("OperationError", f"no RSA key can be made so: {error}") from None
    return material(key)[1], material(key.public_key())[1]


def from_bytes(kind: str, format: str, data: bytes, curve: str | None) -> Key:
    """A key of that kind (EC on that curve, RSA) in the format raw, spki or pkcs8."""
    try:
        if format == "raw":
            assert curve is not None
            if data[:1] != b"\4":
                raise ValueError("no uncompressed point")
            return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve](), data)
        key: Key = _load_public(data) if format == "spki" else _check_private(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise HostError.named(
            "DataError", f"the data is no {kind} key in the format {format}"
        ) from None
    if is_rsa(key) != (kind == "RSA") or _curve_name(key) != curve:
        raise HostError.named(
            "DataError", f"the data is the key of another algorithm than {curve or kind}"
        )
    return key


def _curve_name(key: Any) -> str | None:
    return _CURVE_NAMES.get(key.curve.name, "") if hasattr(key, "curve") else None


def from_jwk(kind: str, jwk: dict[str, Any], curve: str | None) -> Key:
    if jwk.get("kty") != kind:
        raise HostError.named("DataError", f"kty of the JSON Web Key is not {kind}")
    if jwk.get("crv") != curve and kind == "EC":
        raise HostError.named("DataError", f"crv of the JSON Web Key is not {curve}")
    try:
        return _ec_from_jwk(jwk, curve) if kind == "EC" else _rsa_from_jwk(jwk)
    except ValueError as error:
        raise HostError.named("DataError", f"the JSON Web Key is not valid: {error}") from None


def _ec_from_jwk(jwk: dict[str, Any], curve: str | None) -> Key:
    assert curve is not None
    public = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), _CURVES[curve]())
    if "d" not in jwk:
        return public.public_key()
    return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public).private_key()


def _rsa_from_jwk(jwk: dict[str, Any]) -> Key:
    public = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n"))
    if "d" not in jwk:
        return public.public_key()
    d = _number(jwk, "d")
    if "p" in jwk:
        p, q = _number(jwk, "p"), _number(jwk, "q")
    else:
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
    return _rsa_private_key(public, d, p, q)


@functools.lru_cache(maxsize=512)
def _rsa_private_key(public: rsa.RSAPublicNumbers, d: int, p: int, q: int) -> rsa.RSAPrivateKey:
    numbers = rsa.RSAPrivateNumbers(
        p=p, q=q, d=d, dmp1=rsa.rsa_crt_dmp1(d, p), dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q), public_numbers=public,
    )  # fmt: skip
    return numbers.private_key()


def _number(jwk: dict[str, Any], member: str) -> int:
    """A member of a JSON Web Key, base64url without padding. Raises ValueError."""
    text = jwk.get(member)
    if not isinstance(text, str) or not text:
        raise ValueError(f"{member} is missing")
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", True), "big")
    except binascii.Error:
        raise ValueError(f"{member} is no base64url") from None


# -- showing keys ----------------------------------------------------------------------------------


def point(data: bytes) -> bytes:
    """The uncompressed point of a public EC key."""
    encoded: bytes = _load_public(data).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return encoded


def to_jwk(data: bytes, *, is_private: bool) -> dict[str, str]:
    key = _load_private(data) if is_private else _load_public(data)
    public = (key.public_key() if is_private else key).public_numbers()
    if is_rsa(key):
        jwk = {"kty": "RSA", "n": _text(public.n), "e": _text(public.e)}
        if is_private:
            numbers = key.private_numbers()
            for member, attribute in _RSA_PRIVATE.items():
                jwk[member] = _text(getattr(numbers, attribute))
        return jwk
    size = (key.curve.key_size + 7) // 8
    jwk = {
        "kty": "EC",
        "crv": _CURVE_NAMES[key.curve.name],
        "x": _text(public.x, size),
        "y": _text(public.y, size),
    }
    if is_private:
        jwk["d"] = _text(key.private_numbers().private_value, size)
    return jwk


def _text(number: int, size: int = 0) -> str:
    data = number.to_bytes(size or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# -- using keys on elliptic curves -----------------------------------------------------------------


def ecdsa_sign(data: bytes, digest: str, message: bytes) -> bytes:
    """A signature as r and s side by side (IEEE P1363), which is how the Web API wants it."""
    key = _load_private(data)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hash_object(digest))))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def ecdsa_verify(data: bytes, digest: str, signature: bytes, message: bytes) -> bool:
    key = _load_public(data)
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
    shared: bytes = _load_private(private).exchange(ec.ECDH(), _load_public(public))
    return shared
