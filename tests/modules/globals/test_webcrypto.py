"""crypto: random values, and that nothing is loaded before it is wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def test_members(run: Callable[..., list[str]]) -> None:
    assert run(
        "console.log(Object.keys(crypto).sort().join(), typeof crypto.subtle.digest, crypto === globalThis.crypto);"
    ) == ["CryptoKey,getRandomValues,randomUUID,subtle function true"]


def test_random_uuid(run: Callable[..., list[str]]) -> None:
    (uuid,) = run("console.log(crypto.randomUUID());")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid)


def test_random_values_fill_just_the_view(run: Callable[..., list[str]]) -> None:
    assert run("""
        const all = new Uint8Array(64);
        const view = new Uint16Array(all.buffer, 16, 16);
        console.log(crypto.getRandomValues(view) === view, all.slice(16, 48).some((byte) => byte),
          all.slice(0, 16).some((byte) => byte), all.slice(48).some((byte) => byte));
    """) == ["true true false false"]


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("new Uint8Array(65537)", "QuotaExceededError"),
        ("new Uint16Array(65537)", "QuotaExceededError"),
        ("new Float64Array(1)", "TypeMismatchError"),
        ("new BigInt64Array(1)", "TypeMismatchError"),
        ("new ArrayBuffer(1)", "TypeMismatchError"),
        ("new (class extends Uint8Array {})(2)", "TypeMismatchError"),
    ],
)
def test_random_values_refused(run: Callable[..., list[str]], argument: str, error: str) -> None:
    script = f"""
        try {{
          crypto.getRandomValues({argument});
        }} catch (e) {{
          console.log(e.name, e.message.split(':')[0], e.value.name);
        }}
    """
    assert run(script) == [f"GoError {error} {error}"]


def test_loading_runs_no_promise_jobs(run: Callable[..., list[str]]) -> None:
    assert run("""
        Promise.resolve().then(() => console.log('job'));
        console.log(typeof crypto.subtle);
        console.log(new TextEncoder().encode('x').length);
    """) == ["object", "1", "job"]


def test_a_script_may_put_something_else_there(run: Callable[..., list[str]]) -> None:
    assert run(
        "globalThis.crypto = 5; globalThis.TextEncoder = 6; console.log(crypto, TextEncoder);"
    ) == ["5 6"]
