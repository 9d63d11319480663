"""The output `--out influxdb=URL`: each sample is a point of InfluxDB 1, in its line protocol.

A point's measurement is the metric, its field `value` the sample's value. Its tags are the sample's,
except those that the setting TAGS_AS_FIELDS makes fields.
https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_tutorial/
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.datagrams import send
from jsrunner.outputs.http import Poster, basic, context
from jsrunner.outputs.pusher import LinePusher, PushError
from jsrunner.outputs.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.metrics.registry import Metric
    from jsrunner.outputs.pusher import Item

#: Precisions of timestamps: units per second, and the receiver's name of the unit.
_PRECISIONS: Final = {
    "ns": (10**9, "n"),
    "us": (10**6, "u"),
    "µs": (10**6, "u"),
    "ms": (10**3, "ms"),
    "s": (1, "s"),
    "m": (1 / 60, "m"),
    "h": (1 / 3600, "h"),
}
#: The number of workers that have own nanoseconds; a divisor of 1000.
_SLOTS: Final = 50
#: The most nanoseconds by which a sample is moved.
_NEAR: Final = 1_000_000
_KINDS: Final = ("string", "bool", "float", "int")
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
#: The variables that the URL's query parameters stand for.
_PARAMETERS: Final = {
    "insecure": "INSECURE",
    "payload_size": "PAYLOAD_SIZE",
    "precision": "PRECISION",
    "retention": "RETENTION",
    "consistency": "CONSISTENCY",
    "pushInterval": "PUSH_INTERVAL",
    "concurrentWrites": "CONCURRENT_WRITES",
    "tagsAsFields": "TAGS_AS_FIELDS",
}


class InfluxFormatter(Struct, frozen=True):
    """The formatter of lines: `metric,tag=value field=1 1700000000000000000`."""

    #: The types of the tags, and metadata such as `vu`, that become fields.
    fields: Mapping[str, str]
    #: Units of the timestamp per second.
    scale: float

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _InfluxWriter:
        """Make the writer of a series."""
        kept = "".join(
            f",{_name(key)}={_name(value)}"
            for key, value in sorted(tags.items())
            if key not in self.fields and value
        )
        known = {**tags, **(metadata or {})}
        fields = [(key, _field(known[key], kind)) for key, kind in self.fields.items() if key in known]
        before = "".join(f"{_name(key)}={value}," for key, value in sorted(fields))
        return _InfluxWriter(f"{_name(metric.name)}{kept} {before}value=", self.scale)


class _InfluxWriter:
    """The writer of a series, which gives its samples different times.

    The receiver keeps only one point of a series per time. A float of seconds has microseconds, so
    that samples of one microsecond would collide. The writer therefore adds nanoseconds: each worker
    has some of the 1000 for itself. VUs hand over many samples at a time, so that times also go back.
    A sample that is up to _NEAR older than the one before is moved behind it; an older sample gets
    other nanoseconds. Measured: one sample of 100,000 is lost nevertheless if a worker takes 20,000
    samples per second.
    """

    __slots__ = ("_before", "_last", "_nanosecond", "_scale")

    def __init__(self, before: str, scale: float) -> None:
        self._before = before
        self._scale = scale
        self._nanosecond = os.getpid() % _SLOTS
        self._last = 0

    def line(self, time_s: float, value: float) -> bytes:
        if value - value != 0:
            return b""  # the line protocol has no infinity and no NaN
        if self._scale != 10**9:
            moment = int(time_s * self._scale)
        else:
            moment = round(time_s * 1e6) * 1000 + self._nanosecond
            if moment <= self._last:
                if self._last - moment < _NEAR:
                    moment = self._last + _SLOTS
                else:
                    self._nanosecond = (self._nanosecond + 7 * _SLOTS) % 1000
                    moment = round(time_s * 1e6) * 1000 + self._nanosecond
            self._last = moment
        return f"{self._before}{value!r} {moment}\n".encode()


def _name(text: str) -> str:
    """Escape the name of a measurement, tag or field, or the value of a tag.

    The line protocol cannot express a line break, nor a backslash at the end.
    """
    for sign in (",", "=", " "):
        text = text.replace(sign, "\\" + sign)
    text = text.replace("\r", "").replace("\n", "\\n")
    return text + "\\ " if text.endswith("\\") else text


def _field(text: str, kind: str) -> str:
    """Return a field's value, as a string if the text is not of the field's type."""
    if kind == "bool" and text in _TRUE + _FALSE:
        return "true" if text in _TRUE else "false"
    try:
        if kind == "int":
            return f"{int(text)}i"
        if kind == "float" and float(text) - float(text) == 0:
            return repr(float(text))
    except ValueError:
        pass
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class InfluxOutput(LinePusher):
    """The coordinator's half of the output, over HTTP."""

    def __init__(
        self, description: str, interval: float, formatter: InfluxFormatter, *,
        poster: Poster, address: str, query: Mapping[str, str], threads: int,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, formatter, threads=threads)
        self._poster = poster
        self._address = address
        self._query = dict(query)

    def connect(self) -> None:
        """Create the database. Errors are ignored: the user may only have the right to write."""
        name = self._query["db"].replace("\\", "\\\\").replace('"', '\\"')
        query = urlencode({"q": f'CREATE DATABASE "{name}"'})
        with contextlib.suppress(PushError):
            self._poster.post(f"{self._address}/query?{query}", b"")

    def push(self, items: Sequence[Item]) -> None:
        """Send lines in one request."""
        body = b"".join(item.payload for item in items)
        self._poster.post(f"{self._address}/write?{urlencode(self._query)}", body)


class InfluxDatagrams(LinePusher):
    """The coordinator's half of the output, over UDP."""

    def __init__(
        self, description: str, interval: float, formatter: InfluxFormatter, *,
        host: str, port: int, payload: int,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, formatter)
        self._receiver = (host, port)
        self._payload = payload

    def push(self, items: Sequence[Item]) -> None:
        """Send lines in datagrams."""
        lines = b"".join(item.payload for item in items).splitlines(keepends=True)
        send(self._receiver, lines, size=self._payload)


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Read the settings of the output.

    Args:
        argument: The URL behind `influxdb=`.
        environment: The environment, with k6's `K6_INFLUXDB_` variables.

    Raises:
        UsageError: A setting is wrong.
    """
    settings = Variables(environment, "K6_INFLUXDB_", _from_url(argument) if argument else {})
    address = settings.text("ADDR", "http://localhost:8086").rstrip("/")
    split = urlsplit(address)
    if split.scheme not in ("http", "https", "udp") or not split.hostname:
        settings.fail("ADDR", "is not the URL of an InfluxDB")
    precision = settings.text("PRECISION", "ns")
    if precision not in _PRECISIONS:
        settings.fail("PRECISION", f"is none of {', '.join(_PRECISIONS)}")
    scale, unit = _PRECISIONS[precision]
    formatter = InfluxFormatter(_fields(settings), scale)
    interval = settings.seconds("PUSH_INTERVAL", 1.0)
    threads = settings.integer("CONCURRENT_WRITES", 4)
    payload = settings.integer("PAYLOAD_SIZE", 512)
    insecure = settings.boolean("INSECURE")
    description = f"InfluxDBv1 ({address})"
    query = {
        "db": settings.text("DB", "k6"),
        "precision": unit,
        "rp": settings.text("RETENTION"),
        "consistency": settings.text("CONSISTENCY"),
    }
    query = {name: value for name, value in query.items() if value}
    headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "jsrunner"}
    if user := settings.text("USERNAME"):
        headers["Authorization"] = basic(user, settings.text("PASSWORD"))
    proxy = settings.text("PROXY")

    def make(system_tags: Sequence[str]) -> LinePusher:
        output: LinePusher
        if split.scheme == "udp":
            output = InfluxDatagrams(
                description, interval, formatter,
                host=split.hostname or "", port=split.port or 8089, payload=payload,
            )  # fmt: skip
        else:
            poster = Poster(headers=headers, context=context(insecure=insecure), proxy=proxy)
            output = InfluxOutput(
                description, interval, formatter,
                poster=poster, address=address, query=query, threads=threads,
            )  # fmt: skip
        output.begin()
        return output

    return OutputConfig(description, make)


def _from_url(text: str) -> dict[str, str]:
    """Return the settings in `http://user:password@host:8086/prefix/db?precision=ms`.

    The path's part before its last slash belongs to the address: a proxy may route by it.
    """
    url = urlsplit(text)
    settings: dict[str, str] = {}
    prefix, _, database = url.path.rpartition("/")
    if url.hostname:
        settings["ADDR"] = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{prefix}"
    settings["DB"] = unquote(database if url.hostname else url.path.removeprefix("/"))
    settings["USERNAME"] = unquote(url.username or "")
    settings["PASSWORD"] = unquote(url.password or "")
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise UsageError(f"could not create the 'influxdb' output: unknown query parameter: {name}")
        variable = _PARAMETERS[name]
        settings[variable] = f"{settings[variable]},{value}" if variable in settings else value
    return settings


def _fields(settings: Variables) -> dict[str, str]:
    """Return the types of the tags that become fields."""
    fields: dict[str, str] = {}
    for word in settings.words("TAGS_AS_FIELDS", "vu,iter,url"):
        name, _, kind = word.partition(":")
        if (kind or "string") not in _KINDS:
            settings.fail("TAGS_AS_FIELDS", f"gives '{name}' an invalid type, '{kind}'")
        if name in fields:
            settings.fail("TAGS_AS_FIELDS", f"has '{name}' more than once")
        fields[name] = kind or "string"
    return fields
