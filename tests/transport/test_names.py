from __future__ import annotations

import pytest

from jsrunner.transport.names import can_be_looked_up, to_ascii


@pytest.mark.parametrize(
    "host", ["a", "a.test", "a.test.", "_dmarc.a-b.test", "xn--gre-6ka8i.test", "a1", "1a", "x" * 63]
)
def test_names(host: str) -> None:
    assert can_be_looked_up(host)


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "a..b", ".a", "-a", "a-.test", "a b", "a\0b", "ü.test", "\ud800", "x" * 64, "x." * 150,
        "a:b", "1.2.3", "0x7f000001", "0x7f.1", "127.1", "2130706433", "a/b", "a\n",
    ],
)  # fmt: skip
def test_what_no_resolver_is_asked_for(host: str) -> None:
    assert not can_be_looked_up(host)


@pytest.mark.parametrize(
    ("host", "spelled"),
    [
        ("Plain.Test", "Plain.Test"),
        ("größe.test", "xn--gre-6ka8i.test"),
        ("GRÖßE.test", "xn--gre-6ka8i.test"),
        ("bücher。test", "xn--bcher-kva.test"),
        ("ｂücher.test", "xn--bcher-kva.test"),
        ("b\u00adücher.test", "xn--bcher-kva.test"),
        ("ü..test", "ü..test"),
        ("\ufffd.test", "\ufffd.test"),
        ("ü b.test", "ü b.test"),
    ],
)
def test_names_outside_ascii(host: str, spelled: str) -> None:
    assert to_ascii(host) == spelled
