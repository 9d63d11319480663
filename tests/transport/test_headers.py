"""Header fields by Go's rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.headers import canonical, is_name, is_value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x-request-ID", "X-Request-Id"), ("ETAG", "Etag"), ("a b", "a b"), ("", ""), ("ü", "ü"),
        ("a--b-", "A--B-"), ("x_y", "X_y"),
    ],
)  # fmt: skip
def test_canonical_names(name: str, expected: str) -> None:
    assert canonical(name) == expected


@given(st.text(max_size=20))
def test_a_canonical_name_stays(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@pytest.mark.parametrize("text", ["", "a b", "a:", "ü", "a\n", "(x)"])
def test_names_that_are_none(text: str) -> None:
    assert not is_name(text)


def test_names_and_values() -> None:
    assert is_name("X-A_1!#$%&'*+.^`|~")
    assert is_value("a\tü \xff")
    for text in ("a\n", "\0", "\r", "\x7f"):
        assert not is_value(text)
