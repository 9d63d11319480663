"""The agent of a machine: a process below a Dask worker that starts workers as a coordinator does.

The agent passes the workers' bytes on, and keeps the machine's board in step with the coordinator's.
The agent ends with its workers, and kills them when nobody has been heard of for a while: a machine
whose coordinator has gone must not go on with the load.
"""

from __future__ import annotations

import pickle
import selectors
import signal
import socket
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.local import LocalTransport
from jsrunner.coordinator.remote.frames import FrameReader, Job, Kind, frame
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages import protocol
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.script import archive
from jsrunner.script.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.coordinator.local import LocalConnection
    from jsrunner.coordinator.remote.frames import Frame

#: Seconds without a sign of the Dask worker after which the machine's workers are killed.
SILENCE: Final = 10.0
#: Seconds between two looks at the board.
_LOOK_EVERY: Final = 0.5
#: Seconds that workers get to exit when their streams have ended.
_EXIT_PATIENCE: Final = 3.0
_READ_SIZE: Final = 1 << 20


class Agent:
    """The agent of one run on one machine, made and used once by `main`."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._stream.settimeout(SILENCE)
        self._reader = FrameReader()
        self._waiting: list[Frame] = []
        self._heard = time.monotonic()
        #: Cuts the first worker's messages as long as it loads the script.
        self._loading: MessageReader | None = MessageReader()
        self._counts = b""

    def run(self) -> None:
        """Start the workers, and pass bytes on until all have ended."""
        job = self._receive_job()
        if job is None:
            return
        transport = LocalTransport(
            _script(job), job.environment, job.secrets, job.features, with_others=True
        )
        try:
            transport.start(job.workers)
        except JsrunnerError as error:
            self._send(Kind.DATA, 0, encode(protocol.WorkerFailed(str(error), ExitCode.GENERIC)))
            return
        [connections] = transport.keep(job.workers, job.scenarios)
        self._board, self._scenarios, self._workers = transport.board, job.scenarios, job.workers
        try:
            self._pass_on(connections)
        except OSError:  # the Dask worker is gone
            transport.kill()
        finally:
            transport.end(_EXIT_PATIENCE)

    def _receive_job(self) -> Job | None:
        while not self._waiting:
            data = self._stream.recv(_READ_SIZE)
            if not data:
                return None
            self._waiting.extend(self._reader.feed(data))
        job: Job = pickle.loads(self._waiting.pop(0).data)
        return job

    def _pass_on(self, connections: Sequence[LocalConnection]) -> None:
        """Pass bytes on both ways. Raises OSError if the Dask worker is gone, or silent."""
        left = len(connections)
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            for place, connection in enumerate(connections):
                selector.register(connection, selectors.EVENT_READ, place)
            for waiting in self._waiting:
                self._obey(waiting, connections)
            while left:
                for key, _ in selector.select(_LOOK_EVERY):
                    if key.data is None:
                        self._take_orders(connections)
                        continue
                    connection = connections[key.data]
                    if data := connection.receive():
                        self._forward(connection, key.data, data)
                    else:
                        selector.unregister(connection)
                        left -= 1
                        self._send_counts()
                        self._send(Kind.GONE, key.data, connection.death().encode())
                self._send_counts()
                if time.monotonic() > self._heard + SILENCE:
                    raise TimeoutError("nobody is there")

    # -- from the coordinator ----------------------------------------------------------------------

    def _take_orders(self, connections: Sequence[LocalConnection]) -> None:
        data = self._stream.recv(_READ_SIZE)
        if not data:
            raise ConnectionError("the Dask worker has gone")
        self._heard = time.monotonic()
        for order in self._reader.feed(data):
            self._obey(order, connections)

    def _obey(self, order: Frame, connections: Sequence[LocalConnection]) -> None:
        if order.kind is Kind.DATA:
            connections[order.worker].send(order.data)
        elif order.kind is Kind.OTHERS:
            self._board.set_rows(self._scenarios, self._workers, order.data)
        elif order.kind is Kind.KILL:
            connections[order.worker].kill()

    # -- to the coordinator ------------------------------------------------------------------------

    def _forward(self, connection: LocalConnection, place: int, data: bytes) -> None:
        """Send a worker's bytes, after the counts that they may be about."""
        if self._loading is not None and place == 0:
            data = self._sift(connection, self._loading, data)
        self._send_counts()
        if data:
            self._send(Kind.DATA, place, data)

    def _sift(self, connection: LocalConnection, reader: MessageReader, data: bytes) -> bytes:
        """Leave out what the loading of the script logs: the coordinator has loaded it, too."""
        kept = b""
        for message in reader.feed(data):
            if isinstance(message, protocol.Forked):
                connection.identify(message.process_id)
            if isinstance(message, protocol.Loaded):
                self._loading = None
            elif self._loading is None or not isinstance(message, protocol.Log):
                kept += encode(message)
        return kept

    def _send_counts(self) -> None:
        counts = self._board.rows(self._scenarios, 0, self._workers)
        if counts != self._counts:
            self._counts = counts
            self._send(Kind.COUNTS, 0, counts)

    def _send(self, kind: Kind, place: int, data: bytes) -> None:
        self._stream.sendall(frame(kind, place, data))


def _script(job: Job) -> Script:
    """Return the script of a job, which reads files from its archive only."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(job.archive)
        file.flush()
        return Script(job.script, archive=archive.read(file.name))


def main() -> None:
    """Be the agent; the first argument is the descriptor of the socket to the Dask worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Agent(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
