"""State that the requests of a process share: options, and caches of URLs, headers and expectations."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import gevent
import msgspec
from msgspec import Struct

from jsrunner.modules.k6.http.samples import HttpSamples, expectation
from jsrunner.transport.fields import Fields
from jsrunner.transport.headers import canonical
from jsrunner.transport.http_pools import ClientSettings
from jsrunner.transport.url import URL, URLError, parse

if TYPE_CHECKING:
    from jsrunner.modules.context import ProcessContext
    from jsrunner.modules.k6.http.samples import Expected

#: Maximum entries of a cache, which is then emptied.
_MOST_CACHED: Final = 10_000
#: Default of the option maxRedirects.
_REDIRECTS: Final = 10


class InvalidURL(ValueError):
    """k6's error 1020."""


class RequestURL(Struct, frozen=True):
    """A URL of a script, with its forms for tags."""

    url: URL
    #: As Go writes it, and as tags have it: without credentials.
    text: str
    clean: str
    #: True if Go's form equals the script's text.
    is_same: bool

    @classmethod
    def parse(cls, text: str) -> RequestURL:
        """Parse a script's URL. Raises InvalidURL."""
        try:
            url = parse(text)
        except URLError as error:
            raise InvalidURL(f"invalid URL: {error}") from None
        return cls(url, str(url), url.masked(), str(url) == text)


class Prepared(Struct, frozen=True):
    """Request headers of a script, in the forms for sending and for `response.request`."""

    #: Values by canonical names.
    headers: dict[str, str]
    #: The form that is sent.
    fields: Fields
    #: {name: [value]} for `response.request.headers`.
    json: str
    cookie: str
    #: The script's Content-Length, which is checked and not sent.
    length: str | None


def prepare(headers: dict[str, str]) -> Prepared:
    """Return headers with canonical names in all their forms."""
    shown = {name: [value] for name, value in headers.items() if name != "Content-Length"}
    return Prepared(
        headers,
        Fields(headers),
        msgspec.json.encode(shown).decode(),
        headers.get("Cookie", ""),
        headers.get("Content-Length"),
    )


class HttpShared:
    """The options and the caches for the requests of a process's VUs."""

    def __init__(self, process: ProcessContext) -> None:
        options = process.options
        self._process = process
        assert process.plan is not None
        max_body = process.plan.limits.body
        self.settings = ClientSettings(options, process.dialer, os.environ, max_body)
        self.samples = HttpSamples(process)
        self.default_expected = expectation([], [(200, 399)])
        self.max_redirects = _REDIRECTS if options.max_redirects is None else options.max_redirects
        #: True if the option is set: then too many redirections cause no warning.
        self.redirects_given = options.max_redirects is not None
        self.debugs = bool(options.http_debug)
        self.throws, self.discards = bool(options.throw), bool(options.discard_response_bodies)
        self.forgets_connections = bool(options.no_vu_connection_reuse)
        self.paces = bool(options.rps)
        self._interval = int(1e9 / options.rps) if options.rps else 0
        #: True if the core may make requests: no option needs Python for each request.
        self.repeats_requests = not (
            self.debugs
            or self.paces
            or self.samples.with_ip
            or self.forgets_connections
            or options.no_connection_reuse
        )
        #: The core's numbers of hosts, by scheme and authority.
        self._hosts: dict[tuple[str, str], int] = {}
        self._targets: dict[str, RequestURL] = {}
        self._prepared: dict[tuple[tuple[str, ...], str], Prepared] = {}
        self._expected: dict[bytes, Expected] = {}
        #: Headers of a request without headers of its own.
        self.plain = self.prepared((), "")

    def target(self, text: str) -> RequestURL:
        """Return the parsed URL of a script. Raises InvalidURL."""
        known = self._targets.get(text)
        if known is None:
            if len(self._targets) >= _MOST_CACHED:
                self._targets.clear()
            known = self._targets[text] = RequestURL.parse(text)
        return known

    def host_number(self, url: URL) -> int:
        """Return the number by which the core knows a host."""
        return self._hosts.setdefault((url.scheme, url.authority), len(self._hosts))

    def expected(self, statuses: list[int | list[int]] | None) -> Expected:
        """Return the statuses of http.expectedStatuses: numbers and [min, max]; None judges none."""
        if statuses is None:
            return None
        key = msgspec.json.encode(statuses)
        known = self._expected.get(key)
        if known is None:
            ranges = [(status[0], status[1]) for status in statuses if isinstance(status, list)]
            exact = [status for status in statuses if not isinstance(status, list)]
            known = self._expected[key] = expectation(exact, ranges)
        return known

    def prepared(self, header_list: tuple[str, ...], content_type: str) -> Prepared:
        """Return the script's headers (name, value, name, ...) over k6's own."""
        key = (header_list, content_type)
        known = self._prepared.get(key)
        if known is None:
            if len(self._prepared) >= _MOST_CACHED:
                self._prepared.clear()
            headers = {"Content-Type": content_type} if content_type else {}
            headers["User-Agent"] = self._process.user_agent
            for name, value in zip(header_list[::2], header_list[1::2], strict=True):
                headers[canonical(name)] = value
            known = self._prepared[key] = prepare(headers)
        return known

    def pace(self) -> None:
        """Wait until the request may start: the option rps bounds the rate of requests."""
        now = time.monotonic_ns()
        start = self._process.instance.next_start(now, self._interval)
        if start > now:
            gevent.sleep((start - now) / 1e9)
