"""The head of an HTTP response: its status line and its header fields as Go's net/http shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import orjson

from jsrunner.transport.headers import canonical

#: Go's own words where Python's differ.
_REASONS: Final = {code.value: code.phrase for code in HTTPStatus} | {
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}


@dataclass(slots=True, eq=False)
class Head:
    """A response's head. Names are canonical; a name that came more than once has all its values."""

    proto: str
    status: int
    #: `200 OK`
    status_text: str
    headers: dict[str, list[str]]
    set_cookies: list[str] = field(init=False)
    #: Of the body, in the order in which they were applied.
    encodings: list[str] = field(init=False)
    location: str = field(init=False)
    #: Whether there is no body, whatever was sent (RFC 9110, section 6.4.1).
    is_bodiless: bool = field(init=False)
    #: The part of a response's JSON that depends on the head alone (see modules.k6.http).
    json: bytes = field(init=False)

    def __post_init__(self) -> None:
        headers = self.headers
        self.set_cookies = headers.get("Set-Cookie", [])
        encoding = headers.get("Content-Encoding", [""])[0]
        self.encodings = [one.strip() for one in encoding.split(",") if one.strip()]
        self.location = headers.get("Location", [""])[0]
        self.is_bodiless = self.status in (204, 304) or self.status < 200
        joined = {name: ", ".join(values) for name, values in headers.items()}
        self.json = orjson.dumps(
            [self.status_text, self.proto, orjson.dumps(joined).decode()]
        )[1:-1]  # fmt: skip

    @property
    def reason(self) -> str:
        return self.status_text.partition(" ")[2]


def parse_head(block: bytes) -> Head | None:
    """The last head in what libcurl gave to its header callback; None if that is not there whole.

    Before it there may be heads of interim responses (RFC 9110, section 15.2), behind it trailers.
    Lines may end in a bare line feed (RFC 9112, section 2.2).
    """
    *parts, rest = block.replace(b"\r\n", b"\n").split(b"\n\n")
    if rest.startswith(b"HTTP/"):
        return None
    for part in reversed(parts):
        if part.startswith(b"HTTP/"):
            return _parse(part)
    return None


def _parse(block: bytes) -> Head:
    status_line, *lines = block.decode("latin-1").split("\n")
    version, _, rest = status_line.partition(" ")
    code, _, reason = rest.partition(" ")
    status = int(code)
    if version == "HTTP/2":  # which has no reason phrases: Go puts in its own
        version, reason = "HTTP/2.0", _REASONS.get(status, "")
    headers: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:  # a folded line (RFC 9112, section 5.2)
            headers[name][-1] += " " + line.strip(" \t")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            continue
        name = canonical(name)
        text = value.strip(" \t").encode("latin-1").decode("utf-8", "replace")
        headers.setdefault(name, []).append(text)
    for hidden in ("Transfer-Encoding", "Trailer"):  # Go takes them out
        headers.pop(hidden, None)
    return Head(version, status, f"{code} {reason}" if reason else code, headers)


class Heads:
    """Parsed heads by their bytes: within a second most of a server's are the same."""

    _LIMIT: Final = 512

    def __init__(self) -> None:
        self._known: dict[bytes, Head | None] = {}

    def find(self, block: bytes) -> Head | None:
        try:
            return self._known[block]
        except KeyError:
            pass
        if len(self._known) >= self._LIMIT:
            self._known.clear()
        head = self._known[block] = parse_head(block)
        return head
