"""Files that outputs write."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.metrics.registry import Metric
from jsrunner.outputs.file import FileOutput
from jsrunner.outputs.json_lines import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def output(path: Path | str, header: bytes = b"") -> FileOutput:
    return FileOutput(str(path), JsonFormatter(), header=header)


def write(writer: FileOutput, parts: Sequence[bytes]) -> None:
    for part in parts:
        writer.write(part)
    writer.close()


def test_what_is_written_can_be_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    writer = output(path, b"head\n")
    assert path.read_bytes() == b"head\n"
    writer.write(b"one\n")
    writer.write(b"")
    assert path.read_bytes() == b"head\none\n"
    writer.close()
    writer.close()
    assert not writer.news
    assert path.read_bytes() == b"head\none\n"


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"much that was there before")
    write(output(path), [b"new"])
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("parts", [[], [b"one\n"], [b"x" * 100_000, b"y" * 100_000]])
def test_a_compressed_file(tmp_path: Path, parts: list[bytes]) -> None:
    path = tmp_path / "out.json.gz"
    write(output(path, b"head\n"), parts)
    assert gzip.decompress(path.read_bytes()) == b"head\n" + b"".join(parts)


@pytest.mark.parametrize("path", ["-", ""])
def test_standard_output_is_left_open(path: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(output(path, b"head\n"), [b"one\n"])
    print("more", flush=True)
    assert capfdbinary.readouterr().out == b"head\none\nmore\n"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing/out.json", "no such file or directory"), (".", "is a directory")],
)
def test_a_file_that_cannot_be_opened(tmp_path: Path, path: str, reason: str) -> None:
    place = tmp_path / path
    with pytest.raises(JsrunnerError) as caught:
        output(place)
    assert str(caught.value) == f"open {place}: {reason}"
    assert caught.value.exit_code == ExitCode.GENERIC


@pytest.mark.parametrize("name", ["full", "full.gz"])
def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.symlink_to("/dev/full")
    writer = output(path)
    write(writer, [os.urandom(100_000).replace(b"\n", b"") + b"\n", b"one\n", b"two\n"])
    most = "at most " if name == "full.gz" else ""
    assert list(writer.news) == [
        ("error", f"writing to {path} failed: no space left on device"),
        ("error", f"{path}: samples that were lost: {most}3"),
    ]


def test_a_reader_that_goes_away_is_told(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from jsrunner.outputs.file import FileOutput\n"
        "writer = FileOutput('-', None)\n"
        "writer.write(b'first\\n')\n"
        "sys.stdin.read()\n"  # until the reader is gone
        "writer.write(b'second\\n')\n"
        "writer.close()\n"
        "print(writer.news.popleft()[1], file=sys.stderr)\n"
        "sys.stdout = None\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"first\n"
        process.stdout.close()
        process.stdin.close()
        assert b"writing to - failed: broken pipe\n" in process.stderr.read()


def test_a_metric_may_be_introduced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    writer = FileOutput(str(path), JsonFormatter(), introduce=lambda metric, *_: metric.name.encode())
    writer.introduce(Metric("some", "counter"), (), ())
    writer.close()
    assert path.read_bytes() == b"some"
