"""HTTP authentication: Basic (RFC 7617), Digest (RFC 7616) and NTLM (MS-NLMP, by pyspnego)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PARAMETER: Final = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: Final[dict[str, Callable[[bytes], hashlib._Hash]]] = {
    "MD5": hashlib.md5,
    "SHA-256": hashlib.sha256,
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
}
_NTLM_SCHEMES: Final = ("NTLM", "Negotiate")


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def digest(
    challenges: Sequence[str], method: str, target: str, user: str, password: str, body: bytes
) -> str | None:
    """The Authorization that answers a Digest challenge, None if there is none that it can answer.

    `challenges` are WWW-Authenticate headers; `body` is the request's.
    """
    for header in challenges:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        given = {
            key.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
            for key, quoted, bare in _PARAMETER.findall(rest)
        }
        algorithm = given.get("algorithm", "MD5")
        make = _HASHES.get(algorithm.upper().removesuffix("-SESS"))
        if make is not None and "nonce" in given:
            return _answer(given, algorithm, make, method, target, user, password, body)
    return None


def _answer(
    given: dict[str, str],
    algorithm: str,
    make: Callable[[bytes], hashlib._Hash],
    method: str,
    target: str,
    user: str,
    password: str,
    body: bytes,
) -> str:
    def hashed(*parts: str) -> str:
        return make(":".join(parts).encode()).hexdigest()

    realm, nonce, client_nonce = given.get("realm", ""), given["nonce"], os.urandom(16).hex()
    offered = [one.strip() for one in given.get("qop", "").split(",")]
    protection = next((one for one in ("auth", "auth-int") if one in offered), "")
    secret = hashed(user, realm, password)
    if algorithm.upper().endswith("-SESS"):
        secret = hashed(secret, nonce, client_nonce)
    request = [method, target]
    if protection == "auth-int":
        request.append(make(body).hexdigest())
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": target}
    plain = {}
    if protection:
        middle = [nonce, "00000001", client_nonce, protection]
        plain = {"qop": protection, "nc": "00000001"}
        fields["cnonce"] = client_nonce
    else:
        middle = [nonce]
    fields["response"] = hashed(secret, *middle, hashed(*request))
    if "opaque" in given:
        fields["opaque"] = given["opaque"]
    if "algorithm" in given:
        plain["algorithm"] = algorithm
    quoted = [
        f'{key}="{value}"'
        for key, value in ((key, re.sub(r'(["\\])', r"\\\1", value)) for key, value in fields.items())
    ]
    return "Digest " + ", ".join([*quoted, *(f"{key}={value}" for key, value in plain.items())])


class NtlmMissing(Exception):
    """pyspnego is not installed."""


class Ntlm:
    """One NTLM handshake: `negotiate`, then `authenticate` with the server's challenge."""

    def __init__(self, scheme: str, user: str, password: str) -> None:
        try:
            import spnego
        except ImportError:
            raise NtlmMissing(
                "NTLM authentication needs the package pyspnego: pip install 'jsrunner[ntlm]'"
            ) from None
        self._scheme = scheme
        self._context = spnego.client(user, password, protocol="ntlm")

    @staticmethod
    def offered(challenges: Sequence[str]) -> str | None:
        """Which scheme a server's WWW-Authenticate headers offer, if any of this kind."""
        names = [header.strip().partition(" ")[0].lower() for header in challenges]
        return next((one for one in _NTLM_SCHEMES if one.lower() in names), None)

    def negotiate(self) -> str:
        return self._header(self._context.step())

    def authenticate(self, challenges: Sequence[str]) -> str | None:
        """None if there is no challenge."""
        for header in challenges:
            scheme, _, token = header.strip().partition(" ")
            if scheme.lower() == self._scheme.lower() and token:
                return self._header(self._context.step(base64.b64decode(token)))
        return None

    def _header(self, token: bytes | None) -> str:
        return f"{self._scheme} {base64.b64encode(token or b'').decode()}"
