"""URLs as Go's net/url reads, resolves and writes them (RFC 3986): requests, tags and errors agree."""

from __future__ import annotations

import functools
import re
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from msgspec import Struct
from msgspec.structs import replace

from jsrunner.options.numbers import quote
from jsrunner.transport.errors import DialError

_PORT: Final = re.compile(r":\d*\Z", re.ASCII)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_ASCII_ESCAPE: Final = re.compile(r"%(?!25)[0-7][0-9A-Fa-f]")
_USER: Final = re.compile(r"[\w\-.:~!$&'()*+,;=%@]*\Z", re.ASCII)
_VALID_PATH: Final = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/%]*\Z", re.ASCII)
_VALID_FRAGMENT: Final = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/?%]*\Z", re.ASCII)
_NOT_IN_HOST: Final = re.compile(r"(?![^\x00-\x7f])[^\w\-.~!$&'()*+,;=:\[\]<>\"%]", re.ASCII)

_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class URLError(ValueError):
    """A text is no URL; Go's words for it: `parse "...": invalid port ":x" after host`."""


class _Wrong(Exception):
    """A text is no URL; Go's reason."""


class URL(Struct, frozen=True):
    """A URL or a reference in its parts. `str()` is what Go's `String` gives.

    All parts empty: the reference to the page itself.
    """

    #: In lower case.
    scheme: str = ""
    #: `user:password` as it was written, None without credentials.
    user: str | None = None
    #: Host and port, percent-decoded: the value of a request's Host line.
    authority: str = ""
    #: Host name or address, without brackets.
    host: str = ""
    #: The port as it was written, "" without a port.
    port_text: str = ""
    #: Escaped as Go sends it.
    path: str = ""
    #: Query without the question mark; None without a question mark.
    query: str | None = None
    #: As it was written.
    fragment: str = ""
    #: Text behind a scheme without a slash: `mailto:opaque`.
    opaque: str = ""
    #: True if the path follows the scheme at once: `scheme:/path`.
    is_bare: bool = False

    @property
    def secure(self) -> bool:
        """True if the scheme's connections have TLS."""
        return self.scheme in ("https", "wss")

    @property
    def port(self) -> int:
        """The port that is written, else the scheme's own, else 0. It may be more than 65535."""
        if self.port_text:
            return int(self.port_text)
        if self.authority.endswith(":") and self.scheme in ("ws", "wss"):  # as gorilla/websocket
            return 0
        return _PORTS.get(self.scheme, 0)

    @property
    def target(self) -> str:
        """The target of the request line (Go's `RequestURI`)."""
        target = self.opaque or self.path or "/"
        if target.startswith("//"):
            target = f"{self.scheme}:{target}" if self.opaque else target
        return target if self.query is None else f"{target}?{self.query}"

    def __str__(self) -> str:
        text = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            text += self.opaque
        else:
            is_located = bool(self.authority) or self.user is not None
            if is_located or (self.scheme and not self.is_bare and self.path):
                text += "//"
            if self.user is not None:
                text += f"{_escaped_user(self.user)}@"
            text += _escaped_host(self.authority)
            if self.path and self.authority and not self.path.startswith("/"):
                text += "/"
            if not text and ":" in self.path.partition("/")[0]:
                text = "./"
            text += self.path
        if self.query is not None:
            text += f"?{self.query}"
        if self.fragment:
            text += f"#{_escaped(self.fragment, _VALID_FRAGMENT, '/$&+,:;=?@~!()*')}"
        return text

    @property
    def credentials(self) -> tuple[str, str]:
        """The unescaped user and password."""
        user, _, password = (self.user or "").partition(":")
        return decoded(user), decoded(password)

    def masked(self, mask: str = "****:****") -> str:
        """Return the text with credentials hidden behind `mask`."""
        if self.user is None:
            return str(self)
        shown = mask if ":" in self.user else mask.partition(":")[0]
        return str(replace(self, user="@")).replace("%40@", f"{shown}@", 1)

    def without_user(self) -> str:
        """Return the text without credentials."""
        return str(self) if self.user is None else str(replace(self, user=None))

    def resolve(self, link: URL) -> URL:
        """Return the URL of a parsed reference on this page (RFC 3986, section 5.2)."""
        if link.scheme or link.authority or link.user is not None:
            return replace(link, scheme=link.scheme or self.scheme, path=_resolved_path("", link.path))
        link = replace(link, scheme=self.scheme)
        if not link.path and link.query is None:
            link = replace(link, query=self.query, fragment=link.fragment or self.fragment)
        if not link.path and self.opaque:
            return replace(link, opaque=self.opaque)
        return replace(
            link,
            authority=self.authority,
            host=self.host,
            port_text=self.port_text,
            user=self.user,
            path=_resolved_path(self.path, link.path),
        )


@functools.lru_cache(1024)
def parse(text: str) -> URL:
    """Parse any URL or reference. Raises URLError."""
    rest, _, fragment = text.partition("#")
    shown = rest
    try:
        url = _parse(rest)
        shown = text
        _check_escapes(fragment)
    except _Wrong as wrong:
        raise URLError(f"parse {quote(shown)}: {wrong}") from None
    return replace(url, fragment=fragment) if fragment else url


@functools.lru_cache(1024)
def parse_websocket(text: str) -> URL:
    """Parse a ws:// or wss:// URL. Raises DialError with Go's text for any other text."""
    try:
        url = parse(text)
    except URLError as error:
        raise DialError(str(error)) from None
    if url.scheme not in ("ws", "wss") or url.user is not None:
        raise DialError("malformed ws or wss URL")
    return url


def resolve(base: str, reference: str) -> URL | None:
    """Return the URL of a reference on the page `base`; None if either is no URL."""
    try:
        return parse(base).resolve(parse(reference))
    except URLError:
        return None


def decoded(text: str) -> str:
    """Return the text with its percent escapes decoded."""
    return unquote_to_bytes(text).decode("utf-8", "replace")


def _parse(rest: str) -> URL:
    """Parse a reference without a fragment. Raises _Wrong."""
    if _CONTROL.search(rest):
        raise _Wrong("net/url: invalid control character in URL")
    scheme = ""
    if match := _SCHEME.match(rest):
        scheme, rest = match[1].lower(), rest[match.end() :]
    elif rest.startswith(":"):
        raise _Wrong("missing protocol scheme")
    rest, question, query = rest.partition("?")
    url = URL(scheme, query=query if question else None)
    if not rest.startswith("/"):
        if scheme:
            return replace(url, opaque=rest)
        if ":" in rest.partition("/")[0]:
            raise _Wrong("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        url = _with_authority(url, authority)
        rest = slash + path
    elif scheme:
        url = replace(url, is_bare=True)
    _check_escapes(rest)
    return replace(url, path=_escaped(rest, _VALID_PATH, "/$&+,:;=@~"))


def _with_authority(url: URL, authority: str) -> URL:
    userinfo, at, authority = authority.rpartition("@")
    if authority.rfind("[") >= 0:
        host, port = _bracketed_host(authority)
        authority = f"[{host}]{port}"
    else:
        port = authority[authority.rfind(":") :] if ":" in authority else ""
        _check_port(port)
        authority = _decoded_host(authority)
        host = authority[: -len(port)] if port else authority
    if at:
        if not _USER.match(userinfo):
            raise _Wrong("net/url: invalid userinfo")
        _check_escapes(userinfo)
    return replace(
        url, user=userinfo if at else None, authority=authority, host=host, port_text=port[1:]
    )


def _bracketed_host(authority: str) -> tuple[str, str]:
    """Split `[::1]:80` into the address and `:port` or "". Raises _Wrong."""
    closing = authority.rfind("]")
    if closing < 0:
        raise _Wrong("missing ']' in host")
    port = authority[closing + 1 :]
    _check_port(port)
    name, percent, zone = authority[authority.rfind("[") + 1 : closing].partition("%25")
    host = _decoded_host(name)
    import ipaddress  # which few scripts need

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise _Wrong(f"invalid host: ParseAddr({quote(host)}): unable to parse IP") from None
    if address.version == 4:
        raise _Wrong("invalid IP-literal")
    return (f"{host}%{decoded(zone)}" if percent else host), port


def _check_port(port: str) -> None:
    if port and not _PORT.match(port):
        raise _Wrong(f"invalid port {quote(port)} after host")


def _decoded_host(text: str) -> str:
    """Return the host with its escapes, of non-ASCII characters only, decoded. Raises _Wrong."""
    if "%" in text:
        _check_escapes(text)
        if bad := _ASCII_ESCAPE.search(text):
            raise _Wrong(f"invalid URL escape {quote(bad[0])}")
    if bad := _NOT_IN_HOST.search(text):
        raise _Wrong(f"invalid character {quote(bad[0])} in host name")
    return decoded(text) if "%" in text else text


def _check_escapes(text: str) -> None:
    if "%" in text and (bad := _BAD_ESCAPE.search(text)):
        raise _Wrong(f"invalid URL escape {quote(bad[0])}")


def _escaped(text: str, valid: re.Pattern[str], safe: str) -> str:
    """Return the text unchanged if its encoding is valid, else encoded anew."""
    return text if valid.match(text) else quote_from_bytes(unquote_to_bytes(text), safe=safe)


def _escaped_host(text: str) -> str:
    if text.isascii() and "%" not in text:
        return text
    return quote_from_bytes(text.encode(), safe="!$&'()*+,;=:[]<>\"")


def _escaped_user(text: str) -> str:
    user, colon, password = text.partition(":")
    parts = (user, password) if colon else (user,)
    return ":".join(quote_from_bytes(unquote_to_bytes(part), safe="$&+,;=~") for part in parts)


def _resolved_path(base: str, path: str) -> str:
    """Return the path, resolved on the base path, without `.` and `..`."""
    if not path.startswith("/"):
        path = base[: base.rfind("/") + 1] + path if path else base
    if not path:
        return ""
    segments: list[str] = []
    names = path.removeprefix("/").split("/")
    for name in names:
        if name == "..":
            segments = segments[:-1]
        elif name != ".":
            segments.append(name)
    if names[-1] in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)
