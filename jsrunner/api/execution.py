"""A running test, which a Python program steers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from typing import TYPE_CHECKING

from jsrunner.api import messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator
    from types import TracebackType

    from jsrunner.api.process import RunProcess
    from jsrunner.api.records import Snapshot
    from jsrunner.api.result import Result

#: Seconds that a killed process may take to be gone.
_KILL_PATIENCE = 5.0


class Execution:
    """A run that `start` has started. Any thread may use it; no method needs an event loop.

    Leave it by `with` or `async with`: a run that has not ended is stopped then, and killed if it has
    not ended after `stop_timeout` seconds. An execution that nothing refers to any more is stopped too,
    and so is each run of a program that ends, however it ends.
    """

    def __init__(self, process: RunProcess, stop_timeout: float) -> None:
        """Made by `jsrunner.start`."""
        self._process = process
        self._stop_timeout = stop_timeout
        self._owner = os.getpid()

    def __repr__(self) -> str:
        return f"<Execution in process {self.process_id}: {self.status}>"

    # -- looking at it -----------------------------------------------------------------------------

    @property
    def process_id(self) -> int:
        """The id of the run's first process, and of its process group."""
        return self._process.process_id

    @property
    def status(self) -> str:
        """starting, init, paused, setup, running, teardown or ended; at most 0.1 s old."""
        if self._process.ended.is_set():
            return "ended"
        snapshot = self._process.snapshot
        return "starting" if snapshot is None else snapshot.phase

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The values of each metric so far, as in `Result.metrics`; about a second old."""
        snapshot = self._process.snapshot
        return {} if snapshot is None else snapshot.metrics

    def snapshots(self) -> Snapshots:
        """Return an iterator over the run's snapshots, for `for` and for `async for`.

        There is one about once a second, one when the phase changes, and a last one. A loop that is
        slower gets the newest one only. What ends the run is not raised here, but by `wait`.
        """
        return Snapshots(self, self._process)

    # -- steering it -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Have the test wait before setup, until `resume`.

        Raises:
            JsrunnerError: The test has begun: as in k6 it cannot be paused any more.
        """
        self._process.request(messages.Pause)

    def resume(self) -> None:
        """Let a paused test begin.

        Raises:
            JsrunnerError: The run has ended.
        """
        self._process.request(messages.Resume)

    def stop(self) -> None:
        """Ask the run to end, without waiting for it.

        Iterations are interrupted; teardown() and handleSummary() still run. The result's exit code is
        105.
        """
        self._process.stop()

    def kill(self) -> None:
        """Kill the run's processes. There is no result then."""
        self._process.kill()

    def wait(self, timeout: float | None = None) -> Result:
        """Wait for the end of the run.

        Args:
            timeout: Seconds to wait at most; None for no limit. The run goes on after a timeout.

        Returns:
            The result. When it is there, no process of the run is left.

        Raises:
            TimeoutError: The run has not ended within `timeout`.
            JsrunnerError: The run could not begin, or could not be completed.
        """
        if not self._process.wait(timeout):
            raise TimeoutError(f"the run has not ended within {timeout:g} seconds")
        return self._process.result()

    def _finish(self) -> None:
        """Stop the run, and kill it if it does not end in time."""
        if self._process.ended.is_set():
            return
        self._process.stop()
        is_over = False
        try:
            is_over = self._process.wait(self._stop_timeout)
        finally:  # also for a second Ctrl+C
            if not is_over:
                self._process.kill()
                self._process.wait(_KILL_PATIENCE)

    def __enter__(self) -> Execution:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish()

    def __del__(self) -> None:
        if os.getpid() == self._owner and not self._process.ended.is_set():
            self._process.stop()
            text = f"the run in process {self.process_id} is stopped: nothing refers to it any more"
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)

    # -- asyncio -----------------------------------------------------------------------------------

    def __await__(self) -> Generator[None, None, Result]:
        """Wait for the end of the run in an event loop of asyncio, as `wait` does.

        Cancelling it stops the run, as leaving `async with` does.
        """
        return self._wait_async().__await__()

    async def _wait_async(self) -> Result:
        try:
            await self._ended_async()
        except asyncio.CancelledError:
            await self._finish_async()
            raise
        return self._process.result()

    async def _ended_async(self) -> None:
        with _Changes(self._process) as changes:
            while not self._process.ended.is_set():
                await changes.next()

    async def _finish_async(self) -> None:
        if self._process.ended.is_set():
            return
        self._process.stop()
        try:
            await asyncio.wait_for(self._ended_async(), self._stop_timeout)
        except asyncio.TimeoutError:
            pass
        finally:  # also for a second cancellation
            if not self._process.ended.is_set():
                self._process.kill()
                self._process.wait(_KILL_PATIENCE)

    async def __aenter__(self) -> Execution:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._finish_async()


class Snapshots:
    """The snapshots of a run as they come. Made by `Execution.snapshots`."""

    def __init__(self, execution: Execution, process: RunProcess) -> None:
        self._execution = execution  # which is not stopped while somebody iterates
        self._process = process
        self._seen = 0

    def __iter__(self) -> Iterator[Snapshot]:
        return self

    def __next__(self) -> Snapshot:
        process = self._process
        with process.changed:
            process.changed.wait_for(lambda: process.snapshots > self._seen or process.ended.is_set())
        snapshot = self._take()
        if snapshot is None:
            raise StopIteration
        return snapshot

    def __aiter__(self) -> AsyncIterator[Snapshot]:
        return self

    async def __anext__(self) -> Snapshot:
        with _Changes(self._process) as changes:
            while self._process.snapshots <= self._seen and not self._process.ended.is_set():
                await changes.next()
        snapshot = self._take()
        if snapshot is None:
            raise StopAsyncIteration
        return snapshot

    def _take(self) -> Snapshot | None:
        if self._process.snapshots <= self._seen:
            return None
        self._seen = self._process.snapshots
        return self._process.snapshot


class _Changes:
    """Wakes a task of asyncio when a run has something new."""

    def __init__(self, process: RunProcess) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._event.set)

    def __enter__(self) -> _Changes:
        self._process.listen(self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.unlisten(self._wake)

    async def next(self) -> None:
        """Wait for a change since the last call, or since the context was entered."""
        await self._event.wait()
        self._event.clear()
