"""Authentication: RFC 7616's example, and servers' other ways to ask."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.auth import Ntlm, basic, digest


def test_basic() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic("é", "") == "Basic w6k6"


def fields(header: str) -> dict[str, str]:
    assert header.startswith("Digest ")
    return {
        key: quoted or bare
        for key, quoted, bare in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', header)
    }


def answer(challenge: str, *, method: str = "GET", body: bytes = b"") -> dict[str, str] | None:
    found = digest(
        [challenge], method, "/dir/index.html", "Mufasa", "Circle of Life", body
    )  # fmt: skip
    return None if found is None else fields(found)


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [("MD5", hashlib.md5), ("SHA-256", hashlib.sha256), ("md5-sess", hashlib.md5), ("SHA-256-sess", hashlib.sha256)],
)  # fmt: skip
@pytest.mark.parametrize("protection", ["auth", "auth-int", ""])
def test_digest(algorithm: str, make: object, protection: str) -> None:
    """The response is what a server computes from the other fields (RFC 7616, section 3.4.1)."""
    qop = f'qop="{protection}", ' if protection else ""
    given = answer(
        f'Digest realm="all", {qop}algorithm={algorithm}, nonce="n0", opaque="o0"',
        method="PUT",
        body=b"x",
    )
    assert given is not None

    def hashed(*parts: str) -> str:
        assert callable(make)
        text: str = make(":".join(parts).encode()).hexdigest()
        return text

    secret = hashed("Mufasa", "all", "Circle of Life")
    if algorithm.lower().endswith("-sess"):
        # Without qop RFC 2069's servers know no sessions: nothing tells them the client's nonce.
        if not protection:
            return
        secret = hashed(secret, "n0", given["cnonce"])
    request = ["PUT", "/dir/index.html"]
    if protection == "auth-int":
        request.append(hashed("x"))
    middle = [given["nc"], given["cnonce"], given["qop"]] if protection else []
    assert given["response"] == hashed(secret, "n0", *middle, hashed(*request))
    assert given["opaque"] == "o0"
    assert given["username"] == "Mufasa"
    assert given["algorithm"] == algorithm


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="a"',
        "Digest realm=a",
        'Digest realm="a", nonce="b", algorithm=MINE',
        "",
        "Negotiate",
    ],
)
def test_challenges_that_cannot_be_answered(challenge: str) -> None:
    assert answer(challenge) is None


def test_the_first_challenge_that_can_be_answered_is() -> None:
    challenges = [
        "Basic realm=x",
        'Digest realm="a", nonce="b", algorithm=MINE',
        "digest nonce=c, realm=d",
    ]
    found = digest(challenges, "GET", "/", "u", "p", b"")
    assert found is not None
    assert fields(found)["nonce"] == "c"


@given(st.text(max_size=60))
def test_any_challenge_can_be_read(text: str) -> None:
    assert answer("Digest " + text) is None or "nonce" in text.lower()


def test_quotes_are_escaped() -> None:
    found = digest([r'Digest realm="a\"b", nonce="n"'], "GET", "/", 'u"', "p", b"")
    assert found is not None
    assert r'realm="a\"b"' in found
    assert r'username="u\""' in found


def test_schemes_of_ntlm() -> None:
    assert Ntlm.offered(["Basic realm=x", "ntlm"]) == "NTLM"
    assert Ntlm.offered(["Negotiate", "NTLM"]) == "NTLM"
    assert Ntlm.offered(["Negotiate abc"]) == "Negotiate"
    assert Ntlm.offered(["Basic realm=x"]) is None
