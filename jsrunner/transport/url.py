"""URLs read as Go's net/url reads them, so that requests, tags and errors agree (RFC 3986)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes, unquote_to_bytes

import orjson

from jsrunner.transport.errors import DialError

_PORT = re.compile(r":\d*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_USER = re.compile(r"[\w\-.:~!$&'()*+,;=%@]*\Z", re.ASCII)
_VALID_PATH = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/%]*\Z", re.ASCII)
_HOST_CHARACTER = re.compile(r"(?![^\x00-\x7f])[^\w\-.~!$&'()*+,;=:\[\]<>\"%]", re.ASCII)

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class URLError(ValueError):
    """A text is no URL; Go's words for it: `parse "...": invalid port ":x" after host`."""


@dataclass(frozen=True, slots=True)
class URL:
    """A URL's parts. Schemes are in lower case; `str()` is what Go's `String` says."""

    scheme: str = ""
    #: `user:password` as it was written, None without one.
    user: str | None = None
    #: What a request's Host line says.
    authority: str = ""
    #: Host name or address, without brackets.
    host: str = ""
    port: int = 0
    #: Escaped as Go sends it.
    path: str = ""
    #: Without the question mark; None without one.
    query: str | None = None
    fragment: str = ""
    #: What follows a scheme without a slash: `mailto:opaque`.
    opaque: str = ""

    @property
    def secure(self) -> bool:
        return self.scheme in ("https", "wss")

    @property
    def target(self) -> str:
        """Path and query as they go on the request line."""
        return (self.path or "/") + ("" if self.query is None else "?" + self.query)

    def __str__(self) -> str:
        text = self.scheme + ":" if self.scheme else ""
        if self.opaque:
            text += self.opaque
        else:
            if self.authority or self.user is not None:
                text += "//" + ("" if self.user is None else self.user + "@") + self.authority
            text += self.path
        if self.query is not None:
            text += "?" + self.query
        return text + ("#" + self.fragment if self.fragment else "")

    @property
    def credentials(self) -> tuple[str, str]:
        """(user, password), unescaped."""
        user, _, password = (self.user or "").partition(":")
        return (
            unquote_to_bytes(user).decode("utf-8", "replace"),
            unquote_to_bytes(password).decode("utf-8", "replace"),
        )

    def masked(self, mask: str = "****:****") -> str:
        """The text with credentials hidden."""
        if self.user is None:
            return str(self)
        return str(replace(self, user=mask if ":" in self.user else mask.partition(":")[0]))

    def without_user(self) -> str:
        """The text without credentials."""
        return str(self) if self.user is None else str(replace(self, user=None))


@functools.lru_cache(1024)
def parse(text: str) -> URL:
    """Any URL or reference. Raises URLError."""

    def wrong(reason: str) -> URLError:
        return URLError(f"parse {_quoted(text)}: {reason}")

    rest, _, fragment = text.partition("#")
    if _CONTROL.search(rest):
        raise wrong("net/url: invalid control character in URL")
    match = _SCHEME.match(rest)
    scheme = ""
    if match is not None:
        scheme, rest = match[0][:-1].lower(), rest[match.end() :]
    elif rest.startswith(":"):
        raise wrong("missing protocol scheme")
    rest, question, query = rest.partition("?")
    found = URL(scheme, query=query if question else None, fragment=fragment)
    if not rest.startswith("/"):
        if scheme:
            return replace(found, opaque=rest)
        if ":" in rest.partition("/")[0]:
            raise wrong("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        userinfo, at, authority = authority.rpartition("@")
        port = _port_of(authority, wrong)
        if at and not _USER.match(userinfo):
            raise wrong("net/url: invalid userinfo")
        rest = slash + path
        host = (authority[: -len(port)] if port else authority).strip("[]")
        found = replace(
            found,
            user=userinfo if at else None,
            authority=authority,
            host=host,
            port=int(port[1:]) if port[1:] else _PORTS.get(scheme, 0),
        )
    for escaped in (found.user or "", found.host, rest, fragment):
        if "%" in escaped and (bad := _BAD_ESCAPE.search(escaped)):
            raise wrong(f"invalid URL escape {_quoted(bad[0])}")
    return replace(found, path=_escaped(rest))


@functools.lru_cache(1024)
def parse_websocket(text: str) -> URL:
    """Raises DialError with Go's text for what cannot be parsed or is no ws:// or wss:// URL."""
    try:
        found = parse(text)
    except URLError as error:
        raise DialError(str(error)) from None
    if found.scheme not in ("ws", "wss") or found.user is not None:
        raise DialError("malformed ws or wss URL")
    return found


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _port_of(authority: str, wrong: object) -> str:
    """`:8080` of an authority, "" without one."""
    assert callable(wrong)
    if bad := _HOST_CHARACTER.search(authority):
        raise wrong(f"invalid character {_quoted(bad[0])} in host name")
    after = authority
    if authority.startswith("["):
        closing = authority.rfind("]")
        if closing < 0:
            raise wrong("missing ']' in host")
        after = authority[closing + 1 :]
    elif ":" not in authority:
        return ""
    port = after[after.find(":") :] if ":" in after else after
    if port and not _PORT.match(port):
        raise wrong(f"invalid port {_quoted(port)} after host")
    return port


def _escaped(path: str) -> str:
    """The path as Go sends it: as given if that is a valid encoding, else encoded anew."""
    if _VALID_PATH.match(path):
        return path
    return quote_from_bytes(unquote_to_bytes(path), safe="/$&+,:;=@~")
