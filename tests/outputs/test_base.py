"""Outputs by name, and the writer of their files."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import ExitCode, JsrunnerError, UsageError
from jsrunner.outputs.base import FileWriter, OutputConfig, parse_output, rfc3339
from jsrunner.outputs.json_lines import JsonFormatter, introduce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def config(path: Path | str, header: bytes = b"") -> OutputConfig:
    return OutputConfig("test", str(path), JsonFormatter(), header, introduce)


def write(writer: FileWriter, parts: Sequence[bytes]) -> None:
    for part in parts:
        writer.write(part)
    writer.close()


# -- files -----------------------------------------------------------------------------------------


def test_what_is_written_can_be_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    writer = FileWriter(config(path, b"head\n"))
    assert path.read_bytes() == b"head\n"
    writer.write(b"one\n")
    writer.write(b"")
    assert path.read_bytes() == b"head\none\n"
    writer.close()
    writer.close()
    assert writer.failed is None
    assert path.read_bytes() == b"head\none\n"


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"much that was there before")
    write(FileWriter(config(path)), [b"new"])
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("parts", [[], [b"one\n"], [b"x" * 100_000, b"y" * 100_000]])
def test_a_compressed_file(tmp_path: Path, parts: list[bytes]) -> None:
    path = tmp_path / "out.json.gz"
    write(FileWriter(config(path, b"head\n")), parts)
    assert gzip.decompress(path.read_bytes()) == b"head\n" + b"".join(parts)


@pytest.mark.parametrize("path", ["-", ""])
def test_standard_output_is_left_open(path: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(FileWriter(config(path, b"head\n")), [b"one\n"])
    print("more", flush=True)
    assert capfdbinary.readouterr().out == b"head\none\nmore\n"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing/out.json", "no such file or directory"), (".", "is a directory")],
)
def test_a_file_that_cannot_be_opened(tmp_path: Path, path: str, reason: str) -> None:
    place = tmp_path / path
    with pytest.raises(JsrunnerError) as caught:
        FileWriter(config(place))
    assert str(caught.value) == f"could not create the output: open {place}: {reason}"
    assert caught.value.exit_code == ExitCode.GENERIC


@pytest.mark.parametrize("name", ["full", "full.gz"])
def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.symlink_to("/dev/full")
    writer = FileWriter(config(path))
    write(writer, [os.urandom(100_000), b"more"])
    assert writer.failed == f"writing to {path} failed: no space left on device"


def test_a_reader_that_goes_away_is_told(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from jsrunner.outputs.base import FileWriter, OutputConfig\n"
        "writer = FileWriter(OutputConfig('', '-', None, b'', None))\n"
        "writer.write(b'first\\n')\n"
        "sys.stdin.read()\n"  # until the reader is gone
        "writer.write(b'second\\n')\n"
        "writer.close()\n"
        "print(writer.failed, file=sys.stderr)\n"
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


# -- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "time_s", "text"),
    [
        ("UTC", 0, "1970-01-01T00:00:00Z"),
        ("UTC", 1_700_000_000.5, "2023-11-14T22:13:20.5Z"),
        ("UTC", 1_700_000_001.000001, "2023-11-14T22:13:21.000001Z"),
        ("UTC", 1_700_000_002.1234567, "2023-11-14T22:13:22.123457Z"),
        ("UTC", 1_700_000_003.9999999, "2023-11-14T22:13:24Z"),
        ("IST-5:30", 1_700_000_005.25, "2023-11-15T03:43:25.25+05:30"),
        ("NST3:30", 1_700_000_006, "2023-11-14T18:43:26-03:30"),
        ("UTC", -1.5, "1969-12-31T23:59:58.5Z"),
    ],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
def test_times_are_local_and_end_without_idle_zeros(time_s: float, text: str) -> None:
    assert rfc3339(time_s) == text
    assert rfc3339(time_s) == text


@given(st.integers(0, 2**33 * 10**6))
def test_microseconds_are_kept(microseconds: int) -> None:
    text = rfc3339(microseconds / 10**6)
    fraction = text[19:].rstrip("Z").split("+")[0].split("-")[0]
    assert int(fraction[1:].ljust(6, "0") or "0") == microseconds % 10**6


# -- names -----------------------------------------------------------------------------------------


def test_outputs_by_name() -> None:
    assert parse_output("json=out.json", {}).description == "json (out.json)"
    assert parse_output("json", {}).description == "json(stdout)"
    assert parse_output("csv", {}).path == "file.csv"
    assert parse_output("json=a=b.json", {}).path == "a=b.json"


def test_an_unknown_output() -> None:
    with pytest.raises(UsageError) as caught:
        parse_output("foo=bar", {})
    assert str(caught.value) == "invalid output type 'foo', available types are: csv, json"
    assert caught.value.exit_code == ExitCode.GENERIC


@pytest.mark.parametrize("name", ["statsd", "datadog", "kafka"])
def test_outputs_that_k6_had_once(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^could not create the '{name}' output: the {name} output"):
        parse_output(name, {})
