"""The types of options about hosts, addresses and TLS."""

from __future__ import annotations

import re
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.options import network

ALL = (
    network.TLSVersion(), network.TLSAuth(), network.CIDRs(), network.Hostnames(),
    network.Hosts(), network.AddressRanges(), network.DNS(),
)  # fmt: skip
JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def refused(kind: Any, value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^" + re.escape(reason) + "$"):
        kind.from_json(value)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: type(kind).__name__)
@given(value=JSON)
def test_any_json_is_read_or_refused(kind: Any, value: object) -> None:
    try:
        read = kind.from_json(value)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - nothing else may be raised
        return
    kind.to_json(read)


@pytest.mark.parametrize("kind", ALL[2:], ids=lambda kind: type(kind).__name__)
@given(text=st.text(max_size=12) | st.from_regex(r"[0-9a-f.:/,=-]{1,12}"))
def test_any_text_is_read_or_refused(kind: Any, text: str) -> None:
    for read in (kind.from_text, kind.from_env):
        try:
            read(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - nothing else may be raised


def test_tls_versions() -> None:
    kind = network.TLSVersion()
    assert kind.from_json("tls1.2") == ("tls1.2", "tls1.2")
    assert kind.from_json({"min": "tls1.1", "max": "tls1.3"}) == ("tls1.1", "tls1.3")
    assert kind.from_json({"min": "tls1.1"}) == ("tls1.1", None)
    assert kind.to_json(("tls1.1", None)) == {"min": "tls1.1", "max": ""}
    refused(kind, "ssl3.0", "json: cannot unmarshal string into Go value of type lib.tlsVersionsFields")
    refused(kind, {"max": "tls9"}, "unknown TLS version 'tls9'")
    refused(kind, {"lowest": "tls1.2"}, 'json: unknown field "lowest"')
    refused(kind, 5, "json: cannot unmarshal number into Go value of type lib.TLSVersions")


def test_cipher_suites() -> None:
    kind = network.CipherSuites()
    known = [
        "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_AES_128_GCM_SHA256",
    ]  # fmt: skip
    assert kind.from_json(known) == tuple(known)
    assert len(kind.known) == 25
    refused(kind, [known[0], "AES128-SHA"], "unknown cipher suite 'AES128-SHA'")


def test_client_certificates() -> None:
    kind = network.TLSAuth()
    issued = trustme.CA().issue_cert("client")
    pair = {
        "cert": issued.cert_chain_pems[0].bytes().decode(),
        "key": issued.private_key_pem.bytes().decode(),
    }
    given = [{**pair, "password": None, "domains": ["example.com"]}]
    assert kind.from_json(given) == given
    refused(kind, [{}], "tls: failed to find any PEM data in certificate input")
    refused(kind, {}, "json: cannot unmarshal object into Go value of type []*lib.TLSAuth")
    refused(kind, ["C"], "json: cannot unmarshal string into Go value of type lib.TLSAuthFields")
    refused(kind, [{"file": "C"}], 'json: unknown field "file"')
    refused(kind, [{"cert": 5}], "json: cannot unmarshal number into Go value of type string")
    refused(kind, [{"domains": "a"}], "json: cannot unmarshal string into Go value of type []string")
    refused(kind, [{"domains": [5]}], "json: cannot unmarshal number into Go value of type string")


def test_networks() -> None:
    kind = network.CIDRs()
    assert kind.from_json(["10.0.0.0/8", "::1/128"]) == ("10.0.0.0/8", "::1/128")
    assert kind.from_text("10.0.0.0/8,::1/128") == ("10.0.0.0/8", "::1/128")
    assert kind.from_text("") == ()
    for text in ("10.0.0.1", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "nowhere/8"):
        refused(kind, [text], f"failed to parse CIDR '{text}': invalid CIDR address: {text}")
    with pytest.raises(ValueError, match=r"^error parsing blacklist-ip 'x': invalid CIDR address: x$"):
        kind.from_text("x")


def test_names_to_block() -> None:
    kind = network.Hostnames()
    given = ["example.com", "*.example.com", "*", "*example.com", "EXAMPLE.com", "10.0.0.1", ""]
    assert kind.from_json(given) == tuple(given)
    for text in ("a.*.com", "-a.com", "a b", "a..b", "grüße.de", "a/"):
        refused(kind, [text], f"invalid hostname pattern '{text}'")


def test_addresses_of_names() -> None:
    kind = network.Hosts()
    given = {
        "example.com": "127.0.0.1",
        "*.example.com:8080": "127.0.0.1:80",
        "x": "[::1]:80",
        "y": "::1",
    }
    assert kind.from_json(given) == given
    assert kind.from_json({"x": "no address"}) == {"x": "no address"}  # told where it is used
    refused(kind, {"x": "127.0.0.1:http"}, 'strconv.Atoi: parsing "http": invalid syntax')
    refused(kind, {"a b": "127.0.0.1"}, "invalid host pattern 'a b'")
    refused(kind, {"x": 5}, "json: cannot unmarshal number into Go value of type string")


def test_client_addresses() -> None:
    kind = network.AddressRanges()
    text = "127.0.0.1,127.0.0.10-127.0.0.20,10.0.0.0/8,fd:1::/120"
    assert kind.from_text(text) == kind.from_env(text) == text
    refused(kind, "localhost", "localhost is not a valid IP, IP range or CIDR")
    refused(kind, "", " is not a valid IP, IP range or CIDR")
    refused(kind, "127.0.0.1-", "wrong IP range format: 127.0.0.1-")
    refused(kind, "127.0.0.1-::1", "mixed IP range format: 127.0.0.1-::1")
    refused(kind, "127.0.0.2-127.0.0.1", "negative IP range: 127.0.0.2-127.0.0.1")
    refused(
        kind, "1.2.3.4/99", "parseCIDR() failed parsing 1.2.3.4/99: invalid CIDR address: 1.2.3.4/99"
    )


def test_name_look_up() -> None:
    kind = network.DNS()
    assert kind.from_json({"ttl": "5m", "select": "first", "policy": "any", "more": 1, "x": None}) == {
        "ttl": "5m",
        "select": "first",
        "policy": "any",
    }
    assert kind.from_text("ttl=inf,select=roundRobin") == {"ttl": "inf", "select": "roundRobin"}
    assert kind.to_json({"ttl": "0"}) == {"ttl": "0", "select": None, "policy": None}
    refused(kind, [], "json: cannot unmarshal array into Go value of type types.DNSConfig")
    refused(kind, {"ttl": 5}, "json: cannot unmarshal float64 into Go value of type null.String")
    refused(kind, {"select": 5}, "json: cannot unmarshal number into Go value of type string")
    for ttl in ("inf", "0", "5m", ""):
        kind.check_ttl(ttl)
    for ttl in ("soon", "-5s"):
        with pytest.raises(ValueError, match=f"^invalid DNS TTL: {ttl}$"):
            kind.check_ttl(ttl)
    refused(kind, {"select": "best"}, "best does not belong to DNSSelect values")
    refused(kind, {"policy": "ipv5"}, "ipv5 does not belong to DNSPolicy values")
    for text, reason in (
        ("ttl", "no value for key ttl"),
        ("", "no value for key "),
        ("speed=9", "unknown DNS configuration field: speed"),
    ):
        with pytest.raises(ValueError, match=rf"^{reason}$"):
            kind.from_text(text)
