"""k6/crypto against hashlib and known vectors."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.engine.interpreter import HostError
from jsrunner.modules.k6.crypto.index import new_hash
from jsrunner.modules.k6.crypto.old_hashes import MD4, RIPEMD160

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}


@given(st.binary(max_size=300), st.sampled_from(sorted(NAMES)))
def test_as_hashlib(data: bytes, name: str) -> None:
    assert new_hash(name, data).digest() == hashlib.new(NAMES[name], data).digest()


@pytest.mark.parametrize(
    ("data", "md4", "ripemd160"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "043f8582f241db351ce627e153e7f0e4",
            "b0e20b6e3116640286ed3a87a5713079b21f5189",
        ),
        (
            b"1234567890" * 8,
            "e33b4ddc9c38f2199c3e7b164fcc0536",
            "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
        ),
    ],
)
def test_old_hashes(data: bytes, md4: str, ripemd160: str) -> None:
    """RFC 1320, A.5, and the RIPEMD-160 paper."""
    assert MD4(data).hexdigest() == md4
    assert RIPEMD160(data).hexdigest() == ripemd160
    assert new_hash("md4", data).hexdigest() == md4
    assert new_hash("ripemd160", data).hexdigest() == ripemd160


@given(st.lists(st.binary(max_size=100), max_size=5))
@settings(max_examples=20)
def test_old_hashes_grow(pieces: list[bytes]) -> None:
    for kind in (MD4, RIPEMD160):
        grown = kind()
        for one in pieces:
            grown.update(one)
        copy = grown.copy()
        assert copy.digest() == grown.digest() == kind(b"".join(pieces)).digest()


def test_hmac_with_an_old_hash() -> None:
    found = hmac.new(b"key", b"data", lambda data=b"": RIPEMD160(data)).hexdigest()  # type: ignore[arg-type, return-value]
    assert len(found) == 40


def test_unknown_algorithm() -> None:
    with pytest.raises(HostError, match="invalid algorithm: foo"):
        new_hash("foo")


def test_hashers_that_nobody_has_are_let_go(run: Callable[..., list[str]]) -> None:
    modules: dict[str, Any] = {}
    assert run(
        """
        import crypto from 'k6/crypto';
        const { update, digest } = crypto.createHash('md5');
        for (let i = 0; i < 100; i += 1) {
          crypto.hmac('md5', 'k', 'd', 'hex');
          crypto.createHMAC('md5', 'k').update('d');
        }
        await null;
        update('a');
        console.log(digest('hex'));
        """,
        modules=modules,
    ) == [hashlib.md5(b"a", usedforsecurity=False).hexdigest()]
    assert len(modules["crypto"]._hashers) == 1


@pytest.mark.parametrize("size", ["undefined", "0.5", "Infinity", "1e30", "-1e30", "2 ** 63"])
def test_sizes_that_are_none(run: Callable[..., list[str]], size: str) -> None:
    assert run(
        f"""
        import crypto from 'k6/crypto';
        try {{ crypto.randomBytes({size}); }} catch (e) {{ console.log(String(e)); }}
        """
    ) == ["GoError: invalid size"]


def test_more_bytes_than_there_is_room_for(run: Callable[..., list[str]]) -> None:
    assert run(
        """
        import crypto from 'k6/crypto';
        for (const size of [2 ** 40, 2 ** 62]) {
          try { crypto.randomBytes(size); } catch (e) { console.log(e.name); }
        }
        """
    ) == ["RangeError", "RangeError"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("[1, 2]", "[]interface {}"),
        ("new Uint16Array(2)", "[]uint16"),
        ("new BigInt64Array(2)", "[]int64"),
        ("new Map()", "[][2]interface {}"),
        ("1e30", "float64"),
    ],
)
def test_what_is_no_bytes(run: Callable[..., list[str]], value: str, kind: str) -> None:
    assert (
        run(
            f"""
        import crypto from 'k6/crypto';
        import encoding from 'k6/encoding';
        for (const call of [crypto.hexEncode, encoding.b64encode]) {{
          try {{ call({value}); }} catch (e) {{ console.log(String(e)); }}
        }}
        """
        )
        == [f"GoError: invalid type {kind}, expected string, []byte or ArrayBuffer"] * 2
    )
