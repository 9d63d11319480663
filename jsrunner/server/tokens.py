"""Who may come in: tokens as /login issues them, and signed handshakes.

Both rest on one secret that everyone knows, so that a script can make by k6/crypto what it needs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from jsrunner.server.connection import Refused

SECRET: Final = "jsrunner"
#: How old a signature may be, in seconds.
SIGNATURE_AGE: Final = 30.0

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_CHALLENGE: Final = ("WWW-Authenticate", 'Bearer realm="jsrunner"')


def issue(user: str, expires_at: float) -> str:
    """A JSON web token (RFC 7519, HS256) with `sub` and `exp`."""
    body = ".".join(_encode(_compact(one)) for one in (_HEADER, {"sub": user, "exp": int(expires_at)}))
    return f"{body}.{_encode(digest(body))}"


def user_of(authorization: str | None, now: float) -> str:
    """Whom an Authorization header lets in. Raises Refused (401)."""
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
    """X-Signature is the hexadecimal HMAC-SHA256 of `user:timestamp`, the timestamp in milliseconds.

    Raises Refused (401).
    """
    if not (user and timestamp and signature):
        raise _unauthorized("wanted: the headers X-User, X-Timestamp and X-Signature")
    expected = digest(f"{user}:{timestamp}").hex()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise _unauthorized("the signature is wrong")
    if not timestamp.isdecimal() or abs(now - int(timestamp) / 1000) > SIGNATURE_AGE:
        raise _unauthorized(f"the timestamp is more than {SIGNATURE_AGE:g} seconds off")


def _claims(body: str) -> dict[str, Any]:
    """The payload of a token whose signature is right. Raises Refused (401)."""
    try:
        payload = body.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise _unauthorized("the token cannot be read")
    return claims


def _unauthorized(text: str) -> Refused:
    return Refused(401, text, [_CHALLENGE])


def digest(text: str) -> bytes:
    """HMAC-SHA256 by the secret."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
