"""The format of a record (`run.jsr`): JSON lines, compressed with gzip as they are written.

`zcat run.jsr` shows a record. The writer flushes the compressor after each step, so that a run that is
killed leaves a file whose lines can be read up to the last step. docs/reference/files.md describes the
lines; readers skip kinds of lines and fields that they do not know.
"""

from __future__ import annotations

import zlib
from typing import IO, TYPE_CHECKING, Final

import orjson

from jsrunner.errors import JsrunnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsrunner.json_types import JsonValue

#: The format that this version writes. A reader refuses a larger number: fields whose meaning has
#: changed raise it, further fields and further kinds of lines do not.
VERSION: Final = 1
#: The format's name in the first line, by which other files are refused.
FORMAT: Final = "jsrunner-record"
#: Bytes of one read.
_PIECE: Final = 1 << 16
#: Maximum pieces of a line (32 MiB). A longer line belongs to no record.
_MOST_PIECES: Final = 512
#: zlib's window bits for streams with gzip's header and trailer.
_GZIP: Final = zlib.MAX_WBITS | 16


class RecordError(JsrunnerError):
    """A file is no record, or one that this version cannot read."""


class LineWriter:
    """Writes lines to a file that is open for writing; used by one thread."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._deflate = zlib.compressobj(4, wbits=_GZIP)
        #: Bytes that the file has.
        self.size = 0

    def add(self, line: Mapping[str, JsonValue]) -> None:
        """Add a line. It may stay in the compressor until `flush`. Raises OSError."""
        data = orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS)
        self._put(self._deflate.compress(data + b"\n"))

    def flush(self) -> None:
        """Write all lines to the file. Raises OSError."""
        self._put(self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> None:
        """End the stream and close the file. Raises OSError."""
        try:
            self._put(self._deflate.flush())
        finally:
            self._file.close()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(data)


class LineReader:
    """Reads the lines of a record, also of one that is still being written."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Make a reader of a file; errors name the file by `name`."""
        self._file = file
        self._name = name
        self._inflate = zlib.decompressobj(_GZIP)
        #: The pieces of a line whose end was not read yet.
        self._rest: list[bytes] = []
        self._has_head = False
        #: True if the end of the stream was read: the run was not killed.
        self.is_complete = False
        #: True if the rest of the file cannot be read.
        self.is_damaged = False

    def lines(self) -> Iterator[bytes]:
        """Read the lines up to the present end of the file, without their line feeds.

        Raises:
            RecordError: The file is no record, or of a newer format.
        """
        while not (self.is_complete or self.is_damaged):
            data = self._file.read(_PIECE)
            if not data:
                return
            yield from self._lines_of(data)

    def _lines_of(self, data: bytes) -> Iterator[bytes]:
        text = b""
        # The compressor may hold output back although it has taken all input.
        while (data or len(text) == _PIECE) and not self._inflate.eof:
            try:
                text = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                if not self._has_head:
                    raise self._refusal("it is no record of jsrunner") from None
                self.is_damaged = True
                return
            data = self._inflate.unconsumed_tail
            first, *others = text.split(b"\n")
            self._rest.append(first)
            if len(self._rest) > _MOST_PIECES:
                if not self._has_head:
                    raise self._refusal("it is no record of jsrunner")
                self.is_damaged = True
                return
            for piece in others:
                line, self._rest = b"".join(self._rest), [piece]
                if not self._has_head:
                    self._check_head(line)
                yield line
        self.is_complete = self._inflate.eof

    def check_head(self) -> None:
        """Raise RecordError if no first line of a record was read."""
        if not self._has_head:
            raise self._refusal("it is no record of jsrunner, or its run ended before it began")

    def _check_head(self, line: bytes) -> None:
        try:
            head = orjson.loads(line)
        except ValueError:
            head = None
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise self._refusal("it is no record of jsrunner")
        version = head.get("version")
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            raise self._refusal(
                f"its format is version {version}, written by jsrunner {head.get('jsrunner')}; "
                f"this version reads formats up to {VERSION}"
            )
        self._has_head = True

    def _refusal(self, reason: str) -> RecordError:
        return RecordError(f"could not read the record {self._name}: {reason}")
