"""The contract of a transport, which carries messages between the coordinator and its workers.

A transport starts and ends workers and carries bytes to and from them. Messages are only bytes to it
(see `messages.stream`). `local.LocalTransport` forks processes on this machine,
`remote.transport.RemoteTransport` has processes on other machines.

Life cycle: `start` once; then `most`, `keep` and `lend` once, when the test is known; at last `end`,
unless `start` has failed.

Threads: all methods are called in the coordinator's thread. `kill` is also called by a signal handler,
in the midst of any other method.

Errors: `start`, `most` and `keep` raise JsrunnerError. Sending to a worker that has gone is no error:
its `receive` returns b"".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.messages.board import Board
    from jsrunner.messages.plan import WorkerPlan


class WorkerConnection(Protocol):
    """The way to one worker."""

    @property
    def process_id(self) -> int:
        """The worker's process id; 0 while it is unknown."""
        ...

    @property
    def place(self) -> str:
        """The worker's place, for error texts: " on tcp://10.0.0.2:4711", "" for this machine."""
        ...

    @property
    def clock_lead(self) -> float:
        """Seconds by which the monotonic clock of the worker's machine is ahead of this one's."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that is readable when `receive` does not wait."""
        ...

    def send(self, data: bytes) -> None:
        """Send the bytes of messages; may wait until the worker takes them."""
        ...

    def receive(self) -> bytes:
        """Return bytes of messages that have come; b"" if the worker has gone."""
        ...

    def identify(self, process_id: int) -> None:
        """Note the worker's process, which the worker itself has reported."""
        ...

    def kill(self) -> None:
        """End the worker without asking it, if its process is known."""
        ...

    def death(self) -> str:
        """Return how a worker that has just gone has ended: " by signal SIGKILL", or "" if unknown."""
        ...


class Transport(Protocol):
    """Starts workers, and ends them."""

    @property
    def board(self) -> Board:
        """The counts of all workers, from `keep` on. A worker's own are at its place, from 0."""
        ...

    @property
    def start_delay(self) -> float:
        """Seconds from the message that starts the scenarios to their start."""
        ...

    def start(self, most: int) -> WorkerConnection:
        """Start the worker that loads the script.

        Args:
            most: Maximum number of workers on each machine.

        Returns:
            The way to that worker.

        Raises:
            JsrunnerError: The worker could not be started.
        """
        ...

    def are_known(self) -> bool:
        """Return whether the machines are known, or cannot be had: then `most` does not wait."""
        ...

    def most(self) -> int:
        """Return the maximum number of workers. Raises JsrunnerError."""
        ...

    def keep(self, count: int, scenarios: int) -> Sequence[Sequence[WorkerConnection]]:
        """Fix the numbers of workers and scenarios.

        Args:
            count: Number of workers that take part, at most `most`.
            scenarios: Number of scenarios for which the board has counts.

        Returns:
            The ways to the workers of each machine. The first of each machine loads the script, or has
            loaded it, and forks the others.

        Raises:
            JsrunnerError: The machines cannot be had.
        """
        ...

    def lend(self, plan: WorkerPlan) -> None:
        """Divide the shared iterations of the plan among the machines, from now on to the end."""
        ...

    def kill(self) -> None:
        """End all workers without asking them."""
        ...

    def end(self, patience: float) -> None:
        """Wait for the workers to exit, which know that the run is over, and let go of everything.

        Args:
            patience: Seconds after which the workers that are left are killed.
        """
        ...
