"""Python half of `k6/experimental/csv`: records of files that `k6/experimental/fs` has opened."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypedDict, cast

import orjson

from jsrunner.engine.interpreter import HostError
from jsrunner.modules.base import HostModule, operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.modules.k6.experimental.fs import FileSystem, OpenFile
    from jsrunner.worker.vu import VU

#: The csv module's own limit of 128 KB a field is none that k6 has.
csv.field_size_limit(1 << 30)


class Options(TypedDict):
    delimiter: str
    #: Numbers of the first and of the last record that are wanted, counted from 0.
    first: int
    last: int | None
    #: Whether the first record names the fields of the others.
    as_objects: bool


def records(file: OpenFile, options: Options) -> Iterator[list[str] | dict[str, str]]:
    """The wanted records from the file's position on, which moves with them. Empty lines are none."""
    raw = io.BytesIO(file.content)
    raw.seek(file.position)
    text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="")
    header: list[str] | None = None
    number = 0
    for record in csv.reader(text, delimiter=options["delimiter"]):
        file.position = raw.tell()
        if not record:
            continue
        if options["last"] is not None and number > options["last"]:
            return
        if header is None and options["as_objects"]:
            header = record
        elif number >= options["first"]:
            yield record if header is None else dict(zip(header, record, strict=False))
        number += 1


class Csv(HostModule):
    specifier = "k6/experimental/csv"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        #: Of the parsers, which are made in the init code only.
        self._readers: list[Iterator[list[str] | dict[str, str]]] = []

    @operation
    def reader(self, handle: int, options: Options) -> int:
        """A handle for `next`."""
        self._readers.append(records(self._file(handle), options))
        return len(self._readers) - 1

    @operation
    def next(self, reader: int) -> list[str] | dict[str, str] | None:
        try:
            return next(self._readers[reader], None)
        except csv.Error as error:
            raise HostError(f"parse error: {error}") from None

    @operation
    def parse(self, handle: int, options: Options) -> tuple[str, int]:
        """(name, length) of all records; they are parsed by the first VU that wants them."""
        file = self._file(handle)
        name = repr((file.path, file.position, options))
        found = self._parsed.get(name)
        if found is None:
            try:
                found = [orjson.dumps(one).decode() for one in records(file, options)]
            except csv.Error as error:
                raise HostError(f"parse error: {error}") from None
            self._parsed[name] = found
        file.position = len(file.content)
        return name, len(found)

    @operation
    def record(self, name: str, index: int) -> str:
        """A record as JSON."""
        return self._parsed[name][index]

    @property
    def _parsed(self) -> dict[str, list[str]]:
        parsed: dict[str, list[str]] = self.vu.shared.setdefault("k6/experimental/csv", {})
        return parsed

    def _file(self, handle: int) -> OpenFile:
        return cast("FileSystem", self.vu.modules["experimental_fs"]).files[handle]
