"""Outputs that cannot be written: the log reports them, and no other data is lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from running import UNPRIVILEGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process

    Run = Callable[..., Process]

#: Possible numbers of samples of `vus` and `vus_max`: two for each second of a run.
VUS = range(0, 100, 2)
SCRIPT = "export default function () { console.log('from the script'); }"


@pytest.mark.parametrize("output", ["json=/dev/full", "csv=/dev/full"])
@pytest.mark.parametrize("iterations", ["1", "500"])
def test_output_on_a_full_disk(run: Run, output: str, iterations: str) -> None:
    done = run(SCRIPT, "--out", output, "-i", iterations)
    assert done.code == 0
    first, second = done.messages("error")
    assert first == "writing to /dev/full failed: no space left on device"
    lost = int(second.removeprefix("/dev/full: samples that were lost: "))
    assert (lost - int(iterations) * 4) in VUS
    assert "iterations" in done.stdout


@pytest.mark.parametrize("output", ["json", "csv"])
def test_a_disk_becomes_full(run: Run, tmp_path: Path, output: str) -> None:
    """Written lines stay complete, and the log reports the lost ones."""
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")  # 4 or 8 KB, whatever the shell counts
    script = "export default function () {}"
    done = run(script, "--out", f"{output}=out", "-i", "100", prefix=limited)
    assert done.code == 0
    first, second = done.messages("error")
    assert first == "writing to out failed: file too large"
    lost = int(second.removeprefix("out: samples that were lost: "))
    text = (tmp_path / "out").read_text()
    assert text.endswith("\n")
    lines = text.splitlines()
    samples = [one for one in lines if '"type":"Point"' in one] if output == "json" else lines[1:]
    assert len(samples) > 10
    assert len(samples) + lost - 400 in VUS
    assert "iterations" in done.stdout


def test_a_disk_becomes_full_of_compressed_samples(run: Run) -> None:
    limited = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")
    script = "export default function () {}"
    done = run(script, "--out", "json=out.gz", "-i", "5000", prefix=limited)
    assert done.code == 0
    first, second = done.messages("error")
    assert first == "writing to out.gz failed: file too large"
    assert int(second.removeprefix("out.gz: samples that were lost: at most ")) - 20_000 in VUS


@pytest.mark.parametrize("flag", ["--summary-export", "handleSummary"])
def test_summary_on_a_full_disk(run: Run, flag: str) -> None:
    script, flags = SCRIPT, (flag, "/dev/full")
    if flag == "handleSummary":
        script += "\nexport const handleSummary = () => ({ '/dev/full': 'x', stdout: 'iterations' });"
        flags = ()
    done = run(script, *flags)
    assert done.code == 0
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert record["msg"] == "failed to handle the end-of-test summary"
    assert "/dev/full: no space left on device" in record["error"]
    assert "iterations" in done.stdout


def test_log_on_a_full_disk(run: Run) -> None:
    done = run(SCRIPT, "--log-output", "file=/dev/full")
    assert done.code == 0
    assert done.stderr == "jsrunner: writing to /dev/full failed: no space left on device\n"
    assert "iterations" in done.stdout


def test_console_output_on_a_full_disk(run: Run) -> None:
    done = run(SCRIPT, "--console-output", "/dev/full", "-i", "3")
    assert done.code == 0
    assert done.stderr == "jsrunner: writing to /dev/full failed: no space left on device\n"
    assert "iterations" in done.stdout


def test_standard_output_on_a_full_disk(run: Run) -> None:
    with open("/dev/full", "wb") as full:
        done = run(SCRIPT, stdout=full)
    assert done.code == 0
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert "stdout: no space left on device" in record["error"]


@pytest.mark.parametrize("help", [False, True])
def test_standard_output_closed_early(run: Run, help: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        done = run(SCRIPT, *["--help"] if help else [], stdout=closed)
    assert done.code == (141 if help else 0)
    assert done.messages("error") == []


def test_samples_to_a_closed_standard_output(start: Run) -> None:
    process = start(SCRIPT, "--out", "json=-", "-i", "2000", "--vus", "2")
    head = subprocess.run(["head", "-1"], stdin=process.process.stdout, capture_output=True, check=True)
    assert json.loads(head.stdout)["type"] == "Metric"
    process.process.stdout.close()
    process.process.stdout = None
    done = process.end()
    assert done.code == 0


def test_standard_error_closed(run: Run, tmp_path: Path) -> None:
    """Neither a socket nor a file may get the descriptor's number."""
    done = run(SCRIPT, "--out", "json=x", prefix=("sh", "-c", 'exec "$@" <&- 2>&-', "sh"))
    assert done.code == 0
    assert "iterations" in done.stdout
    lines = (tmp_path / "x").read_text().splitlines()
    assert {json.loads(line)["metric"] for line in lines} > {"iterations", "iteration_duration"}


MISSING = [
    ("--out", "json=nowhere/x.json"),
    ("--out", "csv=nowhere/x.csv"),
    ("--log-output", "file=nowhere/x.log"),
    ("--console-output", "nowhere/x.log"),
]


@pytest.mark.parametrize("flags", MISSING, ids=lambda flags: flags[1])
def test_output_in_a_missing_folder(run: Run, flags: tuple[str, str]) -> None:
    done = run(SCRIPT, *flags)
    assert done.code == 255
    if flags[0] == "--log-output":  # k6 names the folder
        assert re.search(r"provided directory '\S*/nowhere' does not exist", done.stderr)
    else:
        assert "nowhere/x" in done.stderr
        assert "no such file or directory" in done.stderr
    assert not done.said("from the script")


def test_output_without_permission(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "locked"
    place.mkdir(mode=0o555)
    done = run(SCRIPT, "--out", f"json={place}/x", prefix=UNPRIVILEGED)
    assert done.code == 255
    assert done.messages("error") == [f"open {place}/x: permission denied"]


def test_summary_files_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    done = run(
        r"""
        export default function () {}
        export const handleSummary = () => ({
          '/dev/full': 'x', 'a\u0000b': 'x', '.': 'x', 'half\ud800': 'y', stdout: 'shown',
        });
        """
    )
    assert done.code == 0
    assert done.stdout == "shown"
    assert (tmp_path / "half\ufffd").read_text() == "y"
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert sorted(record["error"].splitlines()) == [
        "\t- could not open '.': open .: is a directory",
        "\t- could not open 'a\0b': open a\0b: invalid argument",
        "\t- error saving summary to '/dev/full' after 0 bytes: write /dev/full: no space left on device",
        "Could not save some summary information:",
    ]


def test_summary_in_a_missing_folder(run: Run) -> None:
    done = run(SCRIPT, "--summary-export", "nowhere/x.json")
    assert done.code == 0
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert "could not open 'nowhere/x.json': open nowhere/x.json: no such file" in record["error"]
    assert "iterations" in done.stdout
