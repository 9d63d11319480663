"""The server of the live page: the page of a report, which follows the run's record as it is written.

Each viewer has a thread that reads the record's file at its own pace and sends its lines as
server-sent events. So viewers need nothing from the run, and a slow one holds up nobody. Requests that
steer the run are calls into the coordinator's thread.

Only pages of this server may talk to it: the Host header must name this machine, the Origin header the
same host, and where other machines can connect, a token in the URL is needed.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from jsrunner.coordinator.state import Phase
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.record.lines import LineReader
from jsrunner.report.document import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.control import RunControl

#: Viewers that are served at once.
_MOST_VIEWERS: Final = 32
#: Seconds between two looks at the record, and at the end of the server.
_POLL: Final = 0.2
#: Seconds that a viewer's connection may take no data.
_TIMEOUT: Final = 30
#: Seconds that the end waits for lines that are being sent.
_PATIENCE: Final = 1.0
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class WebServer:
    """The server of one run's live page, from `start` to `close`."""

    def __init__(
        self, host: str, port: int, control: RunControl, path: str, is_open: Callable[[], bool]
    ) -> None:
        """Bind the address.

        Args:
            host: A name or an address of this machine.
            port: The port; 0 for a free one.
            control: What stops and resumes the run.
            path: The record's file.
            is_open: Whether the record has been begun.

        Raises:
            JsrunnerError: Nobody can listen there (exit code 106).
        """
        try:
            self._server = _HTTPServer(host, port, control, path, is_open)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            text = f"the live page cannot be served at {host}:{port}: {reason}"
            raise JsrunnerError(text, exit_code=ExitCode.CANNOT_START_REST) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="web", daemon=True
        )
        shown = f"[{host}]" if ":" in host else host
        #: The page's address, with the token if there is one.
        self.url = f"http://{shown}:{self._server.server_address[1]}/"
        if self._server.token:
            self.url += f"?token={self._server.token}"

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def close(self) -> None:
        """Let viewers have the rest of the record, at most a second long, and end."""
        self._server.settle()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, host: str, port: int, control: RunControl, path: str, is_open: Callable[[], bool]
    ) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.control = control
        self.path = path
        self.is_open = is_open
        self.page = page(None).encode()
        #: Set when the run is over: what the record has now is all.
        self.over = threading.Event()
        self._viewers = 0
        self._change = threading.Condition()
        super().__init__((host, port), _Handler)
        is_local = ipaddress.ip_address(str(self.server_address[0])).is_loopback
        self.token = "" if is_local else secrets.token_urlsafe(24)

    def enter(self) -> bool:
        """Count a viewer; return whether there is room for it."""
        with self._change:
            if self._viewers >= _MOST_VIEWERS:
                return False
            self._viewers += 1
            return True

    def leave(self) -> None:
        """Count a viewer no more."""
        with self._change:
            self._viewers -= 1
            self._change.notify_all()

    def settle(self) -> None:
        """Wait for the viewers that are being sent the rest."""
        self.over.set()
        with self._change:
            self._change.wait_for(lambda: not self._viewers, timeout=_PATIENCE)

    def call(self, function: Callable[[], str]) -> str | None:
        """Return what a function returns in the coordinator's thread; None if the run is over."""
        results: list[str] = []
        done = threading.Event()

        def run() -> None:
            try:
                results.append(function())
            finally:
                done.set()

        self.control.call_soon(run)
        while not done.wait(_POLL):
            if self.over.is_set():
                return None
        return results[0] if results else None

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a connection that has failed: a browser has gone."""


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT

    def do_GET(self) -> None:
        """Send the page or the events."""
        path = self._admitted()
        if path == "/":
            self._send(200, self.server.page, "text/html; charset=utf-8")
        elif path == "/events":
            self._follow()
        elif path is not None:
            self._send(404, b"not found")

    def do_POST(self) -> None:
        """Stop the test, or begin one that is paused."""
        path = self._admitted()
        actions = {"/stop": self._stop, "/resume": self._resume}
        if path is None:
            return
        if path not in actions:
            self._send(404, b"not found")
            return
        answer = self.server.call(actions[path])
        status = 200 if answer == "" else 409
        self._send(status, b"the test is over" if answer is None else answer.encode())

    def _admitted(self) -> str | None:
        """Return the request's path; answer it and return None if its sender has no business here."""
        server, headers = self.server, self.headers
        try:
            url = urlsplit(self.path)
            name = urlsplit(f"//{headers.get('Host', '')}").hostname or ""
        except ValueError:
            self._send(400, b"bad request")
            return None
        token = parse_qs(url.query).get("token", [""])[0]
        if server.token and not hmac.compare_digest(token.encode(), server.token.encode()):
            self._send(403, b"the token in the URL is missing or wrong")
            return None
        if not server.token and name not in _LOCAL_NAMES:
            self._send(403, b"the Host header names another machine")
            return None
        origin = headers.get("Origin")
        if origin is not None and origin != f"http://{headers.get('Host')}":
            self._send(403, b"the request comes from a page of another server")
            return None
        return url.path

    # -- steering, in the coordinator's thread -----------------------------------------------------

    def _stop(self) -> str:
        self.server.control.stop("test run stopped from the web page", ExitCode.STOPPED_OVER_REST)
        return ""

    def _resume(self) -> str:
        control = self.server.control
        if not control.view.is_paused:
            return "the test is not paused"
        control.resume()
        return ""

    def _is_paused(self) -> str:
        control = self.server.control
        is_waiting = control.phase in (Phase.INIT, Phase.PAUSED)
        return "yes" if control.view.is_paused and is_waiting else ""

    # -- events ------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Send the record's lines until it is complete."""
        server = self.server
        if not server.enter():
            self._send(503, b"too many viewers")
            return
        try:
            self.close_connection = True
            self._head(200, "text/event-stream")
            self.end_headers()
            if server.call(self._is_paused):
                self.wfile.write(b"event: paused\ndata:\n\n")
            while not server.is_open():
                if server.over.wait(_POLL):
                    return
            with open(server.path, "rb") as file:
                self._send_lines(LineReader(file, server.path))
        finally:
            server.leave()

    def _send_lines(self, reader: LineReader) -> None:
        while True:
            is_last = self.server.over.is_set()
            for line in reader.lines():
                self.wfile.write(b"event: line\ndata: " + line + b"\n\n")
            if is_last or reader.is_complete or reader.is_damaged:
                return
            self.wfile.write(b":\n\n")  # finds out whether the viewer has gone
            self.server.over.wait(_POLL)

    # -- responses ---------------------------------------------------------------------------------

    def _head(self, status: int, content_type: str) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")

    def _send(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self._head(status, content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # nobody reads the request's body
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing: each viewer would have lines of the run's log."""
