"""The workers of a run: their start, their state, the messages to and from them, their end."""

from __future__ import annotations

import pickle
import time
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from jsrunner.errors import WorkerError
from jsrunner.messages import protocol
from jsrunner.messages.stream import MessageReader, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.coordinator.log import RunLog
    from jsrunner.coordinator.loop import Loop
    from jsrunner.coordinator.transport import Transport, WorkerConnection
    from jsrunner.errors import JsrunnerError
    from jsrunner.messages.board import Counts
    from jsrunner.messages.plan import WorkerPlan


class WorkerHandle(Struct, eq=False):
    """A worker as the coordinator sees it."""

    #: From 1.
    number: int
    connection: WorkerConnection
    reader: MessageReader = field(default_factory=MessageReader)
    #: VUs that the worker is to make before the run begins, and those that it has made.
    planned_vus: int = 0
    vus: int = 0
    #: True if all of its VUs are made; True if all of its scenarios have ended.
    is_ready: bool = False
    is_finished: bool = False
    #: True if it was killed, or has ended by itself.
    is_gone: bool = False

    def send(self, message: protocol.WorkerMessage) -> None:
        """Send a message to the worker. If it has gone, the end of its stream reports that."""
        self.connection.send(encode(message))


class Workers:
    """The workers of one run, over any transport. Used in the coordinator's thread only."""

    def __init__(
        self,
        transport: Transport,
        loop: Loop,
        log: RunLog,
        *,
        hear: Callable[[int, protocol.WorkerMessage], None],
        fail: Callable[[JsrunnerError], None],
        tolerates_loss: bool = False,
    ) -> None:
        """Make the interface to workers that are not started yet.

        Args:
            transport: The transport of messages to the workers.
            loop: The run's loop, which receives their messages.
            log: Gets debug records.
            hear: Called with a worker's number and a message that is not about the worker itself.
            fail: Called with the error of a worker that was lost or killed.
            tolerates_loss: True if a run goes on without a lost worker, from when the workers make VUs.
        """
        self._transport = transport
        self._loop = loop
        self._log = log
        self._hear = hear
        self._fail = fail
        self._tolerates_loss = tolerates_loss
        self._are_prepared = False
        #: Number of workers on each machine.
        self._machines: tuple[int, ...] = ()
        self._handles: list[WorkerHandle] = []
        #: Counts of each scenario, from `prepare` on.
        self.counts: list[Counts] = []

    # -- life --------------------------------------------------------------------------------------

    def start(self, most: int) -> None:
        """Start the worker that loads the script. Raises JsrunnerError.

        Args:
            most: Maximum number of workers on each machine.
        """
        self._add(self._transport.start(most))

    def are_known(self) -> bool:
        """Return whether the workers' machines are known, so that `most` does not wait."""
        return self._transport.are_known()

    def most(self) -> int:
        """Return the maximum number of workers. Raises JsrunnerError."""
        return self._transport.most()

    def keep(self, count: int, scenarios: int) -> tuple[int, ...]:
        """Settle that this many workers play so many scenarios.

        Returns:
            The number of workers on each machine.

        Raises:
            JsrunnerError: The machines cannot be had.
        """
        loader = self._handles[0]
        machines = self._transport.keep(count, scenarios)
        connections = [connection for machine in machines for connection in machine]
        if loader.connection is not connections[0]:  # it has loaded the script, and plays nothing
            self._loop.unwatch(loader.connection)
            self._handles.clear()
        for connection in connections[len(self._handles) :]:
            self._add(connection)
        board = self._transport.board
        self.counts = [board.view(slot, 0) for slot in range(scenarios)]
        self._machines = tuple(map(len, machines))
        return self._machines

    def prepare(self, plan: WorkerPlan) -> None:
        """Have each worker make the VUs of its share of the plan."""
        pickled = pickle.dumps(plan)
        first = 0
        self._are_prepared = True
        for worker, share in zip(self._handles, plan.shares, strict=True):
            worker.planned_vus = len(share.vu_ids)
        for machine, count in enumerate(plan.machines):
            self._handles[first].send(protocol.Prepare(count, pickled, machine))
            first += count
        self._transport.lend(plan)

    def begin(self, setup_data: bytes | None) -> float:
        """Make all workers begin the scenarios at the same moment.

        Args:
            setup_data: The result of setup() as JSON; None for undefined.

        Returns:
            The moment, by time.monotonic.
        """
        at = time.monotonic() + self._transport.start_delay
        for worker in self._handles:
            if not worker.is_gone:
                worker.send(protocol.Start(at + worker.connection.clock_lead, setup_data))
        return at

    def interrupt(self) -> None:
        """Stop all iterations now."""
        self.send_all(protocol.Interrupt())

    def dismiss(self) -> None:
        """Have all workers exit."""
        self.send_all(protocol.Exit())

    def end(self, patience: float) -> None:
        """Wait until all workers have exited; kill the others after `patience` seconds."""
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
        lost = max(worker.planned_vus, worker.vus)
        text = f"{self._name(worker)} died{worker.connection.death()}"
        if lost:
            text += f", its {lost} {'VU is' if lost == 1 else 'VUs are'} lost"
        worker.vus = 0
        if self._tolerates_loss and self._are_prepared and self.first_alive() is not None:
            self._log.log("error", f"{text}: the run goes on")
        else:
            self._fail(WorkerError(f"{text}: the run is not complete"))

    def _name(self, worker: WorkerHandle) -> str:
        process_id = worker.connection.process_id
        process = f"process {process_id}{worker.connection.place}"
        return f"worker {worker.number} of {len(self._handles)} ({process})"

    # -- messages ----------------------------------------------------------------------------------

    def send_all(self, message: protocol.WorkerMessage) -> None:
        """Send a message to all workers that are left."""
        for worker in self._handles:
            if not worker.is_gone:
                worker.send(message)

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
    def place(self) -> str:
        """The place of the workers: "local", or the numbers of workers and machines."""
        if not self._handles or not self._handles[0].connection.place:
            return "local"
        count, machines = len(self._handles), len(self._machines)
        return (
            f"{count} worker process{'' if count == 1 else 'es'} on "
            f"{machines} machine{'' if machines == 1 else 's'} (Dask)"
        )

    @property
    def vus(self) -> int:
        """VUs that all workers have made."""
        return sum(worker.vus for worker in self._handles)

    @property
    def active_vus(self) -> int:
        """VUs that run an iteration now."""
        return sum(counts.active for counts in self.counts)

    def are_ready(self) -> bool:
        """Return True if all VUs are made, except lost ones."""
        return all(worker.is_ready or worker.is_gone for worker in self._handles)

    def playing(self) -> list[WorkerHandle]:
        """Return the workers whose scenarios have not ended."""
        return [worker for worker in self._handles if not worker.is_finished and not worker.is_gone]

    def first_alive(self) -> WorkerHandle | None:
        """Return the worker that runs a stage; None if all have gone."""
        return next((worker for worker in self._handles if not worker.is_gone), None)
