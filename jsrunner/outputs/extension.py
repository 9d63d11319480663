"""Outputs of other packages.

A package offers an output by an entry point of the group `jsrunner.outputs`, whose name is what
`--out` knows it by:

    [project.entry-points."jsrunner.outputs"]
    sqlite = "my_package.sqlite:create"

`create(argument, environment)` returns an ExtensionOutput; `argument` is what follows `name=` on the
command line. All that is asked of the output is asked in one thread of its own, never at once.
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
#: How often an output gets what there is, in seconds, and how long it may take to start.
_INTERVAL: Final = 1.0
_START: Final = 30.0


class Sample(NamedTuple):
    """A measured value; `time` is seconds since the epoch. What it holds is not to be changed."""

    metric: Metric
    tags: Mapping[str, str]
    value: float
    time: float
    #: What is no tag because it never repeats, e.g. `iter`, if such system tags are enabled.
    metadata: Mapping[str, str]


class ExtensionOutput(Protocol):
    """What an output of another package is."""

    def start(self) -> None:
        """Before the first sample, once. An exception ends the run before it has begun."""

    def add_samples(self, samples: Sequence[Sample]) -> None:
        """Some samples, about once a second if there are any; of each worker in order. After an
        exception, which is reported, these samples are lost and the run goes on."""

    def stop(self) -> None:
        """After the last sample, once: within some seconds, or the process ends without it."""


def extensions() -> dict[str, EntryPoint]:
    """What is installed, by name."""
    from importlib.metadata import entry_points

    return {one.name: one for one in entry_points(group=GROUP)}


def configure_extension(
    point: EntryPoint, argument: str, environment: Mapping[str, str]
) -> OutputConfig:
    description = f"{point.name} ({argument})" if argument else point.name

    def make(system_tags: Sequence[str]) -> Extension:
        def create() -> ExtensionOutput:
            made: ExtensionOutput = point.load()(argument, environment)
            return made

        return Extension(point.name, description, create)

    return OutputConfig(description, make)


# -- from worker to coordinator --------------------------------------------------------------------

#: A series, which comes before its first sample: its number, and the size of the JSON behind.
_SERIES: Final = struct.Struct("<cQI")
#: A sample: the number of its series, its time, its value.
_SAMPLE: Final = struct.Struct("<cQdd")


class SampleEncoder(Struct, frozen=True):
    """Makes samples for `decode`. A series has the same number in all workers."""

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _Writer:
        from hashlib import blake2b

        import orjson

        shown = (metric.name, metric.type, metric.contains, tags, metadata or {})
        data = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        number = int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
        return _Writer(number, _SERIES.pack(b"M", number, len(data)) + data)


class _Writer:
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
    """Reads what SampleEncoders of several workers have made."""

    def __init__(self) -> None:
        self._series: dict[int, tuple[Metric, dict[str, str], dict[str, str]]] = {}

    def decode(self, data: bytes) -> Iterator[Sample]:
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


class Extension(LinePusher):
    """Plays an output of another package."""

    def __init__(self, name: str, description: str, create: Callable[[], ExtensionOutput]) -> None:
        """Raises JsrunnerError if it cannot be started."""
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
        if data:
            # The series among them are few.
            self.put(Item(data, len(data), len(data) // _SAMPLE.size))

    def connect(self) -> None:
        try:
            self._output = self._create()
            self._output.start()
        except Exception as error:  # whatever a foreign package may raise
            self._failure = error
            self.end()
        self._started.set()

    def push(self, items: Sequence[Item]) -> None:
        for item in items:
            self._output.add_samples(list(self._decoder.decode(item.payload)))

    def disconnect(self) -> None:
        if self._failure is None:
            self._output.stop()
