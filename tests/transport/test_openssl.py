"""OpenSSL's certificates, keys and errors for Python."""

from __future__ import annotations

from certificates import issue
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from jsrunner.transport.openssl import (
    certificates_of,
    core_functions,
    der_of,
    key_of,
    lib,
    take_problem,
)


def test_certificates_of_a_text() -> None:
    issued = [issue(["a.test"]), issue(["b.test"])]
    text = "some words\n" + "".join(each.pem.decode() for each in issued)
    assert [der_of(each) for each in certificates_of(text)] == [each.der for each in issued]
    assert certificates_of("no certificate") == []
    assert take_problem() == ("", 0)


def test_keys_with_and_without_a_password() -> None:
    issued = issue(["a.test"])
    locked = issued.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    ).decode()
    assert key_of(issued.key_pem.decode(), "") is not None
    assert key_of(locked, "secret") is not None
    assert key_of(locked, "wrong") is None
    assert key_of(locked, "") is None  # and nobody is asked on the terminal
    assert key_of("no key", "") is None
    assert take_problem().text
    assert take_problem() == ("", 0)


def test_addresses_for_the_core() -> None:
    assert all(core_functions)
    assert len(set(core_functions)) == len(core_functions)
    assert hasattr(lib, "SSL_read")
