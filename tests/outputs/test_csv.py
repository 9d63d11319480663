"""`--out csv`: k6's rows (k6-surface OU-07, OU-08)."""

from __future__ import annotations

import csv
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import UsageError
from jsrunner.metrics.registry import Metric
from jsrunner.outputs.csv import CsvFormatter, configure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HITS = Metric("hits", "counter")
SYSTEM_TAGS = ("url", "vu", "group", "iter", "method")


def row(
    value: float = 1.0,
    tags: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    *,
    time_s: float = 1_700_000_000.25,
    time_format: str = "unix",
) -> str:
    formatter = CsvFormatter(time_format, ("group", "url"))
    return formatter.format(HITS, tags or {}, metadata).line(time_s, value).decode()


def test_columns_are_the_enabled_system_tags_but_for_those_that_are_metadata(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    found = configure(str(path), {}).open(SYSTEM_TAGS)
    found.close()
    assert path.read_bytes() == (
        b"metric_name,timestamp,metric_value,group,method,url,extra_tags,metadata\n"
    )
    assert found.formatter == CsvFormatter("unix", ("group", "method", "url"))
    configure(str(path), {}).open(()).close()
    assert path.read_bytes() == b"metric_name,timestamp,metric_value,extra_tags,metadata\n"


def test_a_sample() -> None:
    tags = {"url": "ws://x", "b": "2", "a": "1", "group": "::g"}
    assert row(2.5, tags, {"vu": "3", "iter": "0"}) == (
        "hits,1700000000,2.500000,::g,ws://x,a=1&b=2,iter=0&vu=3\n"
    )
    assert row() == "hits,1700000000,1.000000,,,,\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0000001, "0.000000"),
        (1e20, "100000000000000000000.000000"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_values(value: float, text: str) -> None:
    assert row(value).split(",")[2] == text


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("unix", "1700000200"),
        ("unix_milli", "1700000200250"),
        ("unix_micro", "1700000200250000"),
        ("unix_nano", "1700000200250000000"),
        ("rfc3339", "2023-11-15T03:46:40+05:30"),
        ("rfc3339_nano", "2023-11-15T03:46:40.25+05:30"),
    ],
)
@pytest.mark.parametrize("zone", ["IST-5:30"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_formats_of_times(time_format: str, text: str) -> None:
    # A second that no other test asks for: the last one's text is kept.
    assert row(time_format=time_format, time_s=1_700_000_200.25).split(",")[1] == text


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_a_time_of_utc() -> None:
    assert row(time_format="rfc3339").split(",")[1] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("a,b", '"a,b"'),
        ('say "a"', '"say ""a"""'),
        ("two\nlines", '"two\nlines"'),
        (" led by a blank", '" led by a blank"'),
        ("\u00a0led by another", '"\u00a0led by another"'),
        ("\\.", '"\\."'),
        ("", ""),
    ],
)
def test_cells_are_quoted_where_go_quotes(text: str, cell: str) -> None:
    assert row(tags={"group": text}) == f"hits,1700000000,1.000000,{cell},,,\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_any_text_is_read_again(text: str) -> None:
    """Python 3.10 reads no NUL; another character takes its place."""
    nul = "\ue000"
    rows = list(csv.reader([row(tags={"url": text}).replace("\0", nul)], strict=True))
    if "\n" not in text and "\r" not in text:
        assert rows == [["hits", "1700000000", "1.000000", "", text.replace("\0", nul), "", ""]]


@pytest.mark.parametrize(
    ("argument", "environment", "path", "time_format"),
    [
        ("", {}, "file.csv", "unix"),
        ("out.csv.gz", {}, "out.csv.gz", "unix"),
        ("-", {}, "-", "unix"),
        ("fileName=a.csv,timeFormat=rfc3339,saveInterval=5s", {}, "a.csv", "rfc3339"),
        ("", {"K6_CSV_FILENAME": "e.csv", "K6_CSV_TIME_FORMAT": "unix_nano"}, "e.csv", "unix_nano"),
        (
            "a.csv",
            {"K6_CSV_FILENAME": "e.csv", "K6_CSV_TIME_FORMAT": "unix_nano"},
            "a.csv",
            "unix_nano",
        ),
    ],
)
def test_where_it_goes(
    argument: str, environment: dict[str, str], path: str, time_format: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found = configure(argument, environment)
    assert found.to_stdout == (path == "-")
    assert found.description == f"csv ({'stdout' if path == '-' else path})"
    opened = found.open(())
    opened.close()
    assert opened.formatter == CsvFormatter(time_format)
    assert path == "-" or (tmp_path / path).exists()


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("file=a.csv", 'unknown key "file" as argument for csv output'),
        ("fileName=", 'couldn\'t parse "fileName=" as argument for csv output'),
        ("fileName=a.csv,timeFormat", 'couldn\'t parse "fileName=a.csv,timeFormat" as argument for csv '
         "output"),
        ("timeFormat=stardate", "stardate does not belong to TimeFormat values"),
        ("saveInterval=soon", 'the saveInterval of the csv output: time: invalid duration "soon"'),
    ],
)  # fmt: skip
def test_what_cannot_be_read(argument: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure(argument, {})
    assert str(caught.value) == reason


def test_metrics_are_not_introduced(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    opened = configure(str(path), {}).open(())
    opened.introduce(HITS, (), ())
    opened.close()
    assert path.read_bytes().count(b"\n") == 1


def test_the_formatter_travels_to_the_workers() -> None:
    formatter = CsvFormatter("unix", ("url",))
    assert pickle.loads(pickle.dumps(formatter)) == formatter
