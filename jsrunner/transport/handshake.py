"""The opening handshake of RFC 6455, section 4: the request and the judgement of the response.

websocket-client judges the response (`_validate`) and makes the key. This module reads the response, in
large pieces (the library reads byte by byte) and with all header lines, which scripts see.
"""

from __future__ import annotations

import functools
from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.imports import import_part
from jsrunner.transport.chunked import ChunkedBody
from jsrunner.transport.errors import DialError
from jsrunner.transport.fields import Fields
from jsrunner.transport.head import (
    HEAD_TOO_LONG,
    MAX_HEAD_BYTES,
    Malformed,
    check_truncated,
    end_of_head,
    parse_head,
    parse_status_line,
)
from jsrunner.transport.headers import canonical, is_name
from jsrunner.transport.url import parse_websocket

if TYPE_CHECKING:
    from jsrunner.transport.connection import Connection
    from jsrunner.transport.head import Head
    from jsrunner.transport.url import URL

#: The handshake of websocket-client. The import of the library's clients takes 4 ms, that of ssl 3 ms,
#: and that of python-socks 10 ms. This package has its own sockets, TLS and proxies.
_client: Final = import_part("websocket._handshake", without=("python_socks", "ssl"))

#: Maximum bytes read of a refused handshake's body (as in Go's gorilla/websocket).
BODY_BYTES: Final = 1024
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_RESERVED: Final = (
    "Upgrade",
    "Connection",
    "Sec-Websocket-Key",
    "Sec-Websocket-Version",
    "Sec-Websocket-Extensions",
)
_PROTOCOL: Final = "Sec-Websocket-Protocol"
_SENT_PROTOCOL: Final = "Sec-WebSocket-Protocol"


class Answer(Struct):
    """The server's response. `upgraded` is true if it fulfils RFC 6455."""

    head: Head
    upgraded: bool = False
    #: Of a refusal.
    body: bytes = b""
    #: The header's fields, those that came more than once joined.
    joined: dict[str, str] = {}

    def __post_init__(self) -> None:
        self.joined = {name: ", ".join(values) for name, values in self.head.headers.items()}

    @property
    def status(self) -> int:
        """The status code."""
        return self.head.status

    def values(self, name: str) -> list[str]:
        """Return the values of a field, by its canonical name."""
        return self.head.headers.get(name, [])


@functools.lru_cache(1024)
def request_parts(
    address: str,
    headers: tuple[tuple[str, str], ...],
    cookies: str,
    extensions: str,
    protocols: str | None,
) -> tuple[bytes, bytes]:
    """Return the bytes of a handshake's request before and behind its key.

    Args:
        address: The URL.
        headers: The fields that the script and the runner want.
        cookies: The value of `Cookie`, "" for none.
        extensions: The value of `Sec-WebSocket-Extensions`, "" for none.
        protocols: The value of `Sec-WebSocket-Protocol`, None for none.

    Raises:
        DialError: The URL is invalid, or a header belongs to the handshake itself.
    """
    key = new_key()
    target = parse_websocket(address)
    data = _request(target, key, headers, cookies, extensions, protocols)
    before, _, behind = data.partition(key.encode())
    return before, behind


def new_key() -> str:
    """Return a random Sec-WebSocket-Key."""
    key: str = _client._create_sec_websocket_key()
    return key


def _request(
    url: URL,
    key: str,
    headers: tuple[tuple[str, str], ...],
    cookies: str,
    extensions: str,
    protocols: str | None,
) -> bytes:
    sent = {
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Upgrade": "websocket",
    }
    if protocols is not None:
        sent[_SENT_PROTOCOL] = protocols
    for name, value in headers:
        name = canonical(name)
        if name in _RESERVED or (protocols is not None and name == _PROTOCOL):
            raise DialError(f"websocket: duplicate header not allowed: {name}")
        if is_name(name):  # others Go leaves out
            sent[_SENT_PROTOCOL if name == _PROTOCOL else name] = value
    if extensions:
        sent["Sec-WebSocket-Extensions"] = extensions
    cookies = sent.get("Cookie", cookies)
    return Fields(sent).encode("GET", url.target, url.authority, None, cookies)


class AnswerReader:
    """Collects the head of the server's response as its bytes come."""

    __slots__ = ("_data", "_has_status", "_searched")

    def __init__(self) -> None:
        self._data = bytearray()
        self._has_status = False
        self._searched = 0

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Add received bytes; return the head and the bytes behind it, None if it is incomplete.

        Raises:
            DialError: it is no HTTP response.
        """
        self._data += data
        end = end_of_head(self._data, self._searched)
        self._searched = len(self._data)
        try:
            self._check(end)
        except Malformed as error:
            raise DialError(str(error)) from None
        return (bytes(self._data[:end]), bytes(self._data[end:])) if end >= 0 else None

    def _check(self, end: int) -> None:
        if end < 0 and not self._has_status and b"\n" in self._data:
            self._has_status = True
            parse_status_line(bytes(self._data[: self._data.index(b"\n")].removesuffix(b"\r")))
        if (end if end >= 0 else len(self._data)) > MAX_HEAD_BYTES:
            raise Malformed(HEAD_TOO_LONG)

    def break_off(self, reason: str) -> DialError:
        """Return the error of a response whose head has broken off."""
        try:
            check_truncated(self._data)
        except Malformed as error:
            reason = str(error)
        return DialError(reason)


def accept_of(key: str) -> bytes:
    """Return the Sec-WebSocket-Accept that answers a key (RFC 6455, section 4.2.2)."""
    return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest())


def judge(block: bytes, key: str) -> Answer:
    """Judge the head of the response to the request with this key.

    Raises:
        DialError: it is no HTTP response.
    """
    try:
        head = parse_head(block)
    except Malformed as error:
        raise DialError(str(error)) from None
    answer = Answer(head)
    fields = {name.lower(): value for name, value in answer.joined.items()}
    answer.upgraded = answer.status == 101 and _client._validate(fields, key, None)[0]
    return answer


def read_body(sock: Connection, head: Head, data: bytes) -> bytes:
    """Return the beginning of the body of a response that refuses the handshake.

    Args:
        sock: The connection.
        head: The head of the response.
        data: The part of the body that has arrived.
    """
    chunks = ChunkedBody() if head.is_chunked else None
    wanted = BODY_BYTES if head.length is None else min(head.length, BODY_BYTES)
    body = b""
    try:
        while True:
            for piece in (data,) if chunks is None else chunks.feed(data):
                body += piece
            if len(body) >= wanted or (chunks is not None and chunks.is_complete):
                return body[:wanted]
            data = sock.recv(BODY_BYTES)
            if not data:
                return body
    except (Malformed, DialError, OSError):
        return body[:wanted]
