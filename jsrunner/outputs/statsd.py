"""The output `--out statsd`: each sample goes to a StatsD server, as in k6 until v0.54.

A counter becomes a count, a trend a timing, a gauge a gauge. A check becomes a count of
`check.NAME.pass` or `check.NAME.fail`, another rate a count of its nonzero samples. Tags follow in
DogStatsD's form, if they are enabled.
https://github.com/statsd/statsd/blob/master/docs/metric_types.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.datagrams import send
from jsrunner.outputs.pusher import LinePusher
from jsrunner.outputs.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.outputs.pusher import Item

#: Bytes that fit into a datagram on any network: the size that StatsD's documents recommend.
_SIZE: Final = 1432
#: Replacements of the delimiters of a line in names.
_NAME: Final = str.maketrans({":": "_", "|": "_", "@": "_", "#": "_", "\n": " ", "\r": " "})
#: Replacements of the delimiters of a line in tags.
_TAG: Final = str.maketrans({"|": "_", ",": "_", "#": "_", "\n": " ", "\r": " "})


class StatsdFormatter(Struct, frozen=True):
    """The formatter of lines: `k6.http_reqs:1|c|#method:GET`."""

    #: The text before the names of metrics.
    namespace: str
    #: True if lines have tags.
    tags: bool
    #: The tags that lines do not have.
    blocked: tuple[str, ...]

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _StatsdWriter:
        """Make the writer of a series."""
        shown = sorted(
            f"{key}:{value}".translate(_TAG)
            for key, value in tags.items()
            if value and key not in self.blocked
        )
        after = "|#" + ",".join(shown) if self.tags and shown else ""
        name = self.namespace + metric.name
        check = tags.get("check") if metric.type == "rate" else None
        if check is not None:
            name = f"{self.namespace}check.{check.translate(_NAME)}"
        return _StatsdWriter(name, after, "check" if check is not None else metric.type)


class _StatsdWriter:
    __slots__ = ("_after", "_kind", "_name")

    def __init__(self, name: str, after: str, kind: str) -> None:
        self._name = name
        self._after = after
        self._kind = kind

    def line(self, time_s: float, value: float) -> bytes:
        if value - value != 0:
            return b""  # StatsD has no infinity and no NaN
        kind, after = self._kind, self._after
        if kind == "check":
            return f"{self._name}.{'pass' if value else 'fail'}:1|c{after}\n".encode()
        if kind == "trend":
            return f"{self._name}:{value:f}|ms{after}\n".encode()
        if kind == "gauge":
            return f"{self._name}:{value:f}|g{after}\n".encode()
        return f"{self._name}:{int(value)}|c{after}\n".encode()


class StatsdOutput(LinePusher):
    """The coordinator's half of the output."""

    def __init__(
        self, description: str, interval: float, formatter: StatsdFormatter, *,
        receiver: tuple[str, int], most: int,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, formatter)
        self._receiver = receiver
        self._most = most

    def push(self, items: Sequence[Item]) -> None:
        """Send lines in datagrams."""
        lines = b"".join(item.payload for item in items).splitlines(keepends=True)
        send(self._receiver, lines, size=_SIZE, most=self._most)


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Read the settings of the output.

    Args:
        argument: The address behind `statsd=`: host and port.
        environment: The environment, with k6's `K6_STATSD_` variables.

    Raises:
        UsageError: A setting is wrong.
    """
    settings = Variables(environment, "K6_STATSD_", {"ADDR": argument})
    address = settings.text("ADDR", "localhost:8125")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        settings.fail("ADDR", "is not a host with a port")
    formatter = StatsdFormatter(
        settings.text("NAMESPACE", "k6."),
        settings.boolean("ENABLE_TAGS"),
        tuple(settings.words("TAG_BLOCKLIST", "vu,iter,url")),
    )
    interval = settings.seconds("PUSH_INTERVAL", 1.0)
    most = settings.integer("BUFFER_SIZE", 20)
    description = f"statsd ({address})"

    def make(system_tags: Sequence[str]) -> StatsdOutput:
        receiver = (host.strip("[]"), int(port))
        output = StatsdOutput(description, interval, formatter, receiver=receiver, most=most)
        output.begin()
        return output

    return OutputConfig(description, make)
