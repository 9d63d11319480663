"""The output `--out csv=file`: a row for each sample, with a column for each enabled system tag.

The format is k6's: https://grafana.com/docs/k6/latest/results-output/real-time/csv/
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.errors import UsageError
from jsrunner.options.duration import parse_duration
from jsrunner.options.numbers import quote
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.file import FileOutput, is_stdout
from jsrunner.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.metrics.registry import Metric

_SCALES: Final = {"unix": 1, "unix_milli": 10**3, "unix_micro": 10**6, "unix_nano": 10**9}
_FORMATS: Final = (*_SCALES, "rfc3339", "rfc3339_nano")
#: The system tags that are metadata instead of columns.
_METADATA: Final = frozenset({"vu", "iter"})


def _cell(text: str) -> str:
    """Return a cell, quoted where Go's encoding/csv quotes it."""
    if any(sign in text for sign in ',"\r\n') or text[:1].isspace() or text == "\\.":
        return '"' + text.replace('"', '""') + '"'
    return text


def _number(value: float) -> str:
    """Format a number as Go's `%f` does."""
    if isfinite(value):
        return f"{value:f}"
    return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"


class _CsvWriter:
    __slots__ = ("_after", "_format", "_name")

    def __init__(self, name: str, after: str, time_format: str) -> None:
        self._name = name
        self._after = after
        self._format = time_format

    def line(self, time_s: float, value: float) -> bytes:
        scale = _SCALES.get(self._format)
        if scale:
            microseconds = round(time_s * 1e6)  # a float of seconds has no more digits
            moment = str(microseconds * scale // 10**6)
        elif self._format == "rfc3339_nano":
            moment = rfc3339(time_s)
        else:
            local = datetime.fromtimestamp(int(time_s), tz=timezone.utc).astimezone()
            moment = local.isoformat().replace("+00:00", "Z")
        return f"{self._name},{moment},{_number(value)},{self._after}\n".encode()


class CsvFormatter(Struct, frozen=True):
    """The formatter of rows: metric, time, value, system tags, other tags and metadata as `k=v&k=v`."""

    time_format: str = "unix"
    columns: tuple[str, ...] = ()

    def format(
        self, metric: Metric, tags: Mapping[str, str], metadata: Mapping[str, str] | None
    ) -> _CsvWriter:
        """Make the writer of a series."""
        extra = {key: value for key, value in tags.items() if key not in self.columns}
        cells = [tags.get(column, "") for column in self.columns]
        cells += [_joined(extra), _joined(metadata or {})]
        return _CsvWriter(_cell(metric.name), ",".join(map(_cell, cells)), self.time_format)


def _joined(pairs: Mapping[str, str]) -> str:
    return "&".join(f"{key}={value}" for key, value in sorted(pairs.items()))


def _open(path: str, time_format: str, system_tags: Sequence[str]) -> FileOutput:
    """Open the output of a run whose samples carry these system tags."""
    columns = tuple(sorted(tag for tag in system_tags if tag not in _METADATA))
    head = ("metric_name", "timestamp", "metric_value", *columns, "extra_tags", "metadata")
    header = (",".join(head) + "\n").encode()
    return FileOutput(
        path,
        CsvFormatter(time_format, columns),
        header=header,
        error_prefix="could not create the 'csv' output: ",
    )


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Read the settings of the output.

    Args:
        argument: The text behind `csv=`: a path, or `key=value` pairs.
        environment: The environment, with k6's `K6_CSV_` variables.

    Raises:
        UsageError: A setting is wrong.
    """
    path = environment.get("K6_CSV_FILENAME") or "file.csv"
    time_format = environment.get("K6_CSV_TIME_FORMAT") or "unix"
    interval = environment.get("K6_CSV_SAVE_INTERVAL")
    if argument and "=" not in argument:
        path = argument
    elif argument:
        for pair in argument.split(","):
            key, _, value = pair.partition("=")
            if not value:
                raise UsageError(f"couldn't parse {quote(argument)} as argument for csv output")
            if key == "fileName":
                path = value
            elif key == "timeFormat":
                time_format = value
            elif key == "saveInterval":
                interval = value
            else:
                raise UsageError(f"unknown key {quote(key)} as argument for csv output")
    if time_format not in _FORMATS:
        raise UsageError(f"{time_format} does not belong to TimeFormat values")
    if interval:
        try:
            parse_duration(interval)  # only checked: rows are written as they come
        except ValueError as error:
            raise UsageError(f"the saveInterval of the csv output: {error}") from None
    shown = "stdout" if is_stdout(path) else path
    return OutputConfig(f"csv ({shown})", partial(_open, path, time_format), to_stdout=is_stdout(path))
