"""TLS in Go's words."""

from __future__ import annotations

import pytest

from jsrunner.transport.tls_names import (
    DEFAULT_SUITES,
    GO_SUITES,
    SUITES,
    alert_text,
    certificate_for,
)


def test_suites_are_named_both_ways() -> None:
    assert {GO_SUITES[name] for name in SUITES.values()} == set(SUITES)


@pytest.mark.parametrize(
    ("host", "number"),
    [("a.test", 0), ("x.b.test", 1), ("b.test", 2), ("x.y.b.test", 2), ("other", 2)],
)
def test_client_certificates_by_domain(host: str, number: int) -> None:
    certificates = [{"domains": ["a.test"]}, {"domains": ["c.test", "*.b.test"]}, {"domains": None}]
    assert certificate_for(host, certificates) == number
    assert certificate_for("none.test", certificates[:2]) is None


def test_what_is_offered_by_default() -> None:
    assert set(DEFAULT_SUITES) <= set(GO_SUITES)
    assert DEFAULT_SUITES[:2] == ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256")
    assert not any("CBC-SHA256" in one or one.startswith("AES") for one in DEFAULT_SUITES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error:0A00042E:SSL routines::tlsv1 alert protocol version",
         "remote error: tls: protocol version not supported"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca",
         "remote error: tls: unknown certificate authority"),
        ("error:0A000410:SSL routines::ssl/tls alert handshake failure",
         "remote error: tls: handshake failure"),
        ("tlsv13 alert certificate required", "remote error: tls: certificate required"),
        ("tls alert handshake failure", "remote error: tls: handshake failure"),
        ("tls alert unexpected message", "remote error: tls: unexpected message"),
        ("tls illegal exporter label", None),
        ("unexpected eof", None),
    ],
)  # fmt: skip
def test_alerts(text: str, expected: str | None) -> None:
    assert alert_text(text) == expected
