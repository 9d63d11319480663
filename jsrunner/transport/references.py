"""URLs, their parts, and what a reference means on a page (RFC 3986), as Go's net/url has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USER: Final = re.compile(r"[\w\-.:~!$&'()*+,;=%@]*\Z", re.ASCII)
_HOST: Final = re.compile(
    r"(?:\[[^\]]*\]|(?:[\w\-.~!$&'()*+,;=<>\"]|[^\x00-\x7f])*)(?::\d*)?\Z", re.ASCII
)
_VALID_PATH: Final = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/%]*\Z", re.ASCII)
_VALID_FRAGMENT: Final = re.compile(r"[\w\-.~!$&'()*+,;=:@\[\]/?%]*\Z", re.ASCII)

_DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ftp": "21"}


@dataclass(frozen=True, slots=True)
class Link:
    """A URL in its parts, as they are spelled. All empty: the reference to the page itself."""

    scheme: str = ""
    #: What follows the scheme if that is no path: `mailto:opaque`.
    opaque: str = ""
    #: `user:password`; None if there is no "@".
    user: str | None = None
    #: Host and port.
    authority: str = ""
    path: str = ""
    #: Without the question mark; None if there is none.
    query: str | None = None
    fragment: str = ""
    #: Whether the path follows the scheme at once: `scheme:/path`.
    bare: bool = False

    def __str__(self) -> str:
        text = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            text += self.opaque
        else:
            named = self.scheme or self.authority or self.user is not None
            located = self.authority or self.user is not None
            if named and not (self.bare and not located):
                text += "//" if located or self.path else ""
                text += f"{self.user}@" if self.user is not None else ""
                text += self.authority
            path = _encoded(self.path, _VALID_PATH, "/$&+,:;=@~")
            if path and not path.startswith("/") and self.authority:
                path = f"/{path}"
            if not text and ":" in path.partition("/")[0]:
                path = f"./{path}"
            text += path
        if self.query is not None:
            text += f"?{self.query}"
        if self.fragment:
            text += f"#{_encoded(self.fragment, _VALID_FRAGMENT, '/$&+,:;=?@~!()*')}"
        return text

    def parts(self) -> dict[str, str]:
        """What the DOM's links have, as k6 spells it: `protocol` has no colon."""
        host, port = self.authority, ""
        if match := re.search(r":(\d*)\Z", self.authority):
            host, port = self.authority[: match.start()], match[1]
        default = port and port == _DEFAULT_PORTS.get(self.scheme)
        user, _, password = (self.user or "").partition(":")
        origin = ""
        if self.scheme:
            origin = str(self) if self.scheme == "file" else f"{self.scheme}://{self.authority}"
        return {
            "hash": f"#{_decoded(self.fragment)}" if self.fragment else "",
            "host": host.strip("[]") if default else self.authority,
            "hostname": host.strip("[]") if port or self.authority.endswith(":") else host,
            "origin": origin,
            "password": _decoded(password),
            "pathname": _decoded(self.path),
            "port": port,
            "protocol": self.scheme or ":",
            "search": f"?{self.query}" if self.query else "",
            "username": _decoded(user),
        }


def parse(text: str) -> Link | None:
    """None if the text is no URL."""
    if _CONTROL.search(text):
        return None
    rest, _, fragment = text.partition("#")
    scheme = ""
    if match := _SCHEME.match(rest):
        scheme, rest = match[1].lower(), rest[match.end() :]
    elif rest.startswith(":"):
        return None
    rest, question, query = rest.partition("?")
    link = Link(scheme, query=query if question else None, fragment=fragment)
    if _BAD_ESCAPE.search(fragment):
        return None
    if not rest.startswith("/"):
        if scheme:
            return replace(link, opaque=rest)
        if ":" in rest.partition("/")[0]:
            return None
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        user, at, authority = authority.rpartition("@")
        if not _HOST.match(authority) or not _USER.match(user) or _BAD_ESCAPE.search(user):
            return None
        link = replace(link, user=user if at else None, authority=authority)
        rest = slash + path
    else:
        link = replace(link, bare=bool(scheme) and rest.startswith("/"))
    return None if _BAD_ESCAPE.search(rest) else replace(link, path=rest)


def resolve(base: str, reference: str) -> Link | None:
    """What the reference means on the page `base`; None if either is no URL."""
    page, link = parse(base), parse(reference)
    if page is None or link is None:
        return None
    if link.scheme or link.authority or link.user is not None:
        return replace(link, scheme=link.scheme or page.scheme, path=_resolved("", link.path))
    link = replace(link, scheme=page.scheme)
    if not link.path and link.query is None:
        link = replace(link, query=page.query, fragment=link.fragment or page.fragment)
    if not link.path and page.opaque:
        return replace(link, opaque=page.opaque)
    return replace(link, authority=page.authority, user=page.user, path=_resolved(page.path, link.path))


def _resolved(base: str, path: str) -> str:
    """The path, seen from the base path, without `.` and `..`."""
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


def _encoded(text: str, valid: re.Pattern[str], safe: str) -> str:
    """As it is spelled if that is a valid encoding, else encoded anew."""
    return text if valid.match(text) else quote_from_bytes(unquote_to_bytes(text), safe=safe)


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode(errors="replace")
