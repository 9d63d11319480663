"""Python half of `jsrunner:k6/http/cookies`: cookie jars, which JavaScript knows by number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict

import msgspec

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.transport.cookies import CookieJar, SetCookie, parse_date
from jsrunner.transport.url import URL, URLError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable


class CookieOptions(TypedDict, total=False):
    """The options of `jar.set`, as cookies.js has read them."""

    domain: str
    path: str
    http_only: bool
    secure: bool
    #: Seconds.
    max_age: int
    #: An HTTP date.
    expires: str


class Cookies(HostModule):
    """The jar operations of one VU; `ModuleContext.jars` holds the jars."""

    specifier = "jsrunner:k6/http/cookies"

    @operation
    def new(self) -> int:
        """Make an empty jar; return its number, valid until `drop`."""
        return self.vu.jars.keep(CookieJar())

    @operation
    def current(self) -> int:
        """Return a number of the VU's own jar, valid until `drop`."""
        return self.vu.jars.keep(self.vu.jars.get())

    @operation
    def drop(self, number: int) -> None:
        """Forget a jar that no object of the script refers to."""
        self.vu.jars.drop(number)

    @operation
    def pairs(self, number: int, url: str) -> dict[str, list[str]]:
        """Return the values of the jar's cookies for a URL, by name.

        Raises:
            HostError: The URL is invalid, with Go's text.
        """
        jar, parsed = self._jar(number, url)
        values_by_name: dict[str, list[str]] = {}
        pairs: Iterable[tuple[str, str]] = jar.pairs(parsed, time.time()) if jar else ()
        for name, value in pairs:
            values_by_name.setdefault(name, []).append(value)
        return values_by_name

    @operation
    def set(self, number: int, url: str, name: str, value: str, options: CookieOptions) -> bool:
        """Set a cookie on a URL.

        Args:
            number: The jar's number.
            url: The URL that sets the cookie.
            name: The cookie's name.
            value: The cookie's value.
            options: The attributes of the cookie.

        Returns:
            True, as in k6.

        Raises:
            HostError: The URL or the date is invalid.
        """
        jar, parsed = self._jar(number, url)
        cookie = SetCookie(
            name,
            value,
            domain=options.get("domain", ""),
            path=options.get("path", ""),
            http_only=options.get("http_only", False),
            secure=options.get("secure", False),
            max_age=options.get("max_age", 0),
        )
        if expires := options.get("expires"):
            cookie.expires = _rfc1123(expires)
        if jar is not None:
            jar.set(parsed, cookie, time.time())
        return True

    @operation
    def delete(self, number: int, url: str, name: str) -> None:
        """Delete a cookie of a URL. Raises HostError for an invalid URL."""
        jar, parsed = self._jar(number, url)
        if jar is not None:
            jar.delete(parsed, name, time.time())

    @operation
    def clear(self, number: int, url: str) -> None:
        """Delete all cookies of a URL. Raises HostError for an invalid URL."""
        jar, parsed = self._jar(number, url)
        if jar is not None:
            now = time.time()
            for name, _ in jar.pairs(parsed, now):
                jar.delete(parsed, name, now)

    def _jar(self, number: int, url: str) -> tuple[CookieJar | None, URL]:
        """Return the jar, None if the URL's scheme has no cookies, and the parsed URL."""
        try:
            parsed = parse(url)
        except URLError as error:
            raise HostError(str(error)) from None
        return self.vu.jars.get(number) if parsed.scheme in ("http", "https") else None, parsed


def _rfc1123(text: str) -> float:
    """Return an HTTP date as seconds since the epoch. Raises HostError with Go's text."""
    try:
        return parse_date(text)
    except ValueError:
        shown = msgspec.json.encode(text).decode()
        raise HostError(
            f'unable to parse "expires" date string {shown}: parsing time {shown} as '
            f'"Mon, 02 Jan 2006 15:04:05 MST": cannot parse {shown} as "Mon"'
        ) from None
