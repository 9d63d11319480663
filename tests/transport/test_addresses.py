from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.addresses import LocalAddresses, Networks, Patterns, literal, split_port

if TYPE_CHECKING:
    import ipaddress


@given(st.ip_addresses())
def test_literal_addresses(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert literal(str(address)) == address


@pytest.mark.parametrize(
    "host", ["", "localhost", "a.b", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::g", "x1"]
)
def test_names_are_no_literals(host: str) -> None:
    assert literal(host) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.3.4", ("1.2.3.4", None)),
        ("1.2.3.4:80", ("1.2.3.4", 80)),
        ("::1", ("::1", None)),
        ("[::1]:80", ("::1", 80)),
        ("[::1]", ("::1", None)),
        ("name:8080", ("name", 8080)),
    ],
)
def test_split_port(text: str, expected: tuple[str, int | None]) -> None:
    assert split_port(text) == expected


def test_patterns() -> None:
    patterns = Patterns(
        {"exact.com": "1", "*.exact.com": "2", "*.com": "3", "*": "4", "UPPER.org": "5"}
    )
    found = {
        name: patterns.find(name)[1]  # type: ignore[index]
        for name in (
            "exact.com",
            "EXACT.com",
            "a.exact.com",
            "a.b.exact.com",
            "b.com",
            "x",
            "upper.ORG",
        )
    }
    assert list(found.values()) == ["1", "1", "2", "2", "3", "4", "5"]
    assert Patterns({"*.a.b": ""}).find("a.b") is None
    assert Patterns({}).find("x") is None


def test_networks() -> None:
    networks = Networks(["10.0.0.0/8", "192.168.1.5", "fd00::/8"])
    assert networks.containing("10.1.2.3") == "10.0.0.0/8"
    assert networks.containing("192.168.1.5") == "192.168.1.5/32"
    assert networks.containing("::ffff:10.1.2.3") == "10.0.0.0/8"
    assert networks.containing("fd12::1") == "fd00::/8"
    assert networks.containing("11.0.0.1") is None
    assert Networks([]).containing("not even an address") is None


def test_local_addresses_are_taken_in_turn() -> None:
    local = LocalAddresses("10.0.0.1-10.0.0.3,192.168.0.0/30,::1")
    expected = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.168.0.1", "192.168.0.2", "::1"]
    assert [local.of(number) for number in range(7)] == [*expected, expected[0]]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("10.0.0.0/31", "10.0.0.0", "10.0.0.1"), ("10.0.0.7/32", "10.0.0.7", "10.0.0.7")],
)
def test_smallest_networks(text: str, first: str, last: str) -> None:
    local = LocalAddresses(text)
    assert (local.of(0), local.of(1)) == (first, last)
