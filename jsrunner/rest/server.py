"""The REST API's server: threads that read requests and have the run's own thread answer them."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import threading
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.rest.api import RestRequest, RestResponse, answer, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from jsrunner.coordinator.control import RunControl

_NUMBER: Final = re.compile(r"-?[0-9]{1,9}\Z")
#: Maximum size of a request's body in bytes.
_BODY_MAX: Final = 64 << 20
#: Seconds that the end waits for responses that are being sent.
_PATIENCE: Final = 1.0
#: Seconds between two checks for the end of the server.
_POLL: Final = 0.05


class RestServer:
    """The server of one run. It listens as long as its context lasts.

    The run's own thread makes and closes it. Each connection has a thread that reads requests; the
    run's own thread answers them.
    """

    def __init__(self, address: str, control: RunControl) -> None:
        """Bind an address.

        Args:
            address: HOST:PORT; the host may be empty, and an IPv6 address is in brackets.
            control: The run's controls.

        Raises:
            JsrunnerError: The address cannot be bound (exit code 106, as k6).
        """
        try:
            self._server = _RestServer(_endpoint(address), control)
        except (OSError, ValueError) as error:
            control.log.log(
                "error", "Error from API server", error=f"listen tcp{_reason(error, address)}"
            )
            raise JsrunnerError("", exit_code=ExitCode.CANNOT_START_REST) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="rest", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> RestServer:
        self._thread.start()
        self._server.control.log.log("debug", f"The REST API listens on port {self.port}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.over.set()
        self._server.shutdown()
        self._server.settle()
        self._server.server_close()
        self._thread.join()


class _RestServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], control: RunControl) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.control = control
        #: Set when the run answers no more requests.
        self.over = threading.Event()
        self._answering = 0
        self._change = threading.Condition()
        super().__init__(address, _RestHandler)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request as being answered as long as the context lasts."""
        with self._change:
            self._answering += 1
        try:
            yield
        finally:
            with self._change:
                self._answering -= 1
                self._change.notify_all()

    def settle(self) -> None:
        """Wait for responses that are being sent, at most `_PATIENCE` seconds."""
        with self._change:
            self._change.wait_for(lambda: not self._answering, timeout=_PATIENCE)

    def ask(self, request: RestRequest) -> RestResponse:
        """Return the response to a request, which the run's own thread makes."""
        responses: list[RestResponse] = []
        done = threading.Event()

        def respond() -> None:
            try:
                responses.append(answer(self.control, request))
            except Exception as error:  # of ours, which must not end the run
                self.complain(error)
            finally:
                done.set()

        self.control.call_soon(respond)
        while not done.wait(_POLL):
            if self.over.is_set():
                return RestResponse(503, b"the test is over", "text/plain; charset=utf-8")
        return responses[0] if responses else refusal("Internal error", "see the log (-v)", 500)

    def complain(self, error: BaseException) -> None:
        """Log a fault of jsrunner."""
        text = "".join(traceback.format_exception(error))
        self.control.call_soon(lambda: self.control.log.log("debug", f"REST API: {text}"))

    def handle_error(self, request: object, client_address: object) -> None:
        """Log the error of a connection, unless the client has only ended it."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.complain(error)


class _RestHandler(BaseHTTPRequestHandler):
    server: _RestServer
    protocol_version = "HTTP/1.1"
    #: Of an idle connection, in seconds.
    timeout = 10

    def _serve(self) -> None:
        with self.server.answering():
            self._answer()

    def _answer(self) -> None:
        try:
            path, body = self._path(), self._body()
        except ValueError as error:
            self._send(refusal("Couldn't read request", str(error), 400), close=True)
            return
        self._send(self.server.ask(RestRequest(self.command, path, body)))

    def _path(self) -> str:
        """Return the request's path; raise ValueError for an invalid URL."""
        try:
            return urlsplit(self.path).path
        except ValueError:
            raise ValueError(f"{self.path} is no URL") from None

    def _body(self) -> bytes:
        """Return the request's body; raise ValueError if its length is not known."""
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        if "Transfer-Encoding" in self.headers:
            raise ValueError("it has no Content-Length")
        length = lengths.pop()
        if lengths or not length.isdecimal() or len(length) > 9 or int(length) > _BODY_MAX:
            raise ValueError("wrong Content-Length")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ValueError("unexpected EOF")
        return body

    def __getattr__(self, name: str) -> Any:
        """Any method is served: `do_GET` and so on, by which http.server looks for them."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.request_version == "HTTP/0.9":
            self.send_error(400)
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send the response to a request that is not HTTP, as k6 does."""
        self.command, self.request_version = self.command or "", self.protocol_version
        text = f"{code} {HTTPStatus(code).phrase}"
        self._send(RestResponse(code, text.encode(), "text/plain; charset=utf-8"), close=True)

    def _send(self, answer: RestResponse, *, close: bool = False) -> None:
        self.log_request(answer.status)
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        control = self.server.control
        control.call_soon(lambda: control.log.log("debug", f"REST API: {format % arguments}"))


def _endpoint(address: str) -> tuple[str, int]:
    """Split HOST:PORT; raise ValueError with Go's text if it has another form."""

    def wrong(text: str) -> ValueError:
        return ValueError(f"address {address}: {text}")

    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        raise wrong("missing port in address")
    if host.startswith("["):
        if not host.endswith("]"):
            raise wrong("missing ']' in address" if "]" not in host else "missing port in address")
        host = host[1:-1]
    elif ":" in host:
        raise wrong("too many colons in address")
    if not port:
        return host, 0
    if not _NUMBER.match(port):
        try:
            return host, socket.getservbyname(port, "tcp")
        except OSError:
            raise ValueError(f"lookup tcp/{port}: unknown port") from None
    if not 0 <= int(port) < 1 << 16:
        raise ValueError(f"address {port}: invalid port")
    return host, int(port)


def _reason(error: Exception, address: str) -> str:
    """Return how Go's error `listen tcp` goes on: the reason why the address cannot be bound."""
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f": lookup {address.rpartition(':')[0]}: no such host"
    if isinstance(error, OSError):
        return f" {address}: bind: {(error.strerror or str(error)).lower()}"
    return f": {error}"
