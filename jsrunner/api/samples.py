"""All samples of a run as a table of columns."""

from __future__ import annotations

import json
import mmap
from array import array
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final

from jsrunner.api.arrow import Column, stream
from jsrunner.api.sample_file import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FIXED: Final = ("metric", "time", "value")


class Samples:
    """The samples of a run that was started with `samples=True`.

    The columns are `metric`, `time` (microseconds since the epoch), `value` (times in ms), and one for
    each tag. The rows are in the order of time for each worker process, not over all of them.

    `pyarrow.table(samples)`, `polars.DataFrame(samples)`, `pandas.DataFrame.from_arrow(samples)` and
    whatever else knows the Arrow PyCapsule interface take it as it is, with texts as dictionaries and
    `time` as timestamps. `to_dict()` is for everything else.
    """

    def __init__(self, file: IO[bytes], series: Mapping[int, bytes]) -> None:
        """Take over what a run has written (see sample_file.py)."""
        size = file.seek(0, 2)
        self._length = size // RECORD.size
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if self._length else b""
        self._records = memoryview(mapped)[: self._length * RECORD.size]
        self._numbers = list(series)
        self._series = [json.loads(data) for data in series.values()]
        names = {name for *_, tags, metadata in self._series for name in (*metadata, *tags)}
        #: Names of tags by the names of their columns.
        self._tags = dict(sorted((f"tag.{name}" if name in _FIXED else name, name) for name in names))
        self._made: dict[str, Column] = {}

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"<Samples: {len(self)} rows of {', '.join(self.columns)}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return (*_FIXED, *self._tags)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Sequence[Any]:
        """Return a column: an array of integers for `time`, of floats for `value`, or a list of texts.

        A row without the tag has None.

        Raises:
            KeyError: There is no column of this name.
        """
        column = self._column(name)
        if column.dictionary is None:
            return array("d" if name == "value" else "q", column.data)
        texts: list[str | None] = [*column.dictionary, None]  # -1 is the last
        return [texts[code] for code in column.data]

    def to_dict(self) -> dict[str, Sequence[Any]]:
        """Return all columns by name, e.g. for `pandas.DataFrame`."""
        return {name: self[name] for name in self.columns}

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return an Arrow stream; a requested schema is not looked at, as the interface permits."""
        return stream([self._column(name) for name in self.columns], len(self))

    @cached_property
    def _rows(self) -> array[int]:
        """The index of each row's series."""
        indices = {number: index for index, number in enumerate(self._numbers)}
        return array("i", map(indices.__getitem__, self._field(0, "Q")))

    def _field(self, position: int, code: Any) -> memoryview:
        return self._records.cast(code)[position::3]

    def _column(self, name: str) -> Column:
        column = self._made.get(name)
        if column is None:
            column = self._made[name] = self._make(name)
        return column

    def _make(self, name: str) -> Column:
        if name == "time":
            return Column(name, "tsu:UTC", self._field(1, "q").tobytes())
        if name == "value":
            return Column(name, "g", self._field(2, "d").tobytes())
        if name == "metric":
            return self._texts(name, [series[0] for series in self._series])
        tag = self._tags[name]
        return self._texts(name, [tags.get(tag, data.get(tag)) for *_, tags, data in self._series])

    def _texts(self, name: str, by_series: Sequence[str | None]) -> Column:
        """Return a column whose text depends on the series only."""
        texts = list(dict.fromkeys(text for text in by_series if text is not None))
        codes = {text: code for code, text in enumerate(texts)}
        by_index = [-1 if text is None else codes[text] for text in by_series]
        data = array("i", map(by_index.__getitem__, self._rows))
        if None not in by_series:
            return Column(name, "i", data, dictionary=texts)
        flags = bytes(b"01"[text is not None] for text in by_series)
        present = bytes(map(flags.__getitem__, self._rows))
        bits = int(present[::-1] or b"0", 2).to_bytes(-(-len(present) // 8), "little")
        return Column(name, "i", data, bits, present.count(b"0"), texts)
