"""The opening handshake of RFC 6455, section 4, on a connected socket.

websocket-client judges the answer (`_validate`) and makes the key; the answer itself is read here:
in one piece (the library reads byte by byte) and with all its header lines, which scripts see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from websocket._handshake import _create_sec_websocket_key, _validate

from jsrunner.transport.errors import DialError
from jsrunner.transport.headers import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gevent.socket import socket

    from jsrunner.transport.url import URL

#: Of a refused handshake's body so much is read (as Go's gorilla/websocket does).
BODY_BYTES = 1024
_HEAD_BYTES = 1 << 20

_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})(?: .*)?\Z")
_RESERVED = (
    "Upgrade",
    "Connection",
    "Sec-Websocket-Key",
    "Sec-Websocket-Version",
    "Sec-Websocket-Extensions",
)
_PROTOCOL = "Sec-Websocket-Protocol"


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
    lines = {"Host": url.authority}
    if protocols:
        lines[_PROTOCOL] = protocols
    for name, value in headers.items():
        name = canonical(name)
        if name in _RESERVED or (protocols and name == _PROTOCOL):
            raise DialError(f"websocket: duplicate header not allowed: {name}")
        if name != "User-Agent" or value:
            lines[name] = value
    if cookies and "Cookie" not in lines:
        lines["Cookie"] = cookies
    if extensions:
        lines["Sec-WebSocket-Extensions"] = extensions
    key: str = _create_sec_websocket_key()
    head = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in lines.items())
    return (
        f"GET {url.target} HTTP/1.1\r\n{head}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode("utf-8", "replace"), key


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ").strip() if value else value


def read_answer(sock: socket, key: str) -> Answer:
    """Read the response. Raises DialError if what comes is no HTTP response."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        piece = sock.recv(4096)
        if not piece:
            if data and not data.startswith(b"HTTP/"):
                raise _malformed(data)
            raise DialError("unexpected EOF" if data else "EOF")
        data += piece
        if len(data) > _HEAD_BYTES or (len(data) > 5 and not data.startswith(b"HTTP/")):
            raise _malformed(data)
    status_line, *lines = data[:end].split(b"\r\n")
    match = _STATUS_LINE.match(status_line)
    if match is None:
        raise _malformed(data)
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise DialError(f"malformed MIME header line: {line.decode('latin-1')}")
        headers.setdefault(canonical(name.decode("latin-1")), []).append(
            value.strip(b" \t").decode("utf-8", "replace")
        )
    answer = Answer(int(match[1]), headers, rest=data[end + 4 :], size=len(data))
    answer.upgraded = (
        answer.status == 101
        and _validate({name.lower(): value for name, value in answer.joined.items()}, key, None)[0]
    )
    if not answer.upgraded:
        answer.body, answer.rest = _read_body(sock, answer), b""
    return answer


def _read_body(sock: socket, answer: Answer) -> bytes:
    length = answer.joined.get("Content-Length", "")
    wanted = min(int(length), BODY_BYTES) if length.isdecimal() else BODY_BYTES
    if answer.status == 101 and not length:
        return answer.rest[:BODY_BYTES]
    body = answer.rest
    while len(body) < wanted:
        piece = sock.recv(BODY_BYTES)
        if not piece:
            break
        body += piece
    if answer.joined.get("Transfer-Encoding", "").lower() == "chunked":
        body = _unchunk(body)
    return body[:BODY_BYTES]


def _unchunk(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if not length:
            break
        body, data = body + data[:length], data[length + 2 :]
    return body


def _malformed(data: bytes) -> DialError:
    line = data.split(b"\n")[0].rstrip(b"\r").decode("latin-1")
    return DialError(f'malformed HTTP response "{line}"')
