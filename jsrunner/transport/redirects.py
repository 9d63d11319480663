"""Requests that follow redirections, by the rules of Go's http.Client (RFC 9110, section 15.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from jsrunner.transport.url import URLError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.transport.head import Head
    from jsrunner.transport.url import URL

_TO_GET: Final = (301, 302, 303)
_UNCHANGED: Final = (307, 308)
#: Fields that are not sent to other sites.
_SENSITIVE: Final = ("Authorization", "Www-Authenticate", "Cookie", "Cookie2")
#: Fields that describe a body, removed with the body.
_OF_BODY: Final = ("Content-Encoding", "Content-Language", "Content-Location", "Content-Type")


class BadLocation(ValueError):
    """A Location header is no URL; the text is Go's."""


class Hop(Struct, frozen=True):
    """A request of a chain of redirections."""

    method: str
    url: URL
    #: The caller's headers without those that are not for this hop.
    headers: Mapping[str, str]
    body: bytes | None
    #: The Referer header, if the caller has none.
    referer: str = ""


def next_hop(hop: Hop, head: Head) -> Hop | None:
    """Return the request that a redirection asks for; None for other responses. Raises BadLocation."""
    if head.status in _TO_GET:
        method, body = hop.method if hop.method in ("GET", "HEAD") else "GET", None
    elif head.status in _UNCHANGED:
        method, body = hop.method, hop.body
    else:
        return None
    if not head.location:
        return None
    try:
        reference = parse(head.location)
    except URLError as error:
        location = msgspec.json.encode(head.location).decode()
        raise BadLocation(f"failed to parse Location header {location}: {error}") from None
    url = hop.url.resolve(reference)
    headers = dict(hop.headers)
    if reference.scheme:
        headers.pop("Host", None)  # it was meant for the host before
    if not _same_site(url, hop.url):
        for name in _SENSITIVE:
            headers.pop(name, None)
    if body is None:
        for name in _OF_BODY:
            headers.pop(name, None)
    referer = "" if hop.url.secure and not url.secure else hop.url.without_user()
    return Hop(method, url, headers, body, referer)


def _same_site(new: URL, old: URL) -> bool:
    host, other = new.host.lower(), old.host.lower()
    return host == other or host.endswith("." + other)
