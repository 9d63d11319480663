"""Servers that treat WebSocket connections by turns, and scripts in this process that connect to them."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from in_process import Stage
from servers import accept, drain, frame, header, read_frame, read_request

from jsrunner.options.model import Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Any]

#: Connect several times, and log what came of each: status, body, error, the field X-Turn, the messages.
CONNECTS = """
const connects = (count, params) => {
  for (let turn = 0; turn < count; turn += 1) connect(params);
};
const connect = (params) => {
  const messages = [];
  const handle = (socket) => {
    socket.on('message', (text) => { messages.push(text); socket.close(); });
    socket.on('error', (error) => messages.push(error.error()));
  };
  const { status, body, error, headers } = ws.connect(__ENV.URL, params, handle);
  const found = [status, body, error, headers['X-Turn'], ...messages];
  console.log(found.join('|').replace(/127.0.0.1:\\d+/g, 'PEER'));
};
"""


class Turns:
    """A server that treats its connections by turns, and keeps their requests."""

    def __init__(self, serve: Serve, *treatments: Callable[[socket.socket], bytes]) -> None:
        self._requests: list[bytes] = []
        self._treatments = treatments
        self.server = serve(self._treat)
        self.url = f"ws://127.0.0.1:{self.server.port}/path?q"

    def _treat(self, connection: socket.socket) -> None:
        turn = len(self._requests)
        self._requests.append(b"")
        self._requests[turn] = self._treatments[turn % len(self._treatments)](connection)

    @property
    def requests(self) -> list[bytes]:
        """Return the requests of all connections, which must end soon."""
        Stage.until(lambda: all(self._requests))
        return self._requests

    def keys(self) -> list[str]:
        return [header(request, "Sec-WebSocket-Key") for request in self.requests]

    def requests_without_keys(self) -> set[bytes]:
        return {
            request.replace(key.encode(), b"")
            for request, key in zip(self.requests, self.keys(), strict=True)
        }


def opens(text: str, extra: str = "") -> Callable[[socket.socket], bytes]:
    """Accept, send a message in the same packet, and answer the close frame."""

    def treat(connection: socket.socket) -> bytes:
        request = accept(connection, rest=frame(text.encode()), extra=extra)
        _, close = read_frame(connection)
        connection.sendall(frame(close, 8))
        drain(connection)
        return request

    return treat


def says(answer: bytes) -> Callable[[socket.socket], bytes]:
    def treat(connection: socket.socket) -> bytes:
        request = read_request(connection)
        connection.sendall(answer)
        return request

    return treat


def resets(connection: socket.socket) -> bytes:
    request = read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return request


def run(tmp_path: Path, url: str, body: str, **options: Any) -> Stage:
    source = f"""
        import ws from 'k6/ws';
        import http from 'k6/http';
        import exec from 'k6/execution';
        import {{ WebSocket }} from 'k6/websockets';
        {CONNECTS}
        export function setup() {{ {body} }}
        export default function () {{}}
    """
    stage = Stage(tmp_path, source, environment={"URL": url}, options=Options(**options)).run()
    assert stage.failure is None
    return stage
