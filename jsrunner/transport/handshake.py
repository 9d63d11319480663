"""The opening handshake of RFC 6455, section 4, on a connected socket.

websocket-client judges the answer (`_validate`) and makes the key; the answer itself is read here:
in one piece (the library reads byte by byte) and with all its header lines, which scripts see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from websocket._handshake import _create_sec_websocket_key, _validate

from jsrunner.transport.chunked import ChunkedBody
from jsrunner.transport.errors import DialError
from jsrunner.transport.fields import Fields
from jsrunner.transport.head import Malformed, parse_head, read_head
from jsrunner.transport.headers import canonical, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gevent.socket import socket

    from jsrunner.transport.head import Head
    from jsrunner.transport.url import URL

#: Of a refused handshake's body so much is read (as Go's gorilla/websocket does).
BODY_BYTES = 1024
_RECEIVE_BYTES = 4096

_RESERVED = (
    "Upgrade",
    "Connection",
    "Sec-Websocket-Key",
    "Sec-Websocket-Version",
    "Sec-Websocket-Extensions",
)
_PROTOCOL = "Sec-Websocket-Protocol"
_SENT_PROTOCOL = "Sec-WebSocket-Protocol"


@dataclass(slots=True)
class Answer:
    """The server's response. `upgraded` says whether it is the one that RFC 6455 asks for."""

    status: int
    #: Canonical names; a name that came more than once has all its values.
    headers: dict[str, list[str]]
    body: bytes = b""
    upgraded: bool = False
    #: What came behind the response's head: the first frames.
    rest: bytes = b""
    #: How many bytes were read.
    size: int = 0
    joined: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.joined = {name: ", ".join(values) for name, values in self.headers.items()}


def request(
    url: URL,
    headers: Mapping[str, str],
    *,
    cookies: str,
    extensions: str,
    protocols: str = "",
) -> tuple[bytes, str]:
    """The request's bytes and its key. Raises DialError for headers that are the handshake's own."""
    key: str = _create_sec_websocket_key()
    sent = {
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Upgrade": "websocket",
    }
    if protocols:
        sent[_SENT_PROTOCOL] = protocols
    for name, value in headers.items():
        name = canonical(name)
        if name in _RESERVED or (protocols and name == _PROTOCOL):
            raise DialError(f"websocket: duplicate header not allowed: {name}")
        if is_name(name):  # others Go leaves out
            sent[_SENT_PROTOCOL if name == _PROTOCOL else name] = value
    if extensions:
        sent["Sec-WebSocket-Extensions"] = extensions
    cookies = sent.get("Cookie", cookies)
    return Fields(sent).encode("GET", url.target, url.authority, None, cookies), key


def read_answer(sock: socket, key: str) -> Answer:
    """Read the response. Raises DialError if what comes is no HTTP response."""
    try:
        head, rest, size = _read_head(sock)
        answer = Answer(head.status, head.headers, rest=rest, size=size)
        fields = {name.lower(): value for name, value in answer.joined.items()}
        answer.upgraded = answer.status == 101 and _validate(fields, key, None)[0]
        if not answer.upgraded:
            answer.body, answer.rest = _read_body(sock, head, rest), b""
        return answer
    except Malformed as error:
        raise DialError(str(error)) from None


def _read_head(sock: socket) -> tuple[Head, bytes, int]:
    """(the head, what has come behind it, how many bytes were read). Raises Malformed."""
    data, end = read_head(lambda: sock.recv(_RECEIVE_BYTES), b"")
    return parse_head(data[:end]), data[end:], len(data)


def _read_body(sock: socket, head: Head, data: bytes) -> bytes:
    """The beginning of the body of a response that refuses the handshake."""
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
    except (Malformed, OSError):
        return body[:wanted]
