from __future__ import annotations

import base64
import re

import pytest

from jsrunner.server import tokens
from jsrunner.server.connection import Rejection

NOW = 1_700_000_000.0


def test_a_token_lets_its_user_in() -> None:
    assert tokens.user_of(f"Bearer {tokens.issue('zoë', NOW + 1)}", NOW) == "zoë"
    assert tokens.user_of(f"bearer {tokens.issue('ann', NOW + 1)}", NOW) == "ann"


def test_a_token_is_a_json_web_token() -> None:
    # Signed by `openssl dgst -sha256 -hmac jsrunner`.
    assert tokens.issue("ann", NOW + 60) == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDAwNjB9.p47d7Df6vdxxnDK7Mflq1BdY811swHIZW7O4IMFlqb4"
    )


@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        (None, "no bearer token: get one from /login?user=NAME"),
        ("", "no bearer token: get one from /login?user=NAME"),
        ("Basic YTpi", "no bearer token: get one from /login?user=NAME"),
        ("Bearer", "no bearer token: get one from /login?user=NAME"),
        ("Bearer x", "the token's signature is wrong"),
        ("Bearer a.b.ü", "the token's signature is wrong"),
        (f"Bearer {tokens.issue('ann', NOW + 1)}x", "the token's signature is wrong"),
        (f"Bearer {tokens.issue('ann', NOW)}", "the token has expired"),
    ],
)
def test_others_stay_out(authorization: str | None, text: str) -> None:
    with pytest.raises(Rejection, match=re.escape(text)) as caught:
        tokens.user_of(authorization, NOW)
    assert caught.value.status == 401
    assert dict(caught.value.headers)["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body", ["x", "x.!", "x.W10", "x.e30", "x.eyJleHAiOiJuZXZlciJ9"])
def test_a_signed_token_that_says_nothing_useful(body: str) -> None:
    signature = base64.urlsafe_b64encode(tokens.digest(body)).rstrip(b"=").decode()
    with pytest.raises(Rejection, match=r"cannot be read|has expired"):
        tokens.user_of(f"Bearer {body}.{signature}", NOW)


def test_signatures() -> None:
    stamp = str(int(NOW * 1000))
    good = tokens.digest(f"ann:{stamp}").hex()
    tokens.check_signature("ann", stamp, good, NOW)
    tokens.check_signature("ann", stamp, good.upper(), NOW + tokens.SIGNATURE_AGE)


@pytest.mark.parametrize(
    ("user", "stamp", "signature", "later", "text"),
    [
        (None, "1", "00", 0, "wanted: the headers X-User, X-Timestamp and X-Signature"),
        ("ann", "", "00", 0, "wanted: the headers"),
        ("ann", "1", None, 0, "wanted: the headers"),
        ("ann", "1", "00", 0, "the signature is wrong"),
        ("ann", "1700000000000", None, 31, "more than 30 seconds off"),
        ("ann", "1700000000000", None, -31, "more than 30 seconds off"),
        ("ann", "yesterday", None, 0, "more than 30 seconds off"),
    ],
)
def test_wrong_signatures(
    user: str | None, stamp: str, signature: str | None, later: float, text: str
) -> None:
    if signature is None and "headers" not in text:
        signature = tokens.digest(f"{user}:{stamp}").hex()
    with pytest.raises(Rejection, match=text):
        tokens.check_signature(user, stamp, signature, NOW + later)
