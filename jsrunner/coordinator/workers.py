"""The workers of a run: they are started, sent messages, heard, lost and killed here."""

from __future__ import annotations

import pickle
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from jsrunner.errors import WorkerError
from jsrunner.messages import protocol
from jsrunner.messages.stream import MessageReader, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.loop import Loop
    from jsrunner.coordinator.transport import Transport, WorkerConnection
    from jsrunner.errors import JsrunnerError
    from jsrunner.messages.board import Counts
    from jsrunner.messages.plan import Plan


class WorkerHandle(Struct, eq=False):
    """A worker as the coordinator sees it."""

    #: From 1.
    number: int
    connection: WorkerConnection
    reader: MessageReader = field(default_factory=MessageReader)
    #: VUs that the worker has made.
    vus: int = 0
    #: Whether all of its VUs are made, and whether all of its scenarios have ended.
    is_ready: bool = False
    is_finished: bool = False
    #: Whether it was killed, or has ended by itself.
    is_gone: bool = False


class Workers:
    """The workers of one run, over whatever transport. Used in the coordinator's thread only."""

    def __init__(
        self,
        transport: Transport,
        loop: Loop,
        log: RunLog,
        *,
        hear: Callable[[int, protocol.WorkerMessage], None],
        fail: Callable[[JsrunnerError], None],
    ) -> None:
        """Make the interface to workers that are not started yet.

        Args:
            transport: How they are reached.
            loop: The run's loop, which hears them.
            log: Gets debug records.
            hear: Called with a worker's number and a message that is not about the worker itself.
            fail: Called with the error of a worker that was lost or killed.
        """
        self._transport = transport
        self._loop = loop
        self._log = log
        self._hear = hear
        self._fail = fail
        self._connections: Sequence[WorkerConnection] = ()
        self._handles: list[WorkerHandle] = []
        #: What is counted of each scenario, from `prepare` on.
        self.counts: list[Counts] = []

    # -- life --------------------------------------------------------------------------------------

    def start(self, most: int) -> None:
        """Start the first of up to `most` workers; it loads the script. Raises JsrunnerError."""
        self._connections = self._transport.start(most)
        self._add(self._connections[0])

    def most(self) -> int:
        """Return how many workers there can be."""
        return len(self._connections)

    def prepare(self, plan: Plan) -> None:
        """Have a worker for each share of the plan, and have each make its VUs."""
        count, scenarios = len(plan.shares), len(plan.test.scenarios)
        self._transport.keep(count)
        board = self._transport.board
        board.open(scenarios)
        board.vus = sum(len(share.vu_ids) for share in plan.shares)
        self.counts = [board.view(slot, 0) for slot in range(scenarios)]
        self.send(self._handles[0], protocol.Prepare(count, pickle.dumps(plan)))
        for connection in self._connections[1:count]:
            self._add(connection)

    def interrupt(self) -> None:
        """Stop all iterations now."""
        self.send_all(protocol.Interrupt())

    def dismiss(self) -> None:
        """Have all workers exit."""
        self.send_all(protocol.Exit())

    def end(self, patience: float) -> None:
        """Wait until all workers have exited; kill those that have not after `patience` seconds."""
        self._transport.end(patience)

    def kill(self, worker: WorkerHandle, reason: str) -> None:
        """Kill a worker that does not obey: the run fails."""
        worker.connection.kill()
        worker.is_gone = True
        name = self._name(worker)
        self._fail(WorkerError(f"{name} was killed because {reason}: the run is not complete"))

    def kill_all(self) -> None:
        """Kill all workers. A signal handler may call this, in the midst of anything."""
        self._transport.kill()

    def _add(self, connection: WorkerConnection) -> None:
        worker = WorkerHandle(len(self._handles) + 1, connection)
        self._handles.append(worker)
        self._loop.watch(connection, partial(self._receive, worker))

    def _lose(self, worker: WorkerHandle) -> None:
        """Note that a worker's stream has ended."""
        self._loop.unwatch(worker.connection)
        if worker.is_gone:
            return
        worker.is_gone = True
        how = worker.connection.death()
        self._fail(WorkerError(f"{self._name(worker)} died{how}: the run is not complete"))

    def _name(self, worker: WorkerHandle) -> str:
        process_id = worker.connection.process_id
        return f"worker {worker.number} of {len(self._handles)} (process {process_id})"

    # -- messages ----------------------------------------------------------------------------------

    def send(self, worker: WorkerHandle, message: protocol.WorkerMessage) -> None:
        """Send a message to a worker. A worker that has gone is heard of by its stream's end."""
        worker.connection.send(encode(message))

    def send_all(self, message: protocol.WorkerMessage) -> None:
        """Send a message to all workers that are left."""
        for worker in self._handles:
            if not worker.is_gone:
                self.send(worker, message)

    def _receive(self, worker: WorkerHandle) -> None:
        """Handle the messages that have come, or the stream's end."""
        data = worker.connection.receive()
        if not data:
            self._lose(worker)
            return
        try:
            for message in worker.reader.feed(data):
                self._handle(worker, message)
        except WorkerError as error:
            self._fail(error)

    def _handle(self, worker: WorkerHandle, message: protocol.WorkerMessage) -> None:
        match message:
            case protocol.Forked():
                worker.connection.identify(message.process_id)
            case protocol.Initialized():
                worker.vus = message.vus
                self._log.log("debug", f"Worker {worker.number} has made {worker.vus} VUs")
            case protocol.Ready():
                worker.is_ready = True
            case protocol.Finished():
                worker.is_finished = True
            case _:
                self._hear(worker.number, message)

    # -- how they are ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._handles)

    @property
    def vus(self) -> int:
        """VUs that all workers have made."""
        return sum(worker.vus for worker in self._handles)

    @property
    def active_vus(self) -> int:
        """VUs that run an iteration now."""
        return sum(counts.active for counts in self.counts)

    def are_ready(self) -> bool:
        """Return whether all VUs are made."""
        return all(worker.is_ready for worker in self._handles)

    def playing(self) -> list[WorkerHandle]:
        """Return the workers whose scenarios have not ended."""
        return [worker for worker in self._handles if not worker.is_finished and not worker.is_gone]

    def first_alive(self) -> WorkerHandle | None:
        """Return the worker that runs a stage; None if all have gone."""
        return next((worker for worker in self._handles if not worker.is_gone), None)
