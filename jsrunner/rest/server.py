"""The REST API's server: threads that read requests and have the run's own thread answer them."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.rest.api import Answer, Request, answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from jsrunner.coordinator.run import Run

#: A larger body is refused, in bytes.
_MOST: Final = 64 << 20
#: How long the end waits for answers that are being sent, in seconds.
_PATIENCE: Final = 1.0
#: How often the server looks whether it is to end, in seconds.
_POLL: Final = 0.05


class RestServer:
    """Listens as long as it is entered. Raises JsrunnerError (exit 106) where it cannot."""

    def __init__(self, address: str, run: Run) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), run)
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise JsrunnerError(
                f"Error from API server: listen tcp {address}: {reason.lower()}",
                exit_code=ExitCode.CANNOT_START_REST,
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="rest", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> RestServer:
        self._thread.start()
        self._server.run.logger.log("debug", f"The REST API listens on port {self.port}")
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], run: Run) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.run = run
        #: Nobody answers any more.
        self.over = threading.Event()
        self._answering = 0
        self._change = threading.Condition()
        super().__init__(address, _Handler)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While a request is being answered."""
        with self._change:
            self._answering += 1
        try:
            yield
        finally:
            with self._change:
                self._answering -= 1
                self._change.notify_all()

    def settle(self) -> None:
        """Let answers that are on their way leave, but wait for nobody who does not read them."""
        with self._change:
            self._change.wait_for(lambda: not self._answering, timeout=_PATIENCE)

    def ask(self, request: Request) -> Answer:
        """The run's answer, which its own thread works out."""
        found: list[Answer] = []
        done = threading.Event()

        def work() -> None:
            try:
                found.append(answer(self.run, request))
            finally:
                done.set()

        self.run.call_soon(work)
        while not done.wait(_POLL):
            if self.over.is_set():
                return Answer(503, b"the test is over", "text/plain; charset=utf-8")
        return found[0] if found else Answer(500)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    #: Of an idle connection, in seconds.
    timeout = 10

    def _serve(self) -> None:
        with self.server.answering():
            self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST:
            self._send(Answer(400, b"wrong Content-Length", "text/plain; charset=utf-8"), close=True)
            return
        body = self.rfile.read(int(length))
        self._send(self.server.ask(Request(self.command, urlsplit(self.path).path, body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        self.server.run.call_soon(
            lambda: self.server.run.logger.log("debug", f"REST API: {format % arguments}")
        )
