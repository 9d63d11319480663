"""Outputs of other packages.

A package offers an output by an entry point of the group `jsrunner.outputs`. The entry point's name is
the output's name for `--out`:

    [project.entry-points."jsrunner.outputs"]
    sqlite = "my_package.sqlite:create"

`create(argument, environment)` returns an ExtensionOutput; `argument` is the text behind `name=` on the
command line. `create` and all methods are called in one thread, which belongs to the output.
"""

from __future__ import annotations

import struct
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from msgspec import Struct

from jsrunner.errors import JsrunnerError
from jsrunner.metrics.registry import Metric
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.pusher import Item, LinePusher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.metadata import EntryPoint

#: The group of the entry points.
GROUP: Final = "jsrunner.outputs"
#: Seconds between two calls of `add_samples`.
_INTERVAL: Final = 1.0
#: Seconds that an output gets to start.
_START: Final = 30.0


class Sample(NamedTuple):
    """A measured value. Outputs must not change its tags and metadata, which samples share."""

    metric: Metric
    tags: Mapping[str, str]
    value: float
    #: Seconds since the epoch.
    time: float
    #: Values that are no tags because they rarely repeat: the system tags `vu` and `iter`, if enabled.
    metadata: Mapping[str, str]


class ExtensionOutput(Protocol):
    """The contract of an output of another package."""

    def start(self) -> None:
        """Start the output, before the first sample. An exception ends the run before the test."""

    def add_samples(self, samples: Sequence[Sample]) -> None:
        """Take samples, about once a second if there are any.

        The samples of each worker come in order. After an exception, which is logged, these samples are
        lost and the run goes on.
        """

    def stop(self) -> None:
        """Stop the output, after the last sample, within 10 seconds. Later the process ends anyway."""


def extensions() -> dict[str, EntryPoint]:
    """Return the entry points of installed outputs by name."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def configure_extension(
    point: EntryPoint, argument: str, environment: Mapping[str, str]
) -> OutputConfig:
    """Return the output of an entry point.

    Args:
        point: The entry point.
        argument: The text behind `name=` on the command line.
        environment: The environment.
    """
    description = f"{point.name} ({argument})" if argument else point.name

    def make(system_tags: Sequence[str]) -> ExtensionPusher:
        def create() -> ExtensionOutput:
            output: ExtensionOutput = point.load()(argument, environment)
            return output

        return ExtensionPusher(point.name, description, create)

    return OutputConfig(description, make)


# -- from worker to coordinator --------------------------------------------------------------------

#: A series, before its first sample: b"M", its number, the size of the JSON that follows.
_SERIES: Final = struct.Struct("<cQI")
#: A sample: b"S", the number of its series, its time in seconds since the epoch, its value.
_SAMPLE: Final = struct.Struct("<cQdd")


class SampleEncoder(Struct, frozen=True):
    """The formatter of samples for `SampleDecoder`. A series has the same number in all workers."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _SampleWriter:
        """Make the writer of a series."""
        from hashlib import blake2b

        import orjson

        shown = (metric.name, metric.type, metric.contains, tags, metadata or {})
        data = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        number = int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
        return _SampleWriter(number, _SERIES.pack(b"M", number, len(data)) + data)


class _SampleWriter:
    __slots__ = ("_first", "_number")

    def __init__(self, number: int, first: bytes) -> None:
        self._number = number
        self._first = first

    def line(self, time_s: float, value: float) -> bytes:
        sample = _SAMPLE.pack(b"S", self._number, time_s, value)
        if self._first:
            sample, self._first = self._first + sample, b""
        return sample


class SampleDecoder:
    """The decoder of the bytes that the encoders of several workers have made."""

    def __init__(self) -> None:
        #: Metric, tags and metadata by the series' number.
        self._series: dict[int, tuple[Metric, dict[str, str], dict[str, str]]] = {}

    def decode(self, data: bytes) -> Iterator[Sample]:
        """Yield the samples in a worker's bytes."""
        import orjson

        position = 0
        while position < len(data):
            if data[position : position + 1] == b"S":
                _, number, time_s, value = _SAMPLE.unpack_from(data, position)
                position += _SAMPLE.size
                metric, tags, metadata = self._series[number]
                yield Sample(metric, tags, value, time_s, metadata)
            else:
                _, number, size = _SERIES.unpack_from(data, position)
                position += _SERIES.size
                name, type_, contains, tags, metadata = orjson.loads(data[position : position + size])
                position += size
                self._series[number] = (Metric(name, type_, contains), tags, metadata)


# -- in the coordinator ----------------------------------------------------------------------------


class ExtensionPusher(LinePusher):
    """The output that hands samples to an output of another package, which it starts.

    Args:
        name: The name of the output.
        description: The output, as messages name it.
        create: Makes the other package's output.

    Raises:
        JsrunnerError: The other package's output does not start.
    """

    def __init__(self, name: str, description: str, create: Callable[[], ExtensionOutput]) -> None:
        super().__init__(description, _INTERVAL, SampleEncoder())
        self._create = create
        self._decoder = SampleDecoder()
        self._started = threading.Event()
        self._failure: Exception | None = None
        self.begin()
        prefix = f"could not start the '{name}' output: "
        if not self._started.wait(_START):
            raise JsrunnerError(f"{prefix}it did not start within {_START:g} s")
        if self._failure is not None:
            kind = type(self._failure).__name__
            raise JsrunnerError(f"{prefix}{kind}: {self._failure}") from self._failure

    def write(self, data: bytes) -> None:
        """Hand a worker's bytes over to the thread."""
        if data:
            # Series take few of the bytes, so this counts the samples well enough for messages.
            self.put(Item(data, len(data), len(data) // _SAMPLE.size))

    def connect(self) -> None:
        """Start the other package's output."""
        try:
            self._output = self._create()
            self._output.start()
        except Exception as error:  # another package may raise anything
            self._failure = error
            self.end()
        self._started.set()

    def push(self, items: Sequence[Item]) -> None:
        """Hand samples over to the other package's output."""
        for item in items:
            self._output.add_samples(list(self._decoder.decode(item.payload)))

    def disconnect(self) -> None:
        """Stop the other package's output."""
        if self._failure is None:
            self._output.stop()
