"""Workers on other machines, as the coordinator sees them: see `transport` for the contract."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from jsrunner.coordinator.remote.frames import FrameKind, FrameReader, Job, frame
from jsrunner.coordinator.remote.leases import Pool
from jsrunner.coordinator.remote.link import Link
from jsrunner.coordinator.remote.starts import route
from jsrunner.errors import WorkerError
from jsrunner.executors.arrivals import Arrivals
from jsrunner.executors.plan import SharedTotal
from jsrunner.messages import protocol
from jsrunner.messages.board import Board
from jsrunner.messages.plan import Machine
from jsrunner.messages.stream import MessageReader, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jsrunner.coordinator.local import LocalConnection, LocalTransport
    from jsrunner.coordinator.remote.frames import Frame
    from jsrunner.coordinator.remote.leases import Order
    from jsrunner.coordinator.remote.link import MachineLink
    from jsrunner.messages.plan import WorkerPlan
    from jsrunner.script.script import ScriptBundle
    from jsrunner.secrets.sources import SecretSources

#: Seconds between two messages of what all other machines have counted. If there are arrival rates,
#: which must know of free VUs: at least, and for each machine.
_OTHERS_EVERY: Final = 1.0
_FREE_EVERY: Final = 0.1
_FREE_PER_MACHINE: Final = 0.01
#: Seconds that the loader gets to exit.
_EXIT_PATIENCE: Final = 3.0
#: More worker processes are not started on one machine.
_MOST_WORKERS: Final = 64
#: Bytes of one machine that may wait for the coordinator's thread before nothing more is received.
_HIGH_WATER: Final = 2 << 20


class RemoteConnection:
    """The way to one worker of another machine. The coordinator's thread uses it.

    The link's thread calls `put` and `end`.
    """

    def __init__(self, machine: MachineLink, index: int) -> None:
        """Make a connection of the worker with this place on its machine, from 0."""
        self.process_id = 0
        self._machine = machine
        self._index = index
        #: Guards the fields below.
        self._lock = threading.Lock()
        self._received: list[bytes] = []
        #: Bytes in `_received`.
        self._waiting = 0
        self._has_ended = False
        self._death = ""
        #: Its reader is readable exactly when something is to be received or the worker has gone.
        self._reader, self._writer = socket.socketpair()

    @property
    def place(self) -> str:
        """The place of the worker, for error texts."""
        return f" on {self._machine.address}"

    @property
    def clock_lead(self) -> float:
        """Seconds by which the monotonic clock of the machine is ahead."""
        return self._machine.clock_lead

    def fileno(self) -> int:
        """Return the descriptor that is readable when `receive` has something."""
        return self._reader.fileno()

    def send(self, data: bytes) -> None:
        """Send bytes of messages soon."""
        self._machine.send(frame(FrameKind.DATA, self._index, data))

    def receive(self) -> bytes:
        """Return bytes of messages that have come, b"" if the worker has gone."""
        with self._lock:
            data = b"".join(self._received)
            if data and not self._has_ended:
                self._reader.recv(1)
            self._received.clear()
            self._waiting = 0
        return data

    @property
    def waiting(self) -> int:
        """Bytes that have come and wait for `receive`."""
        return self._waiting

    def put(self, data: bytes) -> None:
        """Add bytes that have come."""
        with self._lock:
            if not self._received and not self._has_ended:
                self._writer.send(b"\0")
            self._received.append(data)
            self._waiting += len(data)

    def end(self, death: str) -> None:
        """Note that the worker has gone."""
        with self._lock:
            if not self._received and not self._has_ended:
                self._writer.send(b"\0")
            self._has_ended = True
            self._death = self._death or death

    def identify(self, process_id: int) -> None:
        """Note the worker's process."""
        self.process_id = process_id

    def kill(self) -> None:
        """Have the agent kill the worker."""
        self._machine.send(frame(FrameKind.KILL, self._index))

    def death(self) -> str:
        """Return how the worker has ended."""
        return self._death

    def close(self) -> None:
        """Close the pair of sockets."""
        self._reader.close()
        self._writer.close()


class _Machine:
    """A machine that takes part: its link and the connections of its workers."""

    def __init__(self, link: MachineLink, first: int, count: int) -> None:
        self.link = link
        #: Its workers' numbers in the run, from 0.
        self.workers = range(first, first + count)
        self.connections = [RemoteConnection(link, index) for index in range(count)]
        self.is_lost = False
        #: Whether nobody is interested in what still comes.
        self.is_over = False
        self._reader = FrameReader()

    def room(self) -> int:
        """Return how many bytes may be received now; in the link's thread."""
        if self.is_over:
            return _HIGH_WATER
        return _HIGH_WATER - sum(connection.waiting for connection in self.connections)

    def receive(self, board: Board, scenarios: int, data: bytes) -> Iterator[Frame]:
        """Take frames; yield those about iterations. In the link's thread."""
        for taken in self._reader.feed(data):
            if taken.kind is FrameKind.DATA:
                self.connections[taken.place].put(taken.data)
            elif taken.kind is FrameKind.GONE:
                board.vacate(scenarios, self.workers[taken.place])
                self.connections[taken.place].end(taken.data.decode())
            elif taken.kind is FrameKind.COUNTS:
                board.set_rows(scenarios, self.workers.start, taken.data)
            elif taken.kind in (FrameKind.LOANS, FrameKind.GIVE_BACK, FrameKind.STARTS):
                yield taken

    def lose(self, board: Board, scenarios: int, reason: str) -> None:
        """Note that nothing comes any more; in the link's thread."""
        self.is_lost = True
        for number, connection in zip(self.workers, self.connections, strict=True):
            board.vacate(scenarios, number)
            connection.end(reason)


class RemoteTransport:
    """Has workers on the machines of a Dask cluster.

    A local worker loads the script first: so errors of the script come up here, as in any run, and what
    the script imports and opens is packed into an archive that the machines get.
    """

    board: Board
    start_delay = 0.25

    def __init__(
        self,
        script: ScriptBundle,
        environment: Mapping[str, str],
        secrets: SecretSources,
        features: frozenset[str],
        *,
        loader: LocalTransport,
        address: str,
        is_insecure: bool,
        workers: int | None,
    ) -> None:
        """Make a transport that has started nothing yet.

        Args:
            script: What runs.
            environment: The script's `__ENV`.
            secrets: Sources for `k6/secrets`.
            features: Names of k6's feature flags that are on.
            loader: Starts the worker that loads the script here.
            address: Of the Dask scheduler, or `local:N`.
            is_insecure: Whether plain connections to other machines are accepted.
            workers: Number of worker processes per machine; None for one per thread of the Dask worker.

        Raises:
            UsageError: The address is refused.
        """
        self._script = script
        self._environment = environment
        self._secrets = secrets
        self._features = features
        self._loader: LocalTransport | None = loader
        self._loading: LocalConnection | None = None
        self._link = Link(address, is_insecure=is_insecure)
        self._workers = workers
        self._machines: list[_Machine] = []
        self._scenarios = 0
        self._others_every = _OTHERS_EVERY
        #: By the scenarios' places; the link's thread uses them.
        self._pools: dict[int, Pool] = {}

    def start(self, most: int) -> LocalConnection:
        """Start the local worker that loads the script, and look for machines meanwhile."""
        assert self._loader is not None
        self._loading = self._loader.start(1)
        self._link.start()
        return self._loading

    def are_known(self) -> bool:
        """Return whether the Dask workers have answered, or cannot be reached."""
        return self._link.is_connected

    def most(self) -> int:
        """Return how many workers the machines can have. Raises JsrunnerError."""
        return sum(self._capacity(machine) for machine in self._link.machines())

    def _capacity(self, machine: MachineLink) -> int:
        return min(self._workers or machine.threads, _MOST_WORKERS)

    def keep(self, count: int, scenarios: int) -> Sequence[Sequence[RemoteConnection]]:
        """Start workers, spread over the machines. Raises JsrunnerError."""
        archive = self._pack()
        links = self._link.machines()
        shares = _spread(count, [self._capacity(link) for link in links])
        self.board = Board(count)
        self.board.open(scenarios)
        self._scenarios = scenarios
        first = 0
        for link, share in zip(links, shares, strict=True):
            if share:
                self._open(link, first, share, scenarios, archive)
                first += share
        self._link.spawn(self._spread_counts(scenarios))
        return [machine.connections for machine in self._machines]

    def _open(self, link: MachineLink, first: int, share: int, scenarios: int, archive: bytes) -> None:
        """Have the agent of a machine start its share of workers."""
        machine = _Machine(link, first, share)
        self._machines.append(machine)
        job = Job(
            self._script.name, archive, dict(self._environment), self._secrets, self._features,
            share, scenarios,
        )  # fmt: skip
        self._link.spawn(
            link.run(
                frame(FrameKind.JOB, 0, pickle.dumps(job)),
                machine.room,
                partial(self._receive, len(self._machines) - 1),
                partial(self._lose, len(self._machines) - 1),
            )
        )

    def _receive(self, number: int, data: bytes) -> None:
        """Take bytes of a machine; in the link's thread."""
        for taken in self._machines[number].receive(self.board, self._scenarios, data):
            if taken.kind is FrameKind.STARTS:
                self._route(number, taken.data)
                continue
            pool = self._pools[taken.place]
            note = pool.report if taken.kind is FrameKind.LOANS else pool.take_back
            self._order(note(number, taken.data))

    def _route(self, sender: int, data: bytes) -> None:
        """Send starts that a machine has no VU for, and answers to such, to other machines."""
        workers = [machine.workers for machine in self._machines]
        for number, entries in route(self.board, workers, sender, data).items():
            self._machines[number].link.send(frame(FrameKind.STARTS, 0, entries))

    def _lose(self, number: int, reason: str) -> None:
        """Note that nothing comes of a machine any more; in the link's thread."""
        self._machines[number].lose(self.board, self._scenarios, reason)
        for pool in self._pools.values():
            self._order(pool.lose(number))

    def _order(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._machines[order.machine].link.send(order.frame)

    def lend(self, plan: WorkerPlan) -> None:
        """Lend the machines shared iterations from now on."""
        machines = [Machine(plan, index) for index in range(len(plan.machines))]
        if len(machines) == 1:
            return
        pools = {
            slot: Pool(slot, [machine.draws(name, made.iterations.count) for machine in machines])
            for slot, (name, made) in enumerate(plan.test.plans.items())
            if isinstance(made.iterations, SharedTotal)
        }
        if any(isinstance(made.iterations, Arrivals) for made in plan.test.plans.values()):
            self._others_every = max(_FREE_EVERY, len(machines) * _FREE_PER_MACHINE)
        self._link.call_soon(partial(self._begin, pools))

    def _begin(self, pools: dict[int, Pool]) -> None:
        self._pools = pools
        for pool in pools.values():
            self._order(pool.begin())
            for number, machine in enumerate(self._machines):
                if machine.is_lost:
                    self._order(pool.lose(number))

    def _pack(self) -> bytes:
        """Return the archive of the script from its loader, and end the loader. Raises WorkerError."""
        assert self._loader is not None
        assert self._loading is not None
        self._loading.send(encode(protocol.Pack()))
        reader, archive = MessageReader(), b""
        while not archive:
            data = self._loading.receive()
            if not data:
                raise WorkerError("the worker that loads the script died: there is nothing to run")
            for message in reader.feed(data):
                if isinstance(message, protocol.Packed):
                    archive = message.archive
        self._loading.send(encode(protocol.Exit()))
        loader, self._loader = self._loader, None
        loader.end(_EXIT_PATIENCE)
        return archive

    async def _spread_counts(self, scenarios: int) -> None:
        """Send each machine again and again what all others have counted."""
        while len(self._machines) > 1:
            await asyncio.sleep(self._others_every)
            sums = self.board.sums(scenarios, [machine.workers for machine in self._machines])
            for machine, others in zip(self._machines, sums, strict=True):
                if not machine.is_lost:
                    machine.link.send(frame(FrameKind.OTHERS, 0, others))

    def kill(self) -> None:
        """Kill all workers; waits for a moment until the machines have heard of it."""
        if self._loader is not None:
            self._loader.kill()
        for machine in self._machines:
            for connection in machine.connections:
                connection.kill()
        if self._machines:
            time.sleep(0.2)

    def end(self, patience: float) -> None:
        """Wait for the workers to exit, end the agents, disconnect."""
        if self._loader is not None:
            self._loader.end(patience)
        for machine in self._machines:
            machine.is_over = True
        deadline = time.monotonic() + patience
        while not all(machine.is_lost for machine in self._machines) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._link.close([machine.link for machine in self._machines])
        for machine in self._machines:
            for connection in machine.connections:
                connection.close()
        if self._machines:
            self.board.close()


def _spread(count: int, capacities: Sequence[int]) -> list[int]:
    """Return how many workers each machine has, if each in turn gets one as long as it has room."""
    shares = [0] * len(capacities)
    while count:
        for machine, capacity in enumerate(capacities):
            if count and shares[machine] < capacity:
                shares[machine] += 1
                count -= 1
    return shares
