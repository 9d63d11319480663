"""`--out influxdb=URL`: each sample as a point of InfluxDB 1, in its line protocol.

A point's measurement is the metric, its field `value` the sample's; tags are the sample's, except
those that are to be fields. https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_tutorial/
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

#: Precisions of timestamps: how many of them are a second, and the receiver's name for it.
_PRECISIONS: Final = {
    "ns": (10**9, "n"),
    "us": (10**6, "u"),
    "µs": (10**6, "u"),
    "ms": (10**3, "ms"),
    "s": (1, "s"),
    "m": (1 / 60, "m"),
    "h": (1 / 3600, "h"),
}
#: How many workers have nanoseconds of their own; a divisor of 1000.
_SLOTS: Final = 50
#: How far, in nanoseconds, a sample may be moved.
_NEAR: Final = 1_000_000
_KINDS: Final = ("string", "bool", "float", "int")
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
#: Query parameters of the URL, and the variables that they stand for.
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
    """Lines: `metric,tag=value field=1 1700000000000000000`."""

    #: Tags that become fields, and of what kind; metadata too, such as `vu`.
    fields: Mapping[str, str]
    #: Units of the timestamp in a second.
    scale: float

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _Writer:
        kept = "".join(
            f",{_name(key)}={_name(value)}"
            for key, value in sorted(tags.items())
            if key not in self.fields and value
        )
        known = {**tags, **(metadata or {})}
        fields = [(key, _field(known[key], kind)) for key, kind in self.fields.items() if key in known]
        before = "".join(f"{_name(key)}={value}," for key, value in sorted(fields))
        return _Writer(f"{_name(metric.name)}{kept} {before}value=", self.scale)


class _Writer:
    """The receiver keeps one point of a series at one time. So that samples of the same microsecond,
    which is all that a float of seconds holds, stay apart, they get nanoseconds of their own: some of
    them are this worker's, others those of the next one. VUs hand their samples over many at a time,
    so times go back: what is a little older is put behind the one before, what is much older gets
    other nanoseconds. One in 100,000 is lost nevertheless when a worker takes 20,000 samples a second.
    """

    __slots__ = ("_before", "_last", "_nanosecond", "_scale")

    def __init__(self, before: str, scale: float) -> None:
        self._before = before
        self._scale = scale
        self._nanosecond = os.getpid() % _SLOTS
        self._last = 0

    def line(self, time_s: float, value: float) -> bytes:
        if value - value != 0:
            return b""  # the receiver knows no infinity, and no NaN
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
    """A measurement, tag or field name, or the value of a tag. There is no way to write a line break,
    nor a backslash at the end."""
    for sign in (",", "=", " "):
        text = text.replace(sign, "\\" + sign)
    text = text.replace("\r", "").replace("\n", "\\n")
    return text + "\\ " if text.endswith("\\") else text


def _field(text: str, kind: str) -> str:
    """A field's value; what is not of its kind is a string."""
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
    """The coordinator's half, over HTTP."""

    def __init__(
        self, description: str, interval: float, formatter: InfluxFormatter, *,
        poster: Poster, address: str, query: Mapping[str, str], threads: int,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, formatter, threads=threads)
        self._poster = poster
        self._address = address
        self._query = dict(query)

    def connect(self) -> None:
        """Make the database. A user who may not do so writes to one that is there."""
        name = self._query["db"].replace("\\", "\\\\").replace('"', '\\"')
        query = urlencode({"q": f'CREATE DATABASE "{name}"'})
        with contextlib.suppress(PushError):
            self._poster.post(f"{self._address}/query?{query}", b"")

    def push(self, items: Sequence[Item]) -> None:
        body = b"".join(item.payload for item in items)
        self._poster.post(f"{self._address}/write?{urlencode(self._query)}", body)


class InfluxDatagrams(LinePusher):
    """The coordinator's half, over UDP."""

    def __init__(
        self, description: str, interval: float, formatter: InfluxFormatter, *,
        host: str, port: int, payload: int,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, formatter)
        self._receiver = (host, port)
        self._payload = payload

    def push(self, items: Sequence[Item]) -> None:
        lines = b"".join(item.payload for item in items).splitlines(keepends=True)
        send(self._receiver, lines, size=self._payload)


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Raises UsageError."""
    given = _from_url(argument) if argument else {}
    settings = Variables(environment, "K6_INFLUXDB_", given)
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
        made: LinePusher
        if split.scheme == "udp":
            made = InfluxDatagrams(
                description, interval, formatter,
                host=split.hostname or "", port=split.port or 8089, payload=payload,
            )  # fmt: skip
        else:
            poster = Poster(headers=headers, context=context(insecure=insecure), proxy=proxy)
            made = InfluxOutput(
                description, interval, formatter,
                poster=poster, address=address, query=query, threads=threads,
            )  # fmt: skip
        made.begin()
        return made

    return OutputConfig(description, make)


def _from_url(text: str) -> dict[str, str]:
    """The settings in `http://user:password@host:8086/prefix/db?precision=ms`.

    What stands before the last slash of the path belongs to the address: a proxy may route by it.
    """
    url = urlsplit(text)
    given: dict[str, str] = {}
    prefix, _, database = url.path.rpartition("/")
    if url.hostname:
        given["ADDR"] = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{prefix}"
    given["DB"] = unquote(database if url.hostname else url.path.removeprefix("/"))
    given["USERNAME"], given["PASSWORD"] = unquote(url.username or ""), unquote(url.password or "")
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise UsageError(f"could not create the 'influxdb' output: unknown query parameter: {name}")
        variable = _PARAMETERS[name]
        given[variable] = f"{given[variable]},{value}" if variable in given else value
    return given


def _fields(settings: Variables) -> dict[str, str]:
    """Tags that are to be fields, each with its kind."""
    fields: dict[str, str] = {}
    for word in settings.words("TAGS_AS_FIELDS", "vu,iter,url"):
        name, _, kind = word.partition(":")
        if (kind or "string") not in _KINDS:
            settings.fail("TAGS_AS_FIELDS", f"gives '{name}' an invalid type, '{kind}'")
        if name in fields:
            settings.fail("TAGS_AS_FIELDS", f"has '{name}' more than once")
        fields[name] = kind or "string"
    return fields
