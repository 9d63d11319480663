"""Parts of a run for tests of single parts: a log that remembers, workers that the test plays itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.loop import Loop
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.messages.board import Board
from jsrunner.messages.plan import Test, WorkerPlan
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsrunner.messages.protocol import WorkerMessage

WHOLE = Striping(None, None)


class Records:
    """A log that remembers its records."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, dict[str, Any]]] = []
        self.secrets: list[str] = []
        self.is_verbose = True
        self.is_started = False

    def start(self) -> None:
        self.is_started = True

    def log(self, level: str, text: str, moment: int | None = None, /, **fields: Any) -> None:
        self.records.append((level, text, fields))

    def redact(self, secret: str) -> None:
        self.secrets.append(secret)

    def texts(self, level: str) -> list[str]:
        return [text for each, text, _ in self.records if each == level]


class PlayedConnection:
    """The coordinator's end of a socket pair; `worker` is the end that the test plays."""

    place = ""
    clock_lead = 0.0

    def __init__(self) -> None:
        self._stream, self.worker = socket.socketpair()
        self._reader = MessageReader()
        self.process_id = 0
        self.is_killed = False

    # -- as the coordinator uses it ----------------------------------------------------------------

    def fileno(self) -> int:
        return self._stream.fileno()

    def send(self, data: bytes) -> None:
        self._stream.sendall(data)

    def receive(self) -> bytes:
        try:
            return self._stream.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def identify(self, process_id: int) -> None:
        self.process_id = process_id

    def kill(self) -> None:
        self.is_killed = True
        self.worker.close()

    def death(self) -> str:
        return " by itself"

    def close(self) -> None:
        self._stream.close()
        self.worker.close()

    # -- as the test uses it -----------------------------------------------------------------------

    def tell(self, *messages: WorkerMessage) -> None:
        """Send messages to the coordinator."""
        for message in messages:
            self.worker.sendall(encode(message))

    def told(self) -> list[WorkerMessage]:
        """Return what the coordinator has sent since the last time."""
        self.worker.setblocking(False)
        try:
            data = self.worker.recv(1 << 20)
        except BlockingIOError:
            return []
        finally:
            self.worker.setblocking(True)
        return list(self._reader.feed(data))


class PlayedTransport:
    """Workers that the test plays."""

    board: Board
    start_delay = 0.002

    def __init__(self) -> None:
        self.connections: list[PlayedConnection] = []
        self.is_ended = False

    def start(self, most: int) -> PlayedConnection:
        self.board = Board(most)
        self.connections = [PlayedConnection() for _ in range(most)]
        return self.connections[0]

    def are_known(self) -> bool:
        return True

    def most(self) -> int:
        return len(self.connections)

    def keep(self, count: int, scenarios: int) -> list[list[PlayedConnection]]:
        for connection in self.connections[count:]:
            connection.close()
        del self.connections[count:]
        self.board.open(scenarios)
        return [self.connections]

    def lend(self, plan: WorkerPlan) -> None:
        """Processes of one machine need no loans."""

    def kill(self) -> None:
        for connection in self.connections:
            connection.kill()

    def end(self, patience: float) -> None:
        self.is_ended = True

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        if hasattr(self, "board"):
            self.board.close()


@pytest.fixture
def log() -> Records:
    return Records()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def transport() -> Iterator[PlayedTransport]:
    transport = PlayedTransport()
    yield transport
    transport.close()


@pytest.fixture
def make_test() -> Callable[..., Test]:
    """`make_test(exports=..., iterations=..., **options)`: a test of one scenario with a shared budget."""

    def make(
        exports: tuple[str, ...] = ("default",), iterations: int = 10, vus: int = 2, **options: Any
    ) -> Test:
        config = SharedIterations(name="default", vus=vus, iterations=iterations)
        return Test(
            options=Options(**options),
            scenarios={"default": config},
            plans={"default": config.plan(WHOLE)},
            striping=WHOLE,
            exports=dict.fromkeys(exports, "function"),
            max_vus=vus,
        )

    return make
