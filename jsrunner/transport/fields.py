"""A request's header fields, checked and in the order in which Go's net/http sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.options.numbers import quote
from jsrunner.transport.headers import host_value, is_name, is_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Fields that the transport writes itself or not at all.
_OWN: Final = ("Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer", "Cookie")
#: Methods without a body: an empty one is no body to them.
_USUALLY_BODILESS: Final = ("GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "SEARCH")
WITH_LENGTH: Final = ("POST", "PUT", "PATCH")


class Fields:
    """The header fields of requests: built once, sent many times."""

    __slots__ = ("_after", "_agent", "_before", "agent", "host", "others", "problem")

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Check and sort header fields.

        Args:
            headers: Values by canonical names. `Cookie` is left out: `encode` takes it.
        """
        #: Replacement of the URL's host, None for none.
        self.host = host_value(host) if (host := headers.get("Host")) else None
        self.agent = _one_line(headers.get("User-Agent", ""))
        #: The other fields, sorted by name.
        self.others = tuple(
            (name, _one_line(headers[name])) for name in sorted(headers) if name not in _OWN
        )
        #: Go's reason to refuse the fields, "" if it accepts them.
        self.problem = _problem(headers)
        self._agent = _lines((("User-Agent", self.agent),) if self.agent else ())
        self._before = _lines(pair for pair in self.others if pair[0] < "Cookie")
        self._after = _lines(pair for pair in self.others if pair[0] > "Cookie")

    def around(
        self, method: str, target: str, host: str, cookies: str, last: str = ""
    ) -> tuple[str, str]:
        """Return the lines before and behind those that describe the body (see `encode`)."""
        cookie = f"Cookie: {cookies}\r\n" if cookies else ""
        host = host if self.host is None else self.host
        start = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{self._agent}"
        return start, f"{self._before}{cookie}{self._after}{last}\r\n"

    def encode(
        self, method: str, target: str, host: str, body: bytes | None, cookies: str, last: str = ""
    ) -> bytes:
        """Return the bytes of an HTTP/1.1 request.

        Args:
            method: The HTTP method.
            target: The target on the request line.
            host: the Host field's value, unless the fields have one.
            body: None for none; an empty one is sent in chunks, as its length is not known to Go.
            cookies: the Cookie field's value, "" for none.
            last: further fields, as lines.
        """
        framing = ""
        if body:
            framing = f"Content-Length: {len(body)}\r\n"
        elif body is None:
            if method in WITH_LENGTH:
                framing = "Content-Length: 0\r\n"
        elif method not in _USUALLY_BODILESS:
            framing, body = "Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
        start, end = self.around(method, target, host, cookies, last)
        head = f"{start}{framing}{end}".encode()
        return head + body if body else head


def _lines(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in pairs)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ").strip(" \t")


def _problem(headers: Mapping[str, str]) -> str:
    for name, value in headers.items():
        if not is_name(name):
            return f"net/http: invalid header field name {quote(name)}"
        if not is_value(value):
            return f"net/http: invalid header field value for {quote(name)}"
    return ""
