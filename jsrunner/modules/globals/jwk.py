"""JSON Web Keys (RFC 7517, RFC 7518) as crypto.subtle reads and writes them.

Errors are `HostError`s with k6's texts, which have no name of an error class.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jsrunner.engine.errors import HostError
from jsrunner.modules.globals import asymmetric as keys
from jsrunner.modules.k6 import encoding

#: Private members of an RSA key (RFC 7518, 6.3.2) -> the attribute of the numbers, the name in errors.
_RSA_PRIVATE: Final = {
    "d": ("d", "private exponent"),
    "p": ("p", "first prime factor"),
    "q": ("q", "second prime factor"),
    "dp": ("dmp1", "first exponent"),
    "dq": ("dmq1", "second exponent"),
    "qi": ("iqmp", "coefficient"),
}

#: Go's names of JSON values that are no objects.
_KINDS: Final = ((bool, "bool"), (str, "string"), ((int, float), "number"), (list, "array"))


def secret(jwk: object) -> bytes:
    """Return the bytes of a symmetric key."""
    members = _members(jwk, ("kty", "k"), "failed to parse symmetric JWK", "symmetricJWK")
    if members["kty"] != "oct":
        raise HostError(f"invalid symmetric JWK: invalid key type: {members['kty']}")
    if not members["k"]:
        raise HostError("invalid symmetric JWK: key (k) is required")
    return _decoded(members["k"], "symmetric key")


def ec_key(jwk: object, name: str) -> keys.Key:
    """Return the key on an elliptic curve. `name` is ECDSA or ECDH."""
    try:
        curve, x, y, d = _ec_numbers(jwk)
    except HostError as error:
        prefix = "failed to parse input as ECDH key: " if name == "ECDH" else ""
        raise HostError(f"{prefix}{error}") from None
    try:
        if d is not None:
            return ec.derive_private_key(d, curve)  # k6 looks at no other member
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        kind = "public" if d is None else "private"
        raise HostError(f"failed to convert ECDSA key to ECDH key: ecdsa: invalid {kind} key") from None


def _ec_numbers(jwk: object) -> tuple[ec.EllipticCurve, int, int, int | None]:
    """Return the curve, the coordinates of the point, and the private scalar if there is one."""
    members = _members(
        jwk, ("kty", "crv", "x", "y", "d"), "failed to parse input as EC JWK key", "ecJWK"
    )
    invalid = "invalid EC JWK key: "
    if members["kty"] != "EC":
        raise HostError(f"{invalid}invalid key type: {members['kty']}")
    for member, text in (("crv", "curve"), ("x", "coordinate X"), ("y", "coordinate Y")):
        if not members[member]:
            raise HostError(f"{invalid}{text} is required")
    curve = keys.CURVES.get(members["crv"])
    if curve is None:
        raise HostError(f"failed to parse elliptic curve: invalid elliptic curve {members['crv']}")
    x = _number(members["x"], "X coordinate")
    y = _number(members["y"], "Y coordinate")
    d = _number(members["d"], "D") if members["d"] else None
    return curve(), x, y, d


def rsa_key(jwk: object) -> keys.Key:
    """Return the RSA key."""
    members = _members(
        jwk, ("kty", "n", "e", *_RSA_PRIVATE), "failed to parse input as RSA JWK key", "rsaJWK"
    )
    invalid = "invalid RSA JWK key: "
    if members["kty"] != "RSA":
        raise HostError(f"{invalid}invalid key type: {members['kty']}")
    for member, text in (("n", "modulus (n)"), ("e", "exponent (e)")):
        if not members[member]:
            raise HostError(f"{invalid}{text} is required")
    public = rsa.RSAPublicNumbers(_number(members["e"], "exponent"), _number(members["n"], "modulus"))
    try:
        if not members["d"]:
            return public.public_key()
        numbers = {
            attribute: _number(members[member], text)
            for member, (attribute, text) in _RSA_PRIVATE.items()
        }
        return rsa.RSAPrivateNumbers(public_numbers=public, **numbers).private_key()
    except ValueError:
        raise HostError("failed to validate private key: crypto/rsa: invalid key") from None


def export(material: bytes, *, is_private: bool) -> dict[str, str]:
    """Return the JSON Web Key of a private or a public key, whose material this is."""
    private = keys.load_private(material) if is_private else None
    public = keys.load_public(material) if private is None else private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        modulus = public.public_numbers()
        jwk = {"kty": "RSA", "n": _text(modulus.n), "e": _text(modulus.e)}
        if isinstance(private, rsa.RSAPrivateKey):
            numbers = private.private_numbers()
            for member, (attribute, _) in _RSA_PRIVATE.items():
                jwk[member] = _text(getattr(numbers, attribute))
        return jwk
    size = (public.curve.key_size + 7) // 8
    point = public.public_numbers()
    jwk = {
        "kty": "EC",
        "crv": keys.CURVE_NAMES[public.curve.name],
        "x": _text(point.x, size),
        "y": _text(point.y, size),
    }
    if isinstance(private, ec.EllipticCurvePrivateKey):
        jwk["d"] = _text(private.private_numbers().private_value, size)
    return jwk


def _members(jwk: object, names: tuple[str, ...], prefix: str, type_name: str) -> dict[str, str]:
    """Return the members of these names, "" where there is none. They must be texts."""
    if jwk is None:
        jwk = {}
    if not isinstance(jwk, dict):
        raise HostError(
            f"{prefix}: json: cannot unmarshal {_kind(jwk)} into Go value of type webcrypto.{type_name}"
        )
    members = {}
    for name in names:
        value = jwk.get(name)
        if value is not None and not isinstance(value, str):
            raise HostError(
                f"{prefix}: json: cannot unmarshal {_kind(value)} into Go struct field "
                f"{type_name}.{name} of type string"
            )
        members[name] = value or ""
    return members


def _kind(value: object) -> str:
    return next((name for types, name in _KINDS if isinstance(value, types)), "object")


def _decoded(text: str, member: str) -> bytes:
    try:
        return encoding.decode(text, "rawurl")
    except HostError as error:
        raise HostError(f"failed to decode {member}: {error}") from None


def _number(text: str, member: str) -> int:
    return int.from_bytes(_decoded(text, member), "big")


def _text(number: int, size: int = 0) -> str:
    data = number.to_bytes(size or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
