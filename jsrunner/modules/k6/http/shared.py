"""What the requests of a process share: options in force, and tables of what was met before."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gevent
import orjson

from jsrunner.modules.k6.http.samples import Samples, expectation
from jsrunner.transport.fields import Fields
from jsrunner.transport.headers import canonical
from jsrunner.transport.http import Settings
from jsrunner.transport.url import URL, URLError, parse

if TYPE_CHECKING:
    from jsrunner.modules.context import ProcessContext
    from jsrunner.modules.k6.http.samples import Expected

#: Tables are emptied when they have so many entries.
_MOST_CACHED: Final = 10_000
#: How many redirections are followed if no option says it.
_REDIRECTS: Final = 10


class InvalidURL(ValueError):
    """k6's error 1020."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL as a script has written it."""

    url: URL
    #: As Go writes it, and as tags have it: without credentials.
    text: str
    clean: str
    #: Whether Go writes it as the script does.
    is_same: bool

    @classmethod
    def parse(cls, text: str) -> Target:
        """Raises InvalidURL."""
        try:
            url = parse(text)
        except URLError as error:
            raise InvalidURL(f"invalid URL: {error}") from None
        return cls(url, str(url), url.masked(), str(url) == text)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Request headers, checked and put into the shapes that are needed."""

    #: Canonical names.
    headers: dict[str, str]
    #: As they are sent.
    fields: Fields
    #: {name: [value]} for `response.request.headers`.
    json: str
    cookie: str
    #: Content-Length, which is not sent as it is given.
    length: str | None


def prepare(headers: dict[str, str]) -> Prepared:
    """Headers with canonical names in all their shapes."""
    shown = {name: [value] for name, value in headers.items() if name != "Content-Length"}
    return Prepared(
        headers,
        Fields(headers),
        orjson.dumps(shown).decode(),
        headers.get("Cookie", ""),
        headers.get("Content-Length"),
    )


class Shared:
    """What the VUs of a process share: options in force, and tables of what was met before."""

    def __init__(self, process: ProcessContext) -> None:
        options = process.options
        self._process = process
        assert process.plan is not None
        max_body = process.plan.limits.body
        self.settings = Settings(options, process.dialer, os.environ, max_body)
        self.samples = Samples(process)
        self.default_expected = expectation([], [(200, 399)])
        self.max_redirects = _REDIRECTS if options.max_redirects is None else options.max_redirects
        #: The warning about too many redirections is for those who have not set a limit.
        self.redirects_given = options.max_redirects is not None
        self.debugs = bool(options.http_debug)
        self.throws, self.discards = bool(options.throw), bool(options.discard_response_bodies)
        self.forgets_connections = bool(options.no_vu_connection_reuse)
        self.paces = bool(options.rps)
        self._interval = int(1e9 / options.rps) if options.rps else 0
        #: Whether the core may make requests by itself: nothing is to be done for each of them.
        self.repeats_requests = not (
            self.debugs
            or self.paces
            or self.samples.with_ip
            or self.forgets_connections
            or options.no_connection_reuse
        )
        #: Numbers of hosts for the core, by scheme and authority.
        self._hosts: dict[tuple[str, str], int] = {}
        self._targets: dict[str, Target] = {}
        self._prepared: dict[tuple[tuple[str, ...], str], Prepared] = {}
        self._expected: dict[bytes, Expected] = {}
        #: The headers of a request that has none of its own.
        self.plain = self.prepared((), "")

    def target(self, text: str) -> Target:
        """Raises InvalidURL."""
        found = self._targets.get(text)
        if found is None:
            if len(self._targets) >= _MOST_CACHED:
                self._targets.clear()
            found = self._targets[text] = Target.parse(text)
        return found

    def host_number(self, url: URL) -> int:
        """Return the number by which the core knows a host."""
        return self._hosts.setdefault((url.scheme, url.authority), len(self._hosts))

    def expected(self, given: list[Any] | None) -> Expected:
        """Of http.expectedStatuses: statuses and [min, max]; None switches the judgement off."""
        if given is None:
            return None
        key = orjson.dumps(given)
        found = self._expected.get(key)
        if found is None:
            ranges = [(one[0], one[1]) for one in given if isinstance(one, list)]
            exact = [one for one in given if not isinstance(one, list)]
            found = self._expected[key] = expectation(exact, ranges)
        return found

    def prepared(self, given: tuple[str, ...], content_type: str) -> Prepared:
        """Headers as a script gives them (name, value, name, ...), over those of k6 itself."""
        key = (given, content_type)
        found = self._prepared.get(key)
        if found is None:
            if len(self._prepared) >= _MOST_CACHED:
                self._prepared.clear()
            headers = {"Content-Type": content_type} if content_type else {}
            headers["User-Agent"] = self._process.user_agent
            for name, value in zip(given[::2], given[1::2], strict=True):
                headers[canonical(name)] = value
            found = self._prepared[key] = prepare(headers)
        return found

    def pace(self) -> None:
        """Wait for this request's turn: the option rps bounds their number."""
        now = time.monotonic_ns()
        start = self._process.instance.next_start(now, self._interval)
        if start > now:
            gevent.sleep((start - now) / 1e9)
