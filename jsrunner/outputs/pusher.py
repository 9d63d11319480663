"""The base of outputs that send to a receiver, from threads of their own.

Between the coordinator and the threads is a buffer of limited size. A slow or dead receiver therefore
costs only samples of its output; it delays neither the test nor the summary. Failures are logged when
they begin, and at the end with their number.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from jsrunner.outputs.base import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.outputs.base import SampleFormatter

#: Bytes per request, about.
PIECE: Final = 4 << 20
#: Seconds that a single operation of a receiver may take.
TIMEOUT: Final = 5.0


class PushError(Exception):
    """The receiver did not accept samples.

    Args:
        text: The reason.
        again: True if the receiver may accept the samples later.
    """

    def __init__(self, text: str, *, again: bool = True) -> None:
        super().__init__(text)
        self.again = again


class Item(NamedTuple):
    """An entry of the buffer."""

    #: Bytes of a formatter, or deltas; only the output's own methods read it.
    payload: Any
    #: The size in bytes.
    size: int
    #: The number of samples.
    samples: int


class Pusher(Output):
    """An output whose threads wake every `interval` seconds, and once more at the end.

    A subclass is complete when its constructor has returned; then its owner calls `begin`.

    Args:
        description: The output, as messages name it.
        interval: Seconds between two rounds of a thread.
        threads: The number of threads.
    """

    #: Maximum bytes buffered for the receiver.
    buffer: ClassVar[int] = 64 << 20
    #: Seconds that the threads get after `end` to send the rest.
    patience: ClassVar[float] = 10.0

    def __init__(self, description: str, interval: float, *, threads: int = 1) -> None:
        super().__init__()
        self._description = description
        self._interval = interval
        self._lock = threading.Lock()
        self._waiting: deque[Item] = deque()
        self._size = 0
        self._underway = 0
        self._ending = threading.Event()
        self._failing = False
        self._pushes = self._failures = self._lost = 0
        self._deadline = 0.0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=description, daemon=True) for _ in range(threads)
        ]

    # -- the coordinator's side --------------------------------------------------------------------

    def begin(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, item: Item) -> None:
        """Put an entry into the buffer; its samples are lost if the buffer is full."""
        with self._lock:
            if self._size + item.size <= self.buffer:
                self._waiting.append(item)
                self._size += item.size
                return
            first, self._lost = not self._lost, self._lost + item.samples
        if first:
            self._log(f"{self.buffer >> 20} MB wait for the receiver, samples are lost from now on")

    def end(self) -> None:
        """Have the threads send the rest."""
        if not self._ending.is_set():
            self._deadline = time.monotonic() + self.patience
            self._ending.set()

    def close(self) -> None:
        """Wait for the threads, `patience` seconds after `end` at most, and report losses."""
        if self._closed:
            return
        self._closed = True
        self.end()
        for thread in self._threads:
            thread.join(max(self._deadline - time.monotonic(), 0))
        with self._lock:
            self._lost += self._underway + sum(item.samples for item in self._waiting)
        if any(thread.is_alive() for thread in self._threads):
            self._log(f"it took too long at the end, given up after {self.patience:g} s")
            self._failures += 1
        if self._failures or self._lost:
            self._log(f"pushes that failed: {self._failures}; {self.loss(self._lost)}")

    def loss(self, samples: int) -> str:
        """Return the text about the samples that did not arrive."""
        return f"samples that were lost: {samples}"

    # -- the threads' side -------------------------------------------------------------------------

    def connect(self) -> None:
        """Prepare the receiver, in the first thread."""

    def round(self, last: bool) -> None:
        """Send the buffered entries.

        Args:
            last: True if this is the last round.
        """
        raise NotImplementedError

    def disconnect(self) -> None:
        """Take leave of the receiver, in the first thread, after the last round.

        Raises:
            PushError: The receiver did not accept it.
        """

    def _run(self) -> None:
        """Run a thread."""
        first = threading.current_thread() is self._threads[0]
        if first:
            self.connect()
        last = False
        while not last:
            last = self._ending.wait(self._interval)
            self.round(last)
        if first:
            self.attempt(self.disconnect)

    def attempt(self, action: Callable[[], None]) -> PushError | None:
        """Call a function, and log its error unless the last attempt has failed, too.

        Args:
            action: The function.

        Returns:
            The error; None if there was none.
        """
        error: PushError | None = None
        try:
            action()
        except PushError as failure:
            error = failure
        except Exception as failure:  # a library's error must not end the thread
            error = PushError(f"{type(failure).__name__}: {failure}", again=False)
        with self._lock:
            self._failures += error is not None
            begins, self._failing = error is not None and not self._failing, error is not None
        if begins:
            self._log(f"{error}; the test goes on")
        return error

    def take(self) -> list[Item]:
        """Take the next entries out of the buffer, about PIECE bytes.

        `arrived` has to be called for their samples.
        """
        with self._lock:
            taken: list[Item] = []
            size = 0
            while self._waiting and size < PIECE:
                item = self._waiting.popleft()
                taken.append(item)
                size += item.size
            self._size -= size
            self._underway += sum(item.samples for item in taken)
            return taken

    def arrived(self, samples: int, *, lost: bool = False) -> None:
        """Mark taken samples as delivered, or as lost."""
        with self._lock:
            self._underway -= samples
            if lost:
                self._lost += samples

    def _log(self, text: str) -> None:
        self.news.append(("error", f"output {self._description}: {text}"))


class LinePusher(Pusher):
    """An output that sends the lines of the workers' formatters, one per sample.

    Args:
        description: The output, as messages name it.
        interval: Seconds between two rounds of a thread.
        formatter: The formatter.
        threads: The number of threads.
    """

    def __init__(
        self, description: str, interval: float, formatter: SampleFormatter, *, threads: int = 1
    ) -> None:
        super().__init__(description, interval, threads=threads)
        self.formatter = formatter

    def push(self, items: Sequence[Item]) -> None:
        """Send entries of the buffer.

        Raises:
            PushError: The receiver did not accept them.
        """
        raise NotImplementedError

    def round(self, last: bool) -> None:
        """Send the buffered lines; put those back that the receiver may accept later."""
        while items := self.take():
            error = self.attempt(partial(self.push, items))
            again = error is not None and error.again and not last
            self.arrived(sum(item.samples for item in items), lost=error is not None and not again)
            if again:
                with self._lock:
                    self._waiting.extendleft(reversed(items))
                    self._size += sum(item.size for item in items)
                break

    def write(self, data: bytes) -> None:
        """Put a worker's lines into the buffer, in pieces of PIECE bytes at most."""
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + PIECE) + 1 or len(data)
            piece = data[start:end]
            self.put(Item(piece, len(piece), piece.count(b"\n")))
            start = end
