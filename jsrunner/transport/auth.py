"""HTTP authentication: Basic (RFC 7617), Digest (RFC 7616) and NTLM (MS-NLMP, by pyspnego)."""

from __future__ import annotations

import base64
import functools
import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Callable, Sequence

_PARAMETER: Final = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
#: The names in hashlib of the algorithms of Digest.
_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_NTLM_SCHEMES: Final = ("NTLM", "Negotiate")


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header for Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def digest(
    challenges: Sequence[str], method: str, target: str, user: str, password: str, body: bytes
) -> str | None:
    """Return the Authorization header's value for a Digest challenge (RFC 7616).

    Args:
        challenges: The WWW-Authenticate headers of the response.
        method: The request's method.
        target: The request's target.
        user: The user's name.
        password: The password.
        body: The request's body.

    Returns:
        The value; None if no challenge has a known algorithm.
    """
    for header in challenges:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        challenge = {
            key.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
            for key, quoted, bare in _PARAMETER.findall(rest)
        }
        algorithm = challenge.get("algorithm", "MD5")
        name = _HASHES.get(algorithm.upper().removesuffix("-SESS"))
        if name is not None and "nonce" in challenge:
            import hashlib  # 2 ms, with libcrypto

            make = functools.partial(hashlib.new, name)
            return _answer(challenge, algorithm, make, method, target, user, password, body)
    return None


def _answer(
    challenge: dict[str, str],
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

    realm, nonce, client_nonce = challenge.get("realm", ""), challenge["nonce"], os.urandom(16).hex()
    offered = [option.strip() for option in challenge.get("qop", "").split(",")]
    protection = next((option for option in ("auth", "auth-int") if option in offered), "")
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
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    if "algorithm" in challenge:
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
        """Return the scheme, NTLM or Negotiate, that WWW-Authenticate headers offer; else None."""
        names = [header.strip().partition(" ")[0].lower() for header in challenges]
        return next((scheme for scheme in _NTLM_SCHEMES if scheme.lower() in names), None)

    def negotiate(self) -> str:
        """Return the Authorization header's value of the first message."""
        return self._header(self._context.step())

    def authenticate(self, challenges: Sequence[str]) -> str | None:
        """Return the Authorization header's value for the challenge; None without a challenge."""
        for header in challenges:
            scheme, _, token = header.strip().partition(" ")
            if scheme.lower() == self._scheme.lower() and token:
                return self._header(self._context.step(base64.b64decode(token)))
        return None

    def _header(self, token: bytes | None) -> str:
        return f"{self._scheme} {base64.b64encode(token or b'').decode()}"
