"""A cookie jar with the rules of Go's net/http/cookiejar (RFC 6265, without a public suffix list)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from jsrunner.transport.addresses import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsrunner.transport.url import WebSocketURL


@dataclass(slots=True)
class Cookie:
    """A cookie as it is kept. `expires` is seconds since the epoch, None for the session's end."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None
    created: int


class CookieJar:
    """The cookies of a VU."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._cookies)

    def header(self, url: WebSocketURL, now: float) -> str:
        """The Cookie line for a request, "" for none: longer paths first, then the older ones."""
        host, path = url.host.lower(), url.origin_path or "/"
        found = [
            one
            for key, one in list(self._cookies.items())
            if self._alive(key, one, now)
            and (host == one.domain if one.host_only else _in_domain(host, one.domain))
            and _in_path(path, one.path)
            and (url.secure or not one.secure)
        ]
        found.sort(key=lambda one: (-len(one.path), one.created))
        return "; ".join(f"{one.name}={one.value}" for one in found)

    def _alive(self, key: tuple[str, str, str], one: Cookie, now: float) -> bool:
        if one.expires is not None and one.expires <= now:
            del self._cookies[key]
            return False
        return True

    def store(self, url: WebSocketURL, lines: Iterable[str], now: float) -> None:
        """Take over the Set-Cookie lines of a response."""
        host = url.host.lower()
        for line in lines:
            cookie = self._parse(line, host, url.origin_path or "/", now)
            if cookie is None:
                continue
            key = (cookie.domain, cookie.path, cookie.name)
            if cookie.expires is not None and cookie.expires <= now:
                self._cookies.pop(key, None)
                continue
            if key in self._cookies:
                cookie.created = self._cookies[key].created
            self._cookies[key] = cookie

    def _parse(self, line: str, host: str, path: str, now: float) -> Cookie | None:
        pair, *attributes = line.split(";")
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip().strip('"')
        if not equals or not name:
            return None
        self._count += 1
        default = path.rpartition("/")[0] or "/"
        cookie = Cookie(name, value, host, default, True, False, None, self._count)
        lasting: float | None = None
        for attribute in attributes:
            key, _, text = attribute.partition("=")
            key, text = key.strip().lower(), text.strip()
            if key == "domain" and text.strip("."):
                domain = text.lower().lstrip(".")
                if literal(host) is not None:
                    if domain != host:
                        return None
                elif not _in_domain(host, domain):
                    return None
                else:
                    cookie.domain, cookie.host_only = domain, False
            elif key == "path" and text.startswith("/"):
                cookie.path = text
            elif key == "secure":
                cookie.secure = True
            elif key == "max-age":
                try:
                    lasting = now + int(text) if int(text) > 0 else 0.0
                except ValueError:
                    continue
            elif key == "expires":
                try:
                    cookie.expires = parsedate_to_datetime(text).timestamp()
                except ValueError:
                    continue
        if lasting is not None:
            cookie.expires = lasting
        return cookie


def _in_domain(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _in_path(path: str, prefix: str) -> bool:
    return path == prefix or (
        path.startswith(prefix) and (prefix.endswith("/") or path[len(prefix) : len(prefix) + 1] == "/")
    )
