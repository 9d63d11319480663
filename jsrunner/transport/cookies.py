"""Cookies with the rules of Go's net/http and its cookiejar (RFC 6265, no public suffix list)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.transport.addresses import literal
from jsrunner.transport.headers import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsrunner.transport.url import URL

_NAME: Final = re.compile(rf"{TOKEN}\Z")
#: Bytes that a value may not contain (Go allows blanks and commas, and quotes around the value).
_BAD_VALUE: Final = re.compile(r"[^ !#-:<-\[\]-~]")


class SetCookie(Struct):
    """A cookie that a server or a script sets."""

    name: str
    value: str = ""
    domain: str = ""
    path: str = ""
    http_only: bool = False
    secure: bool = False
    #: Seconds of life; 0 if missing, negative to delete the cookie.
    max_age: int = 0
    #: Seconds since the epoch, None if missing.
    expires: float | None = None


def parse_set_cookie(line: str) -> SetCookie | None:
    """Parse a Set-Cookie line; return None for a line that Go ignores."""
    pair, *attributes = line.strip().split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(), value.strip(" \t")
    if not equals or not _NAME.match(name):
        return None
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if _BAD_VALUE.search(value):
        return None
    cookie = SetCookie(name, value)
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        key, text = key.strip().lower(), text.strip()
        if key == "domain":
            cookie.domain = text
        elif key == "path":
            cookie.path = text
        elif key == "secure":
            cookie.secure = True
        elif key == "httponly":
            cookie.http_only = True
        elif key == "max-age":
            if re.match(r"-?(?:0|[1-9]\d*)\Z", text):
                cookie.max_age = int(text) if int(text) > 0 else -1
        elif key == "expires":
            try:
                cookie.expires = parse_date(text)
            except ValueError:
                continue
    return cookie


def parse_date(text: str) -> float:
    """Parse an HTTP date (RFC 9110, section 5.6.7) into seconds since the epoch. Raises ValueError."""
    from datetime import timezone
    from email.utils import parsedate_to_datetime

    date = parsedate_to_datetime(text)
    return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()


def sanitized(name: str, value: str) -> str:
    """Return `name=value` as Go writes it into a Cookie header."""
    value = _BAD_VALUE.sub("", value)
    if " " in value or "," in value:
        value = f'"{value}"'
    return f"{name.replace(chr(13), '-').replace(chr(10), '-')}={value}"


class _Kept(Struct):
    """A cookie of a jar. `expires` is seconds since the epoch, None for the session's end."""

    name: str
    value: str
    domain: str
    #: The last two labels of the host that has set it: other sites do not get it, whatever its domain.
    site: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None
    created: int


class CookieJar:
    """The cookies of a VU."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str, str], _Kept] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._cookies)

    def pairs(self, url: URL, now: float) -> list[tuple[str, str]]:
        """Return (name, value) pairs for a request: longer paths first, then older cookies."""
        host, path = _host(url), url.path or "/"
        site = _site(host)
        matching = [
            cookie
            for key, cookie in list(self._cookies.items())
            if self._alive(key, cookie, now)
            and cookie.site == site
            and (host == cookie.domain if cookie.host_only else _in_domain(host, cookie.domain))
            and _in_path(path, cookie.path)
            and (url.secure or not cookie.secure or _is_loopback(cookie.domain))
        ]
        matching.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return [(cookie.name, cookie.value) for cookie in matching]

    def header(self, url: URL, now: float) -> str:
        """Return the Cookie header's value for a request, "" without cookies."""
        return "; ".join(sanitized(name, value) for name, value in self.pairs(url, now))

    def _alive(self, key: tuple[str, str, str, str], cookie: _Kept, now: float) -> bool:
        if cookie.expires is not None and cookie.expires <= now:
            del self._cookies[key]
            return False
        return True

    def store(self, url: URL, lines: Iterable[str], now: float) -> None:
        """Store the cookies of a response's Set-Cookie lines."""
        for line in lines:
            cookie = parse_set_cookie(line)
            if cookie is not None:
                self.set(url, cookie, now)

    def set(self, url: URL, cookie: SetCookie, now: float) -> None:
        """Store a cookie that was set on this URL, if RFC 6265 allows it."""
        host, path = _host(url), cookie.path
        if not path.startswith("/"):
            path = (url.path or "/").rpartition("/")[0] or "/"
        domain, host_only = host, True
        wanted = cookie.domain.lower().removeprefix(".")
        if wanted and literal(host) is not None:
            if wanted != host:
                return
        elif wanted:
            if not _in_domain(host, wanted):
                return
            domain, host_only = wanted, False
        key = (_site(host), domain, path, cookie.name)
        expires = now + cookie.max_age if cookie.max_age > 0 else cookie.expires
        if cookie.max_age < 0 or (expires is not None and expires <= now):
            self._cookies.pop(key, None)
            return
        known = self._cookies.get(key)
        if known is None:
            self._count += 1
        created = self._count if known is None else known.created
        self._cookies[key] = _Kept(
            cookie.name,
            cookie.value,
            domain,
            _site(host),
            path,
            host_only,
            cookie.secure,
            expires,
            created,
        )

    def delete(self, url: URL, name: str, now: float) -> None:
        """Delete the cookie that a plain cookie of this name on this URL would replace."""
        self.set(url, SetCookie(name, max_age=-1), now)


def _host(url: URL) -> str:
    return url.host.lower().removesuffix(".")


def _site(host: str) -> str:
    return host if literal(host) is not None else ".".join(host.split(".")[-2:])


def _is_loopback(domain: str) -> bool:
    """Return True if a domain is this machine, by the rules of browsers and Go."""
    address = literal(domain)
    if address is not None:
        return address.is_loopback
    return domain == "localhost" or domain.endswith(".localhost")


def _in_domain(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _in_path(path: str, prefix: str) -> bool:
    return path == prefix or (
        path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix) : len(prefix) + 1] == "/")
    )
