"""Worker processes on this machine. They are forked before heavy modules are imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

from jsrunner.errors import JsrunnerError, WorkerError
from jsrunner.messages.board import Board

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.messages.plan import WorkerPlan
    from jsrunner.script.script import ScriptBundle
    from jsrunner.secrets.sources import SecretSources

_SET_CHILD_SUBREAPER: Final = 36
_GET_CHILD_SUBREAPER: Final = 37
_READ_SIZE: Final = 1 << 20


class LocalConnection:
    """The coordinator's end of the socket pair that it shares with one worker."""

    place = ""
    clock_lead = 0.0

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.process_id = 0

    def fileno(self) -> int:
        """Return the file descriptor of the stream."""
        return self.stream.fileno()

    def send(self, data: bytes) -> None:
        """Send bytes; waits until the worker takes them. Nothing happens if it has gone."""
        with contextlib.suppress(OSError):
            self.stream.sendall(data)

    def receive(self) -> bytes:
        """Return the bytes that have come, b"" if the worker has gone."""
        try:
            return self.stream.recv(_READ_SIZE)
        except OSError:
            return b""

    def identify(self, process_id: int) -> None:
        """Note the worker's process."""
        self.process_id = process_id

    def kill(self) -> None:
        """End the process by SIGKILL, if it is known."""
        if self.process_id:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process_id, signal.SIGKILL)

    def death(self) -> str:
        """Return the cause of death of the process that has just ended, "" if it is unknown."""
        for _ in range(100 if self.process_id else 0):
            try:
                result = os.waitid(os.P_PID, self.process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return ""
            if result is not None:
                if result.si_code == os.CLD_EXITED:
                    return f" with status {result.si_status}"
                return f" by signal {signal.Signals(result.si_status).name}"
            time.sleep(0.002)  # it has closed its stream and is about to end
        return ""

    def close(self) -> None:
        """Close the coordinator's end."""
        self.stream.close()


class LocalTransport:
    """Forks the first worker, which forks the others when their number is known (see worker.main).

    So all workers share the memory of the loaded script. See `transport` for the life cycle.
    """

    board: Board
    start_delay = 0.002

    def __init__(
        self,
        script: ScriptBundle,
        environment: Mapping[str, str],
        secrets: SecretSources,
        features: frozenset[str] = frozenset(),
        *,
        with_others: bool = False,
    ) -> None:
        """Make a transport without starting a worker.

        Args:
            script: The script.
            environment: The script's `__ENV`.
            secrets: Sources for `k6/secrets`.
            features: Names of k6's feature flags that are on.
            with_others: True if this is one machine of several.
        """
        self._with_others = with_others
        self._script = script
        self._environment = environment
        self._secrets = secrets
        self._features = features
        self._connections: list[LocalConnection] = []
        self._was_subreaper = False

    def start(self, most: int) -> LocalConnection:
        """Fork the first worker. Raises WorkerError if there is no memory or no process left."""
        pairs = [socket.socketpair() for _ in range(most)]
        self.board = Board(most, with_others=self._with_others)
        self._connections = [LocalConnection(ours) for ours, _ in pairs]
        self._was_subreaper = _adopt_orphans()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            process_id = os.fork()
        except OSError as error:
            text = f"could not start a worker process: {(error.strerror or '').lower()}"
            raise WorkerError(text) from None
        if not process_id:
            for ours, _ in pairs:
                ours.close()
            self._run_worker([theirs for _, theirs in pairs])
        self._connections[0].identify(process_id)
        for _, theirs in pairs:
            theirs.close()
        return self._connections[0]

    def _run_worker(self, streams: Sequence[socket.socket]) -> None:
        """Be the first worker; never returns."""
        code = 1
        try:
            from jsrunner.worker.main import run

            code = run(
                streams, self.board, self._script, self._environment, self._secrets, self._features
            )
        except SystemExit:
            pass  # the coordinator is gone
        except JsrunnerError as error:
            print(error, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def are_known(self) -> bool:
        """Return True: there is this machine only."""
        return True

    def most(self) -> int:
        """Return the maximum number of workers."""
        return len(self._connections)

    def keep(self, count: int, scenarios: int) -> Sequence[Sequence[LocalConnection]]:
        """Close the streams of the workers that are not needed."""
        for connection in self._connections[count:]:
            connection.close()
        del self._connections[count:]
        self.board.open(scenarios)
        return [self._connections]

    def lend(self, plan: WorkerPlan) -> None:
        """Do nothing: processes of one machine draw from one cell."""

    def kill(self) -> None:
        """End all processes by SIGKILL."""
        for connection in self._connections:
            connection.kill()

    def end(self, patience: float) -> None:
        """Wait for the workers, kill what is left, reap them. No other child processes are touched."""
        deadline = time.monotonic() + patience
        with selectors.DefaultSelector() as selector:
            for connection in self._connections:
                selector.register(connection, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(deadline - time.monotonic(), 0))
                if not ready:
                    self.kill()
                    break
                for key, _ in ready:
                    assert isinstance(key.fileobj, LocalConnection)
                    if not key.fileobj.receive():
                        selector.unregister(key.fileobj)
        for connection in self._connections:
            connection.close()
            if connection.process_id:
                # A sibling's parent may have waited for it.
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(connection.process_id, 0)
        self.board.close()
        _adopt_orphans(self._was_subreaper)


def _adopt_orphans(adopt: bool = True) -> bool:
    """Adopt the children of a first worker that dies, so that they become no zombies. Linux only.

    Returns:
        True if this process was set to adopt orphans before.
    """
    before = ctypes.c_int()
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.prctl(_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
        library.prctl(_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)
    return bool(before.value)
