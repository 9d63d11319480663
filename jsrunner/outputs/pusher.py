"""Outputs that send what they get to a receiver, from threads of their own.

Between the coordinator and the threads is a buffer of limited size, so a slow or dead receiver costs
samples of its output at most: it never holds up the test, and never the summary. That it fails is
said when it begins, and at the end with figures.
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

#: So many bytes go into one request.
PIECE: Final = 4 << 20
#: How long a single operation may take, in seconds.
TIMEOUT: Final = 5.0


class PushError(Exception):
    """The receiver did not take what it was sent. `again` tells whether it may take it later."""

    def __init__(self, text: str, *, again: bool = True) -> None:
        super().__init__(text)
        self.again = again


class Item(NamedTuple):
    """Something that waits: its payload, its size in bytes, how many samples it holds."""

    payload: Any
    size: int
    samples: int


class Pusher(Output):
    """Base of these outputs: threads that wake every `interval` seconds, and once more at the end.

    `begin` is to be called when the output is complete.
    """

    #: So many bytes may wait for the receiver.
    buffer: ClassVar[int] = 64 << 20
    #: How long the end of the run waits for what is left to be sent, in seconds.
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
        """Hand over; what finds no room is lost."""
        with self._lock:
            if self._size + item.size <= self.buffer:
                self._waiting.append(item)
                self._size += item.size
                return
            first, self._lost = not self._lost, self._lost + item.samples
        if first:
            self._say(f"{self.buffer >> 20} MB wait for the receiver, samples are lost from now on")

    def end(self) -> None:
        if not self._ending.is_set():
            self._deadline = time.monotonic() + self.patience
            self._ending.set()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.end()
        for thread in self._threads:
            thread.join(max(self._deadline - time.monotonic(), 0))
        with self._lock:
            self._lost += self._underway + sum(item.samples for item in self._waiting)
        if any(thread.is_alive() for thread in self._threads):
            self._say(f"it took too long at the end, given up after {self.patience:g} s")
            self._failures += 1
        if self._failures or self._lost:
            self._say(f"pushes that failed: {self._failures}; {self.loss(self._lost)}")

    def loss(self, samples: int) -> str:
        """Says that so many have not arrived."""
        return f"samples that were lost: {samples}"

    # -- the threads' side -------------------------------------------------------------------------

    def connect(self) -> None:
        """Whatever is to be done first."""

    def round(self, last: bool) -> None:
        """Send what there is; `last` tells whether there will be no other time."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Whatever is to be done last. Raises PushError."""

    def _run(self) -> None:
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
        """Do it; how it has failed, after that has been reported."""
        error: PushError | None = None
        try:
            action()
        except PushError as failure:
            error = failure
        except Exception as failure:  # of a library: it must not end the thread
            error = PushError(f"{type(failure).__name__}: {failure}", again=False)
        with self._lock:
            self._failures += error is not None
            begins, self._failing = error is not None and not self._failing, error is not None
        if begins:
            self._say(f"{error}; the test goes on")
        return error

    def take(self) -> list[Item]:
        """The next ones that wait, about PIECE bytes of them. They are underway from now on."""
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
        """So many are underway no more."""
        with self._lock:
            self._underway -= samples
            if lost:
                self._lost += samples

    def _say(self, text: str) -> None:
        self.news.append(("error", f"output {self._description}: {text}"))


class LinePusher(Pusher):
    """Sends the lines that the workers have made, each a sample."""

    def __init__(
        self, description: str, interval: float, formatter: SampleFormatter, *, threads: int = 1
    ) -> None:
        super().__init__(description, interval, threads=threads)
        self.formatter = formatter

    def push(self, items: Sequence[Item]) -> None:
        """Send these. Raises PushError."""
        raise NotImplementedError

    def round(self, last: bool) -> None:
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
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + PIECE) + 1 or len(data)
            piece = data[start:end]
            self.put(Item(piece, len(piece), piece.count(b"\n")))
            start = end
