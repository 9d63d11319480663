"""URLs of WebSocket servers, read as Go's net/url reads them, so that requests and errors agree."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

import orjson

from jsrunner.transport.errors import DialError

_PORT = re.compile(r":\d*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")
_VALID_PATH = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/%]*\Z", re.ASCII)
_HOST_CHARACTER = re.compile(r"[^\w\-.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebSocketURL:
    secure: bool
    #: Host name or address, without brackets.
    host: str
    port: int
    #: What the request's Host line says.
    authority: str
    #: Path and query as they go on the request line.
    target: str

    @property
    def origin_path(self) -> str:
        """The path alone, for cookies."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """A URL taken apart; what is missing is empty."""

    scheme: str
    #: With the `@` behind it.
    userinfo: str
    #: Host and port.
    authority: str
    #: With the colon before it.
    port: str
    path: str
    #: With the `?` before it.
    query: str
    fragment: str

    def __str__(self) -> str:
        """As Go writes it: the path encoded, no fragment."""
        head = f"{self.scheme}:" if self.scheme else ""
        if self.authority or self.userinfo:
            head += f"//{self.userinfo}{self.authority}"
        return head + _escaped(self.path) + self.query


@functools.lru_cache(1024)
def split(url: str) -> Parts:
    """Raises DialError with Go's text for what cannot be parsed."""

    def wrong(reason: str) -> DialError:
        return DialError(f"parse {orjson.dumps(url).decode()}: {reason}")

    if any(character < " " or character == "\x7f" for character in url):
        raise wrong("net/url: invalid control character in URL")
    rest, _, fragment = url.partition("#")
    match = _SCHEME.match(rest)
    scheme = ""
    if match is not None:
        scheme, rest = match[0][:-1].lower(), rest[match.end() :]
    elif rest.startswith(":"):
        raise wrong("missing protocol scheme")
    elif ":" in rest.partition("/")[0]:
        raise wrong("first path segment in URL cannot contain colon")
    rest, question, query = rest.partition("?")
    userinfo, authority, path, at = "", "", rest, ""
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        path = slash + path
        userinfo, at, authority = authority.rpartition("@")
    port = _port_of(authority, wrong)
    for text in (path, fragment):
        if bad := _BAD_ESCAPE.search(text):
            raise wrong(f"invalid URL escape {orjson.dumps(bad[0]).decode()}")
    return Parts(scheme, userinfo + at, authority, port, path, question + query, fragment)


@functools.lru_cache(1024)
def parse(url: str) -> WebSocketURL:
    """Raises DialError with Go's text for what cannot be parsed or is no ws:// or wss:// URL."""
    parts = split(url)
    if parts.scheme not in ("ws", "wss") or parts.userinfo:
        raise DialError("malformed ws or wss URL")
    secure = parts.scheme == "wss"
    authority, port = parts.authority, parts.port
    host = authority[: -len(port)] if port else authority
    return WebSocketURL(
        secure=secure,
        host=host.strip("[]"),
        port=int(port[1:]) if port[1:] else (443 if secure else 80),
        authority=authority,
        target=(_escaped(parts.path) or "/") + parts.query,
    )


def _port_of(authority: str, wrong: object) -> str:
    """`:8080` of an authority, "" without one."""
    assert callable(wrong)
    if bad := _HOST_CHARACTER.search(authority):
        raise wrong(f"invalid character {orjson.dumps(bad[0]).decode()} in host name")
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
        raise wrong(f"invalid port {orjson.dumps(port).decode()} after host")
    return port


def _escaped(path: str) -> str:
    """The path as Go sends it: as given if that is a valid encoding, else encoded anew."""
    if _VALID_PATH.match(path):
        return path
    return quote_from_bytes(unquote_to_bytes(path), safe="/$&+,:;=@~")
