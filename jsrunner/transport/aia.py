"""Fetching of intermediate certificates that a server does not send.

A certificate names the URL of its issuer's certificate (RFC 5280, section 4.2.2.1: "CA Issuers").
Browsers fetch it; k6 does so with the option tlsAIAFetch. Rules and limits are k6 2.3's (lib/netext).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.transport.exchange import HttpCall
from jsrunner.transport.fields import Fields
from jsrunner.transport.http import HttpClient
from jsrunner.transport.http_pools import ClientSettings
from jsrunner.transport.redirects import BadLocation, Hop, next_hop
from jsrunner.transport.url import URLError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.x509 import Certificate

    from jsrunner.options.model import Options
    from jsrunner.transport.http_pools import Connects

#: Seconds of one fetch.
_TIMEOUT: Final = 10.0
_MOST_BYTES: Final = 64 << 10
#: Certificates that are fetched for one chain.
_MOST_FETCHES: Final = 5
_MOST_REDIRECTS: Final = 10


class _Nobody:
    """A meter that counts nothing: these bytes are no traffic of the test."""

    id = 0

    def add_bytes(self, sent: int, received: int) -> None:
        """Count nothing."""


class Issuers:
    """Fetches the certificates of issuers, each address once."""

    def __init__(self, options: Options, dialer: Connects, environment: Mapping[str, str]) -> None:
        """Make a fetcher with an empty cache.

        Args:
            options: The run's options.
            dialer: The maker of connections, which fetches no issuers itself.
            environment: The environment, which names proxies.
        """
        self._client = HttpClient(ClientSettings(options, dialer, environment, _MOST_BYTES), _Nobody())
        self._known: dict[str, list[Certificate]] = {}

    def of(self, chain: Sequence[bytes]) -> list[str]:
        """Return the certificates of the chain's issuers as PEM, as far as they can be fetched.

        Args:
            chain: The certificates that the server has sent, as DER.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        queue = [x509.load_der_x509_certificate(encoded) for encoded in chain]
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
        return [issuer.public_bytes(Encoding.PEM).decode() for issuer in issuers]

    def _get(self, text: str) -> bytes:
        """Return the content of a URL; b"" if the fetch fails."""
        headers = {"User-Agent": "Go-http-client/1.1"}
        try:
            url = parse(text)
            for _ in range(_MOST_REDIRECTS):
                exchange = self._client.exchange(
                    HttpCall("GET", url, Fields(headers), timeout=_TIMEOUT)
                )
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
    """Return the URLs of the issuer's certificate that a certificate names."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [
        description.access_location.value
        for description in access
        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    ]


def _certificates(data: bytes) -> list[Certificate]:
    """Parse the certificates in DER, PEM or PKCS #7; return none for other data."""
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
