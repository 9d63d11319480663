"""Authorization: the tokens of /login, and signed handshakes.

Both use a well-known secret, so that a script can sign with k6/crypto.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from jsrunner.server.connection import Rejection

#: The key of all signatures.
SECRET: Final = "jsrunner"
#: The most seconds by which a signature's timestamp may differ from the server's time.
SIGNATURE_AGE: Final = 30.0

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_CHALLENGE: Final = ("WWW-Authenticate", 'Bearer realm="jsrunner"')


def issue(user: str, expires_at: float) -> str:
    """Return a JSON web token (RFC 7519, HS256).

    Args:
        user: The claim `sub`.
        expires_at: The claim `exp`, in seconds since the epoch.
    """
    claims = {"sub": user, "exp": int(expires_at)}
    body = ".".join(_encode(_compact(part)) for part in (_HEADER, claims))
    return f"{body}.{_encode(digest(body))}"


def user_of(authorization: str | None, now: float) -> str:
    """Return the user of a bearer token.

    Args:
        authorization: The value of the header Authorization.
        now: The time in seconds since the epoch.

    Raises:
        Rejection: The token is missing, wrong or expired (401).
    """
    kind, _, token = (authorization or "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _unauthorized("no bearer token: get one from /login?user=NAME")
    body, _, signature = token.strip().rpartition(".")
    if not hmac.compare_digest(_encode(digest(body)).encode(), signature.encode()):
        raise _unauthorized("the token's signature is wrong")
    claims = _claims(body)
    expires_at = claims.get("exp")
    if not isinstance(expires_at, (int, float)) or expires_at <= now:
        raise _unauthorized("the token has expired")
    return str(claims.get("sub", ""))


def check_signature(user: str | None, timestamp: str | None, signature: str | None, now: float) -> None:
    """Check a signed handshake.

    Args:
        user: The value of the header X-User.
        timestamp: The value of X-Timestamp: milliseconds since the epoch.
        signature: The value of X-Signature: the hexadecimal HMAC-SHA256 of `user:timestamp`.
        now: The time in seconds since the epoch.

    Raises:
        Rejection: A header is missing, or the signature is wrong or too old (401).
    """
    if not (user and timestamp and signature):
        raise _unauthorized("wanted: the headers X-User, X-Timestamp and X-Signature")
    expected = digest(f"{user}:{timestamp}").hex()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise _unauthorized("the signature is wrong")
    if not timestamp.isdecimal() or abs(now - int(timestamp) / 1000) > SIGNATURE_AGE:
        raise _unauthorized(f"the timestamp is more than {SIGNATURE_AGE:g} seconds off")


def _claims(body: str) -> dict[str, Any]:
    """Return the claims of a token whose signature is right; raise Rejection (401) without any."""
    try:
        payload = body.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise _unauthorized("the token cannot be read")
    return claims


def _unauthorized(text: str) -> Rejection:
    return Rejection(401, text, [_CHALLENGE])


def digest(text: str) -> bytes:
    """Return the HMAC-SHA256 of a text with the secret."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
