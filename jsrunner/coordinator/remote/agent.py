"""The agent of a machine: a process below a Dask worker that starts workers as a coordinator does.

The agent passes the workers' bytes on, and keeps the machine's board in step with the coordinator's.
It waits for nobody but in `select`: it reads nothing from workers while the coordinator takes nothing,
so that workers wait as those of the coordinator's own machine do.

The agent kills a worker that is stopped (SIGSTOP). It ends with its workers, and kills them when nobody
has been heard of for a while: a machine whose coordinator has gone must not go on with the load.
"""

from __future__ import annotations

import pickle
import select
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.local import LocalTransport
from jsrunner.coordinator.remote import starts
from jsrunner.coordinator.remote.frames import NUMBER, FrameKind, FrameReader, Job, frame
from jsrunner.coordinator.remote.loans import Loans
from jsrunner.coordinator.remote.outlet import Outlet
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages import protocol
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.script import archive
from jsrunner.script.script import ScriptBundle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsrunner.coordinator.local import LocalConnection
    from jsrunner.coordinator.remote.frames import Frame

#: Seconds without a sign of the Dask worker after which the machine's workers are killed.
SILENCE: Final = 10.0
#: Seconds that a worker may be stopped before it is killed.
_STOPPED_PATIENCE: Final = 3.0
#: Seconds between two looks at the board and at the workers, and at the loans of iterations.
_LOOK_EVERY: Final = 0.5
_LOANS_EVERY: Final = 0.05
#: Seconds that workers get to exit when their streams have ended.
_EXIT_PATIENCE: Final = 3.0
_READ_SIZE: Final = 1 << 20
#: Bytes that may wait for the Dask worker before nothing more is read from workers.
_HIGH_WATER: Final = 1 << 20


class _Seat:
    """A worker of this machine as the agent sees it."""

    def __init__(self, place: int, connection: LocalConnection) -> None:
        #: From 0.
        self.place = place
        self.connection = connection
        self.outlet = Outlet(connection.stream)
        #: Since when the process is stopped (time.monotonic); 0 if it runs.
        self.stopped_at = 0.0
        #: Why the agent has killed it.
        self.reason = ""
        #: Cuts the messages of its opening: the loading of the script, or until its process is known.
        self._opening: MessageReader | None = MessageReader()

    def fileno(self) -> int:
        """Return the descriptor of the worker's stream."""
        return self.connection.fileno()

    def send(self, data: bytes) -> None:
        """Send bytes as soon as the worker takes them; nothing happens if it has gone."""
        try:
            self.outlet.put(data)
        except OSError:
            self.outlet.take()

    def receive(self) -> bytes | None:
        """Return bytes for the coordinator, b"" if there are none, None if the worker has gone."""
        data = self.connection.receive()
        if not data:
            return None
        return data if self._opening is None else self._sift(self._opening, data)

    def _sift(self, reader: MessageReader, data: bytes) -> bytes:
        """Leave out what the loading of the script logs: the coordinator has loaded it, too."""
        kept = b""
        for message in reader.feed(data):
            if isinstance(message, protocol.Forked):
                self.connection.identify(message.process_id)
                self._opening = None
            elif isinstance(message, protocol.Loaded):
                self._opening = None
                continue
            elif self._opening is not None and isinstance(message, protocol.Log):
                continue
            kept += encode(message)
        return kept + (reader.rest() if self._opening is None else b"")

    def check(self) -> None:
        """Kill the worker if it has been stopped for too long."""
        now = time.monotonic()
        if not _is_stopped(self.connection.process_id):
            self.stopped_at = 0.0
        elif not self.stopped_at:
            self.stopped_at = now
        elif now > self.stopped_at + _STOPPED_PATIENCE and not self.reason:
            self.reason = f" because it was stopped for {_STOPPED_PATIENCE:.0f} seconds"
            self.connection.kill()


class Agent:
    """The agent of one run on one machine, made and used once by `main`."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._outlet = Outlet(stream)
        self._reader = FrameReader()
        self._waiting: list[Frame] = []
        self._heard = self._looked = 0.0
        self._counts = b""
        self._seats: list[_Seat] = []

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
            self._send(FrameKind.DATA, 0, encode(protocol.WorkerFailed(str(error), ExitCode.GENERIC)))
            self._stream.sendall(self._outlet.take())
            return
        [connections] = transport.keep(job.workers, job.scenarios)
        self._board, self._scenarios = transport.board, job.scenarios
        self._loans = Loans(transport.board, job.scenarios)
        self._seats = [_Seat(place, connection) for place, connection in enumerate(connections)]
        self._workers = len(self._seats)
        try:
            self._pass_on()
            self._stream.sendall(self._outlet.take())
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

    def _pass_on(self) -> None:
        """Pass bytes on both ways. Raises OSError if the Dask worker is gone, or silent."""
        seats = dict(enumerate(self._seats))
        assert self._board.others is not None
        pipe = self._board.mail[self._board.others][0]
        self._heard = time.monotonic()  # the job may have taken long
        for waiting in self._waiting:
            self._obey(waiting)
        while seats:
            reads: list[_Seat | socket.socket | int] = [self._stream, pipe]
            if self._outlet.size < _HIGH_WATER:
                reads += seats.values()
            writes: list[_Seat | socket.socket | int] = [
                seat for seat in seats.values() if seat.outlet.size
            ]
            if self._outlet.size:
                writes.append(self._stream)
            patience = _LOANS_EVERY if self._loans.are_used else _LOOK_EVERY
            readable, writable, _ = select.select(reads, writes, (), patience)
            for ready in writable:
                if isinstance(ready, _Seat):
                    ready.send(b"")
                else:
                    self._outlet.flush()
            for ready in readable:
                if isinstance(ready, int):
                    self._send_counts()
                    self._send(FrameKind.STARTS, 0, starts.collect(self._board))
                elif not isinstance(ready, _Seat):
                    self._take_orders()
                elif (data := ready.receive()) is None:
                    del seats[ready.place]
                    self._bury(ready)
                elif data:
                    self._send_counts()  # the bytes may be about them
                    self._send(FrameKind.DATA, ready.place, data)
            for slot, report in self._loans.reports():
                self._send(FrameKind.LOANS, slot, report)
            self._look(seats.values())

    # -- from the coordinator ----------------------------------------------------------------------

    def _take_orders(self) -> None:
        data = self._stream.recv(_READ_SIZE)
        if not data:
            raise ConnectionError("the Dask worker has gone")
        self._heard = time.monotonic()
        for order in self._reader.feed(data):
            self._obey(order)

    def _obey(self, order: Frame) -> None:
        if order.kind is FrameKind.DATA:
            self._seats[order.place].send(order.data)
        elif order.kind is FrameKind.OTHERS:
            self._board.set_rows(self._scenarios, self._workers, order.data)
        elif order.kind is FrameKind.KILL:
            self._seats[order.place].connection.kill()
        elif order.kind is FrameKind.STARTS:
            if answers := starts.deliver(self._board, order.data):
                self._send(FrameKind.STARTS, 0, answers)
        elif order.kind is FrameKind.CLOCK:
            [self._board.clock_lag] = NUMBER.unpack(order.data)
        elif order.kind is FrameKind.LEND:
            self._loans.add(order.place, order.data)
        elif order.kind is FrameKind.GIVE_BACK:
            returned = self._loans.give_back(order.place, order.data)
            self._send(FrameKind.GIVE_BACK, order.place, returned)

    # -- to the coordinator ------------------------------------------------------------------------

    def _bury(self, seat: _Seat) -> None:
        """Report a worker whose stream has ended."""
        self._send_counts()
        death = seat.reason or seat.connection.death()
        self._send(FrameKind.GONE, seat.place, death.encode())

    def _send_counts(self) -> bool:
        """Send the counts of this machine's workers; return whether they have changed."""
        counts = self._board.rows(self._scenarios, 0, self._workers)
        if counts == self._counts:
            return False
        self._counts = counts
        self._send(FrameKind.COUNTS, 0, counts)
        return True

    def _look(self, seats: Iterable[_Seat]) -> None:
        """Look at the board, the workers and the clock, if it is time. Raises TimeoutError."""
        now = time.monotonic()
        if now < self._looked + _LOOK_EVERY:
            return
        self._looked = now
        if not self._outlet.size and not self._send_counts():
            self._send(FrameKind.ALIVE, 0, b"")
        for seat in seats:
            seat.check()
        if now > self._heard + SILENCE:
            raise TimeoutError("nobody is there")

    def _send(self, kind: FrameKind, place: int, data: bytes) -> None:
        self._outlet.put(frame(kind, place, data))


def _is_stopped(process_id: int) -> bool:
    """Return whether a process is stopped by a signal or a debugger."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] in (b"T", b"t")


def _script(job: Job) -> ScriptBundle:
    """Return the script of a job, which reads files from its archive only."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(job.archive)
        file.flush()
        return ScriptBundle(job.script, archive=archive.read(file.name))


def main() -> None:
    """Be the agent; the first argument is the descriptor of the socket to the Dask worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Agent(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
