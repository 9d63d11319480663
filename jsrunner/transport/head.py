"""The head of an HTTP response: its status line, its header fields, and the framing of its body.

It accepts the same heads as Go's net/http (RFC 9112), and its error texts are Go's.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.options.numbers import quote
from jsrunner.text import decode_bytewise
from jsrunner.transport.headers import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

#: A head of more bytes is refused (Go's default).
MAX_HEAD_BYTES: Final = 10 << 20
#: Maximum fields of an HTTP/2 head.
MAX_HTTP2_FIELDS: Final = 100_000
HEAD_TOO_LONG: Final = f"net/http: server response headers exceeded {MAX_HEAD_BYTES} bytes; aborted"

#: Go's reason phrases where Python's are others.
_REASONS: Final = {
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}

#: Lines may end in a bare line feed (RFC 9112, section 2.2).
_EMPTY_LINE: Final = re.compile(rb"\n\r?\n")
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z ]+\Z")
_NOT_IN_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_STATUS: Final = re.compile(r"\+?[0-9]+\Z|-0+\Z")
_VERSION: Final = re.compile(r"HTTP/[0-9]\.[0-9]\Z")
_LENGTH: Final = re.compile(r"[0-9]+\Z")
_MAX_LENGTH: Final = (1 << 63) - 1

Headers = dict[str, list[str]]


class Malformed(Exception):
    """A response is no HTTP; the text is Go's."""


class Head(Struct, eq=False):
    """A response's head. Names are canonical; a name that came more than once has all its values."""

    proto: str
    status: int
    #: `200 OK`, as it was sent.
    status_text: str
    headers: Headers
    #: Bytes of the body; None where it ends with its chunks or with the connection.
    length: int | None = None
    is_chunked: bool = False
    #: True if the connection ends with this response.
    closes: bool = False
    set_cookies: list[str] = []
    #: Content codings of the body, in the order in which they were applied.
    encodings: list[str] = []
    location: str = ""
    #: True if another response follows (RFC 9110, section 15.2; 101 is final).
    is_interim: bool = False
    #: True if there is no body, whatever was sent (RFC 9110, section 6.4.1).
    is_bodiless: bool = False
    #: The header fields as lines, which `headersOf` of the core makes an object of.
    lines: str = ""

    def __post_init__(self) -> None:
        headers = self.headers
        self.set_cookies = headers.get("Set-Cookie", [])
        encoding = headers.get("Content-Encoding", [""])[0]
        self.encodings = [coding.strip() for coding in encoding.split(",") if coding.strip()]
        self.location = headers.get("Location", [""])[0]
        self.is_interim = 100 <= self.status < 200 and self.status != 101
        self.is_bodiless = _is_bodiless(self.status)
        self.lines = "".join(
            f"{name}: {value}\r\n" for name, values in headers.items() for value in values
        )

    @property
    def reason(self) -> str:
        """The reason phrase of the status line."""
        return self.status_text.partition(" ")[2]


def end_of_head(data: bytes | bytearray, start: int = 0) -> int:
    """Return the end of the head at the beginning of `data`; -1 if it is incomplete.

    Args:
        data: The received part of the response.
        start: Bytes that were searched before.
    """
    match = _EMPTY_LINE.search(data, max(start - 2, 0))
    return match.end() if match else -1


def read_head(read: Callable[[], bytes], data: bytes) -> tuple[bytes, int]:
    """Read until the head that `data` begins with is complete.

    Args:
        read: Returns received bytes, b"" at the end of the connection.
        data: The bytes that have been received already.

    Returns:
        All received bytes, and the end of the head in them.

    Raises:
        Malformed: it is no head; the exceptions of `read`.
    """
    head = bytearray(data)
    has_status = False
    end = end_of_head(head)
    while end < 0:
        if not has_status and b"\n" in head:
            has_status = True
            parse_status_line(bytes(head[: head.index(b"\n")].removesuffix(b"\r")))
        if len(head) > MAX_HEAD_BYTES:
            raise Malformed(HEAD_TOO_LONG)
        searched = len(head)
        try:
            more = read()
        except OSError:
            check_truncated(head)
            raise
        if not more:
            check_truncated(head)
            raise Malformed("unexpected EOF")
        head += more
        end = end_of_head(head, searched)
    if end > MAX_HEAD_BYTES:
        raise Malformed(HEAD_TOO_LONG)
    return bytes(head), end


def parse_head(block: bytes | bytearray, method: str = "GET") -> Head:
    """Parse the head of a response to `method`; `block` ends with its empty line. Raises Malformed."""
    status_line, *lines = _lines(block)
    proto, status, status_text = parse_status_line(status_line)
    headers = parse_fields(lines)
    if headers.get("Pragma", [""])[0] == "no-cache":
        headers.setdefault("Cache-Control", ["no-cache"])
    length, is_chunked = _framing(headers, proto, status, method)
    closes = _closes(headers, proto) or (length is None and not is_chunked) or status == 101
    return Head(proto, status, status_text, headers, length, is_chunked, closes)


def check_truncated(block: bytes | bytearray) -> None:
    """Raise Malformed if the received part of a truncated head is wrong already."""
    if not block:
        return
    status_line, *lines = _lines(block)
    parse_status_line(status_line)
    if lines and lines != [b""]:
        parse_fields([line for line in lines if line])


def head_of_http2(status: int, fields: list[tuple[str, str]]) -> Head:
    """Return the head that an HTTP/2 response has in Go: with a reason phrase of its own."""
    headers: Headers = {}
    for name, value in fields:
        headers.setdefault(canonical(name), []).append(value)
    return Head("HTTP/2.0", status, f"{status} {_reason(status)}", headers)


@functools.cache
def _reason(status: int) -> str:
    """Return the reason phrase of a status; "" for an unknown status."""
    from http import HTTPStatus  # which nothing else needs

    known = _REASONS.get(status)
    if known is not None:
        return known
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _lines(block: bytes | bytearray) -> list[bytes]:
    """Return the lines before the empty line, without their ends."""
    lines = [bytes(line.removesuffix(b"\r")) for line in block.split(b"\n")]
    return lines[: lines.index(b"", 1)] if b"" in lines[1:] else lines


def parse_status_line(line: bytes) -> tuple[str, int, str]:
    """Return (protocol, status code, code with reason phrase). Raises Malformed."""
    text = decode_bytewise(line)
    proto, space, rest = text.partition(" ")
    if not space:
        raise Malformed(f"malformed HTTP response {quote(text)}")
    status_text = rest.lstrip(" ")
    code = status_text.partition(" ")[0]
    if len(code) != 3 or not _STATUS.match(code):
        raise Malformed(f"malformed HTTP status code {quote(code)}")
    if not _VERSION.match(proto):
        raise Malformed(f"malformed HTTP version {quote(proto)}")
    return proto, int(code), status_text


def parse_fields(lines: list[bytes]) -> Headers:
    """Return the header fields, or the trailer's, by their canonical names. Raises Malformed."""
    headers: Headers = {}
    if lines and lines[0][:1] in (b" ", b"\t"):
        raise Malformed(f"malformed MIME header initial line: {decode_bytewise(lines[0])}")
    for line in _unfolded(lines):
        raw_name, colon, value = line.partition(b":")
        if not colon:
            raise Malformed(f"malformed MIME header: missing colon: {quote(decode_bytewise(line))}")
        if not _NAME.match(raw_name) or _NOT_IN_VALUE.search(value):
            raise Malformed(f"malformed MIME header line: {decode_bytewise(line)}")
        name = canonical(raw_name.decode())
        headers.setdefault(name, []).append(decode_bytewise(value.lstrip(b" \t")))
    return headers


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """Return the lines with folded lines joined (RFC 9112, section 5.2)."""
    unfolded: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            unfolded[-1] += b" " + line.strip(b" \t")
        else:
            unfolded.append(line.strip(b" \t"))
    return unfolded


# -- where the body ends (RFC 9112, section 6.3) -------------------------------------------------------


def _framing(headers: Headers, proto: str, status: int, method: str) -> tuple[int | None, bool]:
    """Return (length of the body or None, is chunked); remove the fields that Go removes."""
    encodings = headers.pop("Transfer-Encoding", None)
    is_chunked = encodings is not None and proto >= "HTTP/1.1"
    if is_chunked:
        assert encodings is not None
        if len(encodings) != 1:
            raise Malformed(f"too many transfer encodings: [{' '.join(map(quote, encodings))}]")
        if encodings[0].lower() != "chunked":
            raise Malformed(f"unsupported transfer encoding: {quote(encodings[0])}")
    length = _content_length(headers)
    if is_chunked:
        _check_trailer(headers)
    if method == "HEAD" or _is_bodiless(status):
        return 0, False
    if is_chunked:
        headers.pop("Content-Length", None)
        return None, True
    return length, False


def _is_bodiless(status: int) -> bool:
    return status in (204, 304) or 100 <= status < 200


def _closes(headers: Headers, proto: str) -> bool:
    """Return True if the server closes the connection behind the response."""
    tokens = {
        token.strip().lower() for value in headers.get("Connection", ()) for token in value.split(",")
    }
    if proto < "HTTP/1.1":
        return proto < "HTTP/1.0" or "close" in tokens or "keep-alive" not in tokens
    if "close" in tokens:
        del headers["Connection"]
        return True
    return False


def _content_length(headers: Headers) -> int | None:
    values = headers.get("Content-Length")
    if values is None:
        return None
    if any(value != values[0] for value in values):
        shown = " ".join(map(quote, values))
        raise Malformed(f"http: message cannot contain multiple Content-Length headers; got [{shown}]")
    headers["Content-Length"] = values[:1]
    text = values[0]
    if not text:
        raise Malformed('invalid empty Content-Length ""')
    if not _LENGTH.match(text) or len(text) > 40 or int(text) > _MAX_LENGTH:
        raise Malformed(f"bad Content-Length {quote(text)}")
    return int(text)


def _check_trailer(headers: Headers) -> None:
    for value in headers.pop("Trailer", ()):
        for name in value.split(","):
            if canonical(name.strip()) in ("Transfer-Encoding", "Trailer", "Content-Length"):
                raise Malformed(f"bad trailer key {quote(canonical(name.strip()))}")


class Heads:
    """A cache of parsed heads by their bytes: most heads of a server are equal within a second."""

    _MOST: Final = 512
    _LONGEST: Final = 8192

    def __init__(self) -> None:
        #: By their bytes and the requests' methods.
        self.known: dict[tuple[bytes, str], Head] = {}

    def parse(self, block: bytes, method: str) -> Head:
        """Parse the head of a response to `method`. Raises Malformed."""
        head = parse_head(block, method)
        if len(block) <= self._LONGEST:
            if len(self.known) >= self._MOST:
                self.known.clear()
            self.known[block, method] = head
        return head
