"""The format of records: what is read back of whole, cut, damaged and foreign files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.record.lines import FORMAT, VERSION, LineReader, LineWriter, RecordError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = {"format": FORMAT, "version": VERSION, "jsrunner": "1"}
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=20)


class Kept(io.BytesIO):
    """A file whose content is there after it was closed."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def written(texts: list[str], head: dict[str, Any] | None = None) -> bytes:
    file = Kept()
    writer = LineWriter(file)
    writer.add(HEAD if head is None else head)
    for text in texts:
        writer.add({"kind": "x", "text": text})
        writer.flush()
    writer.close()
    assert writer.size == len(file.content)
    return file.content


def read(data: bytes) -> tuple[list[str], LineReader]:
    reader = LineReader(io.BytesIO(data), "run.jsr")
    lines = [json.loads(line) for line in reader.lines()]
    return [line["text"] for line in lines if "text" in line], reader


@given(TEXTS)
def test_lines_come_back(texts: list[str]) -> None:
    found, reader = read(written(texts))
    assert (found, reader.is_complete, reader.is_damaged) == (texts, True, False)


def test_a_long_line_comes_back() -> None:
    texts = ["x" * 1_000_000, "y" * 65_536]
    assert read(written(texts))[0] == texts


@given(TEXTS, st.data())
def test_a_cut_record_can_be_read_up_to_the_cut(texts: list[str], data: st.DataObject) -> None:
    whole = written(texts)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    found, reader = read(cut)
    assert found == texts[: len(found)]
    assert not reader.is_complete


@given(TEXTS, st.data())
def test_a_damaged_record_ends_in_no_traceback(texts: list[str], data: st.DataObject) -> None:
    whole = bytearray(written(texts))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    reader = LineReader(io.BytesIO(bytes(whole)), "run.jsr")
    lines: list[bytes] = []
    with contextlib.suppress(RecordError):
        lines += reader.lines()
    assert not reader.is_complete or len(lines) <= len(texts) + 1


def test_any_tool_that_knows_gzip_reads_a_record() -> None:
    lines = gzip.decompress(written(["a"])).splitlines()
    assert [json.loads(line) for line in lines] == [HEAD, {"kind": "x", "text": "a"}]


@pytest.mark.parametrize(
    "data",
    # Without the time, so that all of xdist's processes name the tests alike.
    [b"not a record", *(gzip.compress(text, mtime=0) for text in (b"text\n", b"{}\n", b"[1]\n"))],
)
def test_a_foreign_file_is_refused(data: bytes) -> None:
    with pytest.raises(
        RecordError, match=r"could not read the record run\.jsr: it is no record of jsrunner"
    ):
        read(data)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(RecordError, match="it is no record"):
        read(b"")[1].check_head()


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(RecordError, match="its format is version 99, written by jsrunner 7"):
        read(written([], {"format": FORMAT, "version": 99, "jsrunner": "7"}))


def test_a_record_that_is_being_written_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsr"
    with path.open("wb", buffering=0) as file, path.open("rb") as follower:
        writer, reader = LineWriter(file), LineReader(follower, "run.jsr")
        writer.add(HEAD)
        writer.flush()
        assert len(list(reader.lines())) == 1
        writer.add({"kind": "x"})
        writer.flush()
        assert [json.loads(line) for line in reader.lines()] == [{"kind": "x"}]
        writer.close()
        assert list(reader.lines()) == []
        assert reader.is_complete
