"""Error texts for refused certificates. (Real connections: test_tls.py)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from certificates import DAY, NOW, issue

from jsrunner.transport.certificates import refusal
from jsrunner.transport.errors import DialError, HostMismatch, UnknownAuthority

if TYPE_CHECKING:
    import datetime

PREFIX = "tls: failed to verify certificate: x509: "
EXPIRED, MISMATCH = 10, 62


def text(code: int, host: str, *names: str, common_name: str = "") -> str:
    return str(refusal(code, "", host, [issue(names, common_name=common_name).der]))


@pytest.mark.parametrize("code", [2, 7, 18, 19, 20, 21, 24, 79])
def test_unknown_authorities(code: int) -> None:
    error = refusal(code, "detail", "a.test", [])
    assert isinstance(error, UnknownAuthority)
    assert str(error) == PREFIX + "certificate signed by unknown authority"


@pytest.mark.parametrize(
    ("host", "names", "common_name", "reason"),
    [
        ("a.test", ["b.test"], "", "certificate is valid for b.test, not a.test"),
        ("a.test", ["b.test", "*.c.test", "10.0.0.1"], "", "certificate is valid for b.test, *.c.test, not a.test"),
        ("a.test", ["10.0.0.1"], "", "certificate is not valid for any names, but wanted to match a.test"),
        ("a.test", [], "", "certificate is not valid for any names, but wanted to match a.test"),
        ("a.test", [], "a.test", "certificate relies on legacy Common Name field, use SANs instead"),
        ("10.0.0.1", ["a.test"], "",
         "cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs"),
        ("10.0.0.1", ["10.0.0.2", "::1"], "", "certificate is valid for 10.0.0.2, ::1, not 10.0.0.1"),
    ],
)  # fmt: skip
def test_other_names(host: str, names: list[str], common_name: str, reason: str) -> None:
    assert text(MISMATCH, host, *names, common_name=common_name) == PREFIX + reason


def test_many_names_are_not_listed() -> None:
    names = [f"n{number}.test" for number in range(100)]
    expected = "certificate is valid for 100 names, but none matched a.test"
    assert text(MISMATCH, "a.test", *names) == PREFIX + expected


def test_a_mismatch_has_a_kind_of_its_own() -> None:
    assert isinstance(refusal(MISMATCH, "", "a.test", [issue(["b.test"]).der]), HostMismatch)
    unknown = refusal(MISMATCH, "", "a.test", [])
    assert str(unknown) == PREFIX + "certificate is not valid for any names, but wanted to match a.test"


@pytest.mark.parametrize(
    ("begins", "ends", "word"),
    [(NOW - 2 * DAY, NOW - DAY, "after"), (NOW + DAY, NOW + 2 * DAY, "before")],
)
def test_times(begins: datetime.datetime, ends: datetime.datetime, word: str) -> None:
    error = refusal(EXPIRED, "", "a.test", [issue(["a.test"], begins=begins, ends=ends).der])
    limit = ends if word == "after" else begins
    start = "x509: certificate has expired or is not yet valid: current time "
    assert error.short.startswith(start)
    assert error.short.endswith(f"Z is {word} {limit:%Y-%m-%dT%H:%M:%SZ}")
    assert str(error) == "tls: failed to verify certificate: " + error.short


def test_whatever_else_openssl_finds() -> None:
    error = refusal(999, "it is odd", "a.test", [b"no certificate"])
    assert type(error) is DialError
    assert str(error) == PREFIX + "it is odd"
    assert str(refusal(999, "it is odd", "a.test", [], prefix="")) == "x509: it is odd"
