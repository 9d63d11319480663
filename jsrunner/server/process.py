"""The child process with the bundled server, which lives as long as a run."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from jsrunner.errors import ExitCode, JsrunnerError

if TYPE_CHECKING:
    from types import TracebackType

#: Seconds that the child gets to exit before it is killed.
_PATIENCE: Final = 5.0


class ServerProcess:
    """A running server process. It ends with `stop`, and at the latest with this process.

    Raises:
        JsrunnerError: The server does not start.
    """

    def __init__(self) -> None:
        # A session of its own, so that Ctrl+C reaches only the run: teardown() may need the server.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jsrunner.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        try:
            line = self._output.readline()
        except KeyboardInterrupt:
            self.stop()
            raise JsrunnerError("", exit_code=ExitCode.EXTERNAL_ABORT) from None
        if not line:
            raise self.failure()
        #: What scripts find in __ENV: WS_URL, HTTP_URL, with TLS WSS_URL and HTTPS_URL, and with
        #: protobuf GRPC_ADDR.
        self.variables: dict[str, str]
        #: The environment in which the server's certificate is trusted: SSL_CERT_FILE, SSL_CERT_DIR.
        self.trust: dict[str, str]
        self.variables, self.trust = json.loads(line)

    @property
    def process_id(self) -> int:
        """The identifier of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """Return a file descriptor that is readable when the process has ended."""
        return self._output.fileno()

    def failure(self) -> JsrunnerError:
        """Return the error of a process that has ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        self.stop()
        code = self._process.returncode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return JsrunnerError(f"the bundled server has ended ({how}); the run is not complete")

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        # The end of its input would end it, too, and comes afterwards: a signal that arrives while
        # asyncio closes the event loop causes a message on stderr.
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._output.close()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
