"""Certificates between a server's and a trusted authority's that the server does not send.

A certificate says where its issuer's is to be had (RFC 5280, section 4.2.2.1: "CA Issuers"). Browsers
look there; k6 does with the option tlsAIAFetch, by these rules and limits (k6 2.3, lib/netext).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.transport.exchange import Call
from jsrunner.transport.fields import Fields
from jsrunner.transport.http import Client, Settings
from jsrunner.transport.redirects import BadLocation, Hop, next_hop
from jsrunner.transport.url import URLError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.x509 import Certificate

    from jsrunner.options.model import Options
    from jsrunner.transport.http import Connects

#: Seconds for one certificate.
_TIMEOUT: Final = 10.0
_MOST_BYTES: Final = 64 << 10
#: Certificates that are fetched for one chain.
_MOST_FETCHES: Final = 5
_MOST_REDIRECTS: Final = 10


class _Nobody:
    """Counts the bytes, which are no traffic of the test."""

    id = 0

    def add_bytes(self, sent: int, received: int) -> None:
        """Count nothing."""


class Issuers:
    """Fetches the certificates of issuers, each address once."""

    def __init__(self, options: Options, dialer: Connects, environment: Mapping[str, str]) -> None:
        """
        Args:
            dialer: makes the connections, without fetching issuers itself.
        """
        self._client = Client(Settings(options, dialer, environment, _MOST_BYTES), _Nobody())
        self._known: dict[str, list[Certificate]] = {}

    def of(self, chain: Sequence[bytes]) -> list[str]:
        """Return the issuers' certificates as PEM, and their issuers', as far as they can be had.

        Args:
            chain: what the server has sent, as DER.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        queue = [x509.load_der_x509_certificate(one) for one in chain]
        issuers: list[Certificate] = []
        seen: set[str] = set()
        fetches = 0
        while queue:
            for url in _issuer_urls(queue.pop(0)):
                if url in seen:
                    continue
                seen.add(url)
                if url not in self._known:
                    if fetches == _MOST_FETCHES:
                        continue
                    fetches += 1
                    self._known[url] = _certificates(self._get(url))
                issuers += self._known[url]
                queue += self._known[url]
        return [one.public_bytes(Encoding.PEM).decode() for one in issuers]

    def _get(self, text: str) -> bytes:
        """What is at an address; nothing if that cannot be had."""
        headers = {"User-Agent": "Go-http-client/1.1"}
        try:
            url = parse(text)
            for _ in range(_MOST_REDIRECTS):
                exchange = self._client.exchange(Call("GET", url, Fields(headers), timeout=_TIMEOUT))
                if exchange.failure is not None or exchange.head is None:
                    return b""
                hop = next_hop(Hop("GET", url, headers, None), exchange.head)
                if hop is None:
                    return exchange.body or b"" if exchange.head.status == 200 else b""
                url = hop.url
        except (URLError, BadLocation):
            pass
        return b""


def _issuer_urls(certificate: Certificate) -> list[str]:
    """Where a certificate says that its issuer's is."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [
        one.access_location.value
        for one in access
        if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    ]


def _certificates(data: bytes) -> list[Certificate]:
    """The certificates in DER, PEM or PKCS #7; none if it is neither."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import pkcs7

    if not data:
        return []
    readers: tuple[Callable[[bytes], list[Certificate]], ...]
    if b"-----BEGIN" in data:
        readers = (x509.load_pem_x509_certificates, pkcs7.load_pem_pkcs7_certificates)
    else:
        readers = (lambda der: [x509.load_der_x509_certificate(der)], pkcs7.load_der_pkcs7_certificates)
    for read in readers:
        try:
            return read(data)
        except ValueError:
            continue
    return []
