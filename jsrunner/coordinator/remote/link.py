"""The coordinator's thread that speaks Dask: an asyncio loop with the client and a task per machine.

The coordinator's own thread only puts bytes into queues and takes them out. A machine is lost when a
call of its actor fails, or when the Dask worker or the agent has not answered for `SILENCE` seconds:
whatever has become of the processes, the scheduler or the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import cloudpickle
import dask.config
from distributed import Client

from jsrunner.coordinator.remote import probe
from jsrunner.coordinator.remote.actor import MachineActor
from jsrunner.coordinator.remote.cluster import LocalNodes, local_nodes
from jsrunner.coordinator.remote.frames import NUMBER, FrameKind, frame
from jsrunner.errors import JsrunnerError, UsageError
from jsrunner.messages.stream import VERSION
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

#: Seconds without an answer after which a machine is lost.
SILENCE: Final = 5.0
#: Seconds that a machine waits for something to answer with.
_POLL_PATIENCE: Final = 1.0
#: Seconds between two calls of a machine from which nothing is taken, because the coordinator is late.
_FULL_PATIENCE: Final = 0.05
#: Seconds that an agent gets to end its workers; that it gets when it was lost.
_EXIT_PATIENCE: Final = 5.0
_KILL_PATIENCE: Final = 0.1
#: Seconds to reach the scheduler, to ask all Dask workers, to make an actor; for an agent to begin.
_CONNECT_PATIENCE: Final = 10.0
#: Seconds for the Dask workers of `local:N` to start.
_LOCAL_PATIENCE: Final = 30.0
#: Seconds to send a machine the archive of the script.
_JOB_PATIENCE: Final = 60.0
#: Exchanges that the leads of a machine's clocks are estimated from; seconds until the next estimate.
_CLOCK_EXCHANGES: Final = 8
_CLOCKS_EVERY: Final = 20.0
#: Seconds that closing everything may take.
_CLOSE_PATIENCE: Final = 10.0


def check_address(address: str, *, is_insecure: bool) -> None:
    """Check that nobody on the network can take part unseen: Dask authenticates by TLS only.

    Args:
        address: Of a scheduler or of a worker: `tcp://127.0.0.1:8786`.
        is_insecure: Whether plain connections to other machines are accepted.

    Raises:
        UsageError: It is a plain address of another machine, or none at all.
    """
    parts = urlsplit(address)
    if not parts.scheme or not parts.hostname:
        raise UsageError(
            f"invalid address '{address}' of a Dask scheduler, use tls://host:port or tcp://127.0.0.1:port"
        )
    if parts.scheme == "tls" or is_insecure or _is_loopback(parts.hostname):
        return
    raise UsageError(
        f"the address {address} has no TLS: whoever reaches it can run programs there. "
        "Use tls:// with certificates, or accept that by --dask-insecure"
    )


def check_certificates(address: str) -> None:
    """Check that Dask has certificates for a scheduler with TLS.

    Raises:
        UsageError: A setting is missing, or its file.
    """
    if not address.startswith("tls:"):
        return
    for name in ("ca-file", "client.cert", "client.key"):
        path, setting = dask.config.get(f"distributed.comm.tls.{name}", None), f"comm.tls.{name}"
        variable = "DASK_DISTRIBUTED__" + setting.upper().replace(".", "__").replace("-", "_")
        if not path and name == "client.key":  # the certificate's file may have the key, too
            continue
        if not path:
            raise UsageError(
                f"--dask {address} needs certificates: the environment variable {variable} "
                f"(Dask's setting distributed.{setting}) has no file"
            )
        if not Path(path).is_file():
            raise UsageError(f"--dask {address} needs certificates: {variable}={path} is no file")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def estimate_lead(exchanges: Sequence[tuple[float, float, float]]) -> float:
    """Return the seconds by which another clock is ahead: of the quickest exchange.

    Args:
        exchanges: When a question was sent, the other clock's time, when the answer came.
    """
    sent, other, received = min(exchanges, key=lambda exchange: exchange[2] - exchange[0])
    return other - (sent + received) / 2


class MachineLink:
    """The way to the actor of one machine. The loop's thread runs it; any thread calls `send`."""

    def __init__(self, link: Link, address: str, threads: int) -> None:
        """Make a link to a machine that has no actor yet."""
        self.address = address
        #: Cores that Dask was told the machine has.
        self.threads = threads
        #: Seconds by which its monotonic clock is ahead, as estimated last.
        self.clock_lead = 0.0
        self._link = link
        self._queue: list[bytes] = []
        self._filled = asyncio.Event()
        self._actor: Any = None

    def send(self, data: bytes) -> None:
        """Send bytes of frames soon, in order."""
        self._link.call_soon(lambda: self._put(data))

    def _put(self, data: bytes) -> None:
        self._queue.append(data)
        self._filled.set()

    async def run(
        self,
        job: bytes,
        room: Callable[[], int],
        receive: Callable[[bytes], None],
        lose: Callable[[str], None],
    ) -> None:
        """Start the agent, and pass frames on until it has ended or is lost.

        Args:
            job: A frame with what the agent is to do.
            room: Returns how many bytes may be received now.
            receive: Called with bytes of frames that have come.
            lose: Called at the end with how the machine was lost, "" if its agent has ended.
        """
        reason = ""
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._open(job)
            for coroutine in (self._send_all(), self._watch_clocks()):
                tasks.append(asyncio.create_task(coroutine))
                # An error that nobody asks for is no news: the machine is lost anyway.
                tasks[-1].add_done_callback(lambda task: task.cancelled() or task.exception())
            await self._receive_all(room, receive, tasks)
        except asyncio.TimeoutError:
            reason = f" because its machine has not answered for {SILENCE:.0f} seconds"
        except asyncio.CancelledError:
            reason = " because the run has ended"
            raise
        except Exception as error:
            reason = f" because its machine was lost ({type(error).__name__}: {error})"
        finally:
            for task in tasks:
                task.cancel()
            lose(reason)
        if reason:
            await self.close(_KILL_PATIENCE)

    async def _receive_all(
        self,
        room: Callable[[], int],
        receive: Callable[[bytes], None],
        tasks: Sequence[asyncio.Task[None]],
    ) -> None:
        """Receive frames until the agent has ended. Raises whatever has become of it, or of a task."""
        heard, patience = time.monotonic(), _CONNECT_PATIENCE
        while True:
            size = max(room(), 0)
            data = await self._call(SILENCE, "poll", _POLL_PATIENCE if size else _FULL_PATIENCE, size)
            if data is None:
                return
            for task in tasks:
                if task.done():
                    task.result()
            now = time.monotonic()
            if data or not size:
                heard, patience = now, SILENCE
                receive(data)
            elif now > heard + patience:
                raise asyncio.TimeoutError

    async def _open(self, job: bytes) -> None:
        future = self._link.client.submit(
            MachineActor, workers=[self.address], allow_other_workers=False, actor=True, pure=False
        )
        self._actor = await asyncio.wait_for(future, _CONNECT_PATIENCE)
        await self._compare_clocks()
        await self._call(_JOB_PATIENCE, "open", job)

    async def _compare_clocks(self) -> None:
        """Estimate the leads of the machine's clocks, and have its agent correct times from now on."""
        monotonic, epoch = [], []
        for _ in range(_CLOCK_EXCHANGES):
            sent, difference = time.monotonic(), time.time() - time.monotonic()
            others = await self._call(SILENCE, "clocks")
            received = time.monotonic()
            monotonic.append((sent, others[0], received))
            epoch.append((sent + difference, others[1], received + difference))
        self.clock_lead = estimate_lead(monotonic)
        lag = -round(estimate_lead(epoch) * 1e9)
        self._queue.insert(0, frame(FrameKind.CLOCK, 0, NUMBER.pack(lag)))
        self._filled.set()

    async def _watch_clocks(self) -> None:
        """Compare the clocks again and again: they drift."""
        while True:
            await asyncio.sleep(_CLOCKS_EVERY)
            await self._compare_clocks()

    async def _send_all(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            data, self._queue = b"".join(self._queue), []
            await self._call(SILENCE, "send", data)

    async def _call(self, patience: float, method: str, *arguments: Any) -> Any:
        """Call a method of the actor. Raises TimeoutError, or whatever has become of the call."""

        async def call() -> Any:
            return await getattr(self._actor, method)(*arguments)

        return await asyncio.wait_for(call(), patience)

    async def close(self, patience: float = _EXIT_PATIENCE) -> None:
        """End the agent and its workers, if the machine can still be reached.

        Args:
            patience: Seconds until an agent that has not ended is killed.
        """
        if self._actor is not None:
            with contextlib.suppress(Exception):
                await self._call(patience + SILENCE, "close", patience)
            self._actor = None


class Link:
    """The thread with the Dask client of one run; `start` and `close` once each."""

    client: Any

    def __init__(self, address: str, *, is_insecure: bool) -> None:
        """Make a link that does nothing yet.

        Args:
            address: Of the scheduler, or `local:N` for N Dask workers on this machine.
            is_insecure: Whether plain connections to other machines are accepted.

        Raises:
            UsageError: The address is none, or is refused.
        """
        self._local = local_nodes(address)
        if not self._local:
            check_address(address, is_insecure=is_insecure)
            check_certificates(address)
        self._address = address
        self._is_insecure = is_insecure
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask", daemon=True)
        self._nodes: LocalNodes | None = None
        self._machines: Future[list[MachineLink]] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look for machines."""
        # What is worth knowing becomes an error of the run.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._thread.start()
        self._machines = asyncio.run_coroutine_threadsafe(self._connect(), self._loop)

    @property
    def is_connected(self) -> bool:
        """True if `machines` does not wait."""
        return self._machines is not None and self._machines.done()

    def machines(self) -> list[MachineLink]:
        """Return the machines that take part. Raises JsrunnerError."""
        assert self._machines is not None
        try:
            return self._machines.result(2 * _CONNECT_PATIENCE + _LOCAL_PATIENCE)
        except FutureTimeout:
            raise JsrunnerError(f"the Dask workers at {self._address} do not answer") from None

    def call_soon(self, function: Callable[[], object]) -> None:
        """Call a function in the link's thread soon."""
        with contextlib.suppress(RuntimeError):  # closed
            self._loop.call_soon_threadsafe(function)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the link's thread."""
        self.call_soon(lambda: self._tasks.append(self._loop.create_task(coroutine)))

    # -- machines ----------------------------------------------------------------------------------

    async def _connect(self) -> list[MachineLink]:
        address = self._address
        if self._local:
            self._nodes = LocalNodes(self._local)
            address = await self._nodes.start()
        try:
            # The default client: actors look for it there.
            self.client = await Client(  # type: ignore[no-untyped-call]
                address, asynchronous=True, timeout=_CONNECT_PATIENCE
            )
        except Exception as error:  # whatever TLS and the settings of Dask come up with
            text = f"could not connect to the Dask scheduler {address} of --dask: {error}"
            raise JsrunnerError(text) from None
        cloudpickle.register_pickle_by_value(probe)
        try:
            if self._local:
                await self.client.wait_for_workers(self._local, timeout=_LOCAL_PATIENCE)
            workers = await asyncio.wait_for(self.client.run(probe.probe), _CONNECT_PATIENCE)
        except asyncio.TimeoutError:
            raise JsrunnerError(f"not all Dask workers of {address} answer") from None
        except Exception as error:  # such as another version of Python
            text = f"the Dask workers of {address} cannot be asked for their versions: {error}"
            raise JsrunnerError(text) from None
        finally:
            cloudpickle.unregister_pickle_by_value(probe)
        if not workers:
            raise JsrunnerError(f"the Dask scheduler {address} has no workers")
        for place, described in sorted(workers.items()):
            check_address(place, is_insecure=self._is_insecure)
            _check_version(place, described)
        return [
            MachineLink(self, place, described["threads"])
            for place, described in sorted(workers.items())
        ]

    def close(self, machines: Sequence[MachineLink]) -> None:
        """End the agents of these machines and the thread."""
        closing = asyncio.run_coroutine_threadsafe(self._close(machines), self._loop)
        with contextlib.suppress(Exception):
            closing.result(_CLOSE_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_PATIENCE)

    async def _close(self, machines: Sequence[MachineLink]) -> None:
        if self._machines is not None:
            self._machines.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(machine.close() for machine in machines))
        if hasattr(self, "client"):
            with contextlib.suppress(Exception):
                await self.client.close(SILENCE)
        if self._nodes is not None:
            await self._nodes.close()


def _check_version(place: str, described: dict[str, Any]) -> None:
    """Raise a JsrunnerError if a Dask worker has not this version of jsrunner."""
    version = described["jsrunner"]
    if version is None:
        raise JsrunnerError(
            f"the Dask worker {place} has no jsrunner: install version {__version__} in its environment"
        )
    if (version, described["messages"]) != (__version__, VERSION):
        raise JsrunnerError(
            f"the Dask worker {place} has jsrunner {version} (messages {described['messages']}), "
            f"and this is jsrunner {__version__} (messages {VERSION}): all must have the same version"
        )
