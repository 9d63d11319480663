"""Python half of `k6/experimental/csv`: records of files that `k6/experimental/fs` has opened.

Records and errors are those of Go's encoding/csv (https://pkg.go.dev/encoding/csv).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict, cast

import orjson

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.text import decode_bytewise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.experimental.fs import FileSystem, OpenFile

#: Bytes of one read, by which the file's position moves.
_BUFFER_BYTES: Final = 4096
_INT64_MAX: Final = (1 << 63) - 1
_BARE_QUOTE: Final = 'bare " in non-quoted-field'
_QUOTE: Final = 'extraneous or missing " in quoted-field'


class ParseOptions(TypedDict):
    """The options of a parser; numbers of lines count records from 0."""

    delimiter: str
    skip_first_line: bool
    from_line: int | float | None
    to_line: int | float | None
    #: True if the first record names the fields of the others.
    as_objects: bool


class Records:
    """The records of a file from its position on, which moves with them.

    Iterating raises HostError where the text is no CSV.
    """

    def __init__(self, file: OpenFile, delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter.encode()
        self._buffer = b""
        #: The number of the line that was read last, counted from 1.
        self._line = 0
        #: The number of fields that each record must have: as many as the first.
        self._width: int | None = None

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        if self._delimiter in (b'"', b"\r", b"\n", b"\0"):
            raise HostError("csv: invalid field or comment delimiter")
        line = self._read_line()
        while line == b"\n":
            line = self._read_line()
        if not line:
            raise StopIteration
        start = self._line
        if b'"' in line:
            fields = self._quoted(line, start)
        else:
            fields = line.removesuffix(b"\n").split(self._delimiter)
        if self._width is None:
            self._width = len(fields)
        elif len(fields) != self._width:
            raise HostError(f"record on line {start}: wrong number of fields")
        return [decode_bytewise(field) for field in fields]

    def _quoted(self, line: bytes, start: int) -> list[bytes]:
        """Split a record that has quotes somewhere, over several lines perhaps."""
        fields: list[bytes] = []
        column = 1
        while True:
            if not line.startswith(b'"'):
                field, comma, rest = line.partition(self._delimiter)
                if not comma:
                    field = line.removesuffix(b"\n")
                quote = field.find(b'"')
                if quote >= 0:
                    raise self._error(start, column + quote, _BARE_QUOTE)
                fields.append(field)
                if not comma:
                    return fields
                line, column = rest, column + len(field) + 1
                continue
            field, line, column, is_last = self._quoted_field(line[1:], start, column + 1)
            fields.append(field)
            if is_last:
                return fields

    def _quoted_field(self, line: bytes, start: int, column: int) -> tuple[bytes, bytes, int, bool]:
        """Parse a quoted field: return it, the text behind it, that text's column, is it the last."""
        field = b""
        while True:
            quote = line.find(b'"')
            if quote < 0:
                field += line
                column += len(line)
                line = self._read_line()
                if not line:
                    raise self._error(start, column, _QUOTE)
                column = 1
                continue
            field += line[:quote]
            line, column = line[quote + 1 :], column + quote + 1
            if line.startswith(b'"'):
                field += b'"'
                line, column = line[1:], column + 1
            elif line.startswith(self._delimiter):
                return field, line[1:], column + 1, False
            elif line in (b"", b"\n"):
                return field, line, column, True
            else:
                raise self._error(start, column - 1, _QUOTE)

    def _error(self, start: int, column: int, reason: str) -> HostError:
        record = f"record on line {start}; " if start != self._line else ""
        return HostError(f"{record}parse error on line {self._line}, column {column}: {reason}")

    def _read_line(self) -> bytes:
        r"""Return the next line with \n for its end; nothing at the end of the file."""
        pieces = []
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) >= _BUFFER_BYTES:
                pieces.append(self._buffer)
                self._buffer = b""
            more = self._file.take(_BUFFER_BYTES - len(self._buffer))
            self._buffer += more
            if not more:
                end = len(self._buffer) - 1
                break
        line = b"".join(pieces) + self._buffer[: end + 1]
        self._buffer = self._buffer[end + 1 :]
        if not line:
            return b""
        self._line += 1
        if line.endswith(b"\r\n"):
            return line[:-2] + b"\n"
        return line.removesuffix(b"\r")


class Reader:
    """A reader of the records that a script's options select."""

    def __init__(self, file: OpenFile, options: ParseOptions) -> None:
        self._records = Records(file, options["delimiter"])
        self._header: list[str] | None = None
        #: Count of the records that have been read.
        self._count = 0
        self._to = _int64(options["to_line"])
        from_line = _int64(options["from_line"])
        _validate(options, from_line, self._to)
        if options["as_objects"]:
            self._header = self._skip("failed to read the first line")
        if options["skip_first_line"] and not from_line:
            self._skip("failed to skip the first line")
        while from_line is not None and self._count < from_line:
            self._skip(f"failed to skip lines until line {from_line}")

    def _skip(self, failure: str) -> list[str]:
        try:
            record = next(self._records, None)
        except HostError as error:
            raise _not_created(f"{failure}; reason: {error}") from None
        if record is None:
            raise _not_created(f"{failure}; reason: EOF")
        self._count += 1
        return record

    def read(self) -> list[str] | dict[str, str] | None:
        """Return the next record, None if there is none. Raises HostError."""
        if self._to and self._count > self._to:
            return None
        record = next(self._records, None)
        if record is None:
            return None
        self._count += 1
        return record if self._header is None else dict(zip(self._header, record, strict=True))


def _int64(number: int | float | None) -> int | None:
    return None if number is None else min(int(number), _INT64_MAX)


def _not_created(reason: str) -> HostError:
    return HostError(f"failed to create a new parser; reason: {reason}")


def _validate(options: ParseOptions, from_line: int | None, to_line: int | None) -> None:
    if options["as_objects"] and options["skip_first_line"]:
        raise _not_created("the 'header' option cannot be enabled when 'skipFirstLine' is true")
    if options["as_objects"] and from_line is not None and from_line > 0:
        raise _not_created(
            "the 'header' option cannot be enabled when 'fromLine' is set to a value greater than 0"
        )
    for name, number in (("fromLine", from_line), ("toLine", to_line)):
        if number is not None and number < 0:
            raise _not_created(f"the '{name}' option must be greater than or equal to 0; got {number}")


class Csv(HostModule):
    """The operations of `k6/experimental/csv`. A parser is known by its handle."""

    specifier = "k6/experimental/csv"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        #: Readers of the parsers, which are made in the init code only.
        self._readers: list[Reader] = []
        #: Readers of `parse`, by name, until they have read their files.
        self._begun: dict[str, Reader] = {}

    @operation
    def reader(self, handle: int | None, options: ParseOptions) -> int:
        """Return a handle for `next`."""
        self._readers.append(Reader(self._file(handle), options))
        return len(self._readers) - 1

    @operation
    def next(self, reader: int) -> list[str] | dict[str, str] | None:
        """Return the next record of a parser; None at the end. Raises HostError."""
        return self._readers[reader].read()

    @operation
    def begin(self, handle: int | None, options: ParseOptions) -> str:
        """Return the name of a file's records, for `parse` and `record`."""
        file = self._file(handle)
        name = repr((file.path, options))
        self._begun[name] = Reader(file, options)
        return name

    @operation
    def parse(self, name: str) -> int:
        """Return the count of all records; the first VU that calls it parses them."""
        reader = self._begun.pop(name, None)
        records = self._parsed.get(name)
        if records is None:
            assert reader is not None
            records = []
            try:
                while (record := reader.read()) is not None:
                    records.append(orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode())
            except HostError as error:
                raise HostError(f"failed to read record; reason: {error}") from None
            self._parsed[name] = records
        return len(records)

    @operation
    def record(self, name: str, index: int) -> str:
        """Return a record as JSON."""
        return self._parsed[name][index]

    @property
    def _parsed(self) -> dict[str, list[str]]:
        parsed: dict[str, list[str]] = self.vu.shared.setdefault("k6/experimental/csv", {})
        return parsed

    def _file(self, handle: int | None) -> OpenFile:
        if handle is None:
            raise _not_created("the reader cannot be nil")
        return cast("FileSystem", self.vu.modules["experimental_fs"]).files[handle]
