"""All samples of a run as a table, and as other packages take it."""

from __future__ import annotations

import gc
import json
import math
import sys
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pytest

import jsrunner
from jsrunner.api import arrow

#: A result, and the points of the same run's JSON output.
Run = tuple[jsrunner.Result, list[dict[str, Any]]]

SCRIPT = (Path(__file__).parent / "samples.js").read_text()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("samples") / "samples.json"
    script = jsrunner.Script.from_text(SCRIPT)
    result = jsrunner.run(script, samples=True, workers=3, outputs=[f"json={path}"])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return result, [line for line in lines if line["type"] == "Point"]


@pytest.fixture
def samples(run: Run) -> jsrunner.Samples:
    assert run[0].samples is not None
    return run[0].samples


def test_the_columns(samples: jsrunner.Samples) -> None:
    assert samples.columns == (
        "metric", "time", "value", "check", "color", "group", "iter", "scenario", "tag.metric", "tag.time",
        "tag.value", "text", "vu",
    )  # fmt: skip
    assert list(samples) == list(samples.columns)
    assert repr(samples).startswith(f"<Samples: {len(samples)} rows of metric, time, value, check")
    with pytest.raises(KeyError):
        samples["nope"]


def test_each_sample_is_there_as_the_json_output_has_it(run: Run, samples: jsrunner.Samples) -> None:
    def row(metric: str, value: float | None, tags: dict[str, str | None]) -> str:
        shown = None if value is None or not math.isfinite(value) else value + 0.0
        return repr((metric, shown, sorted(pair for pair in tags.items() if pair[1] is not None)))

    columns = {name.removeprefix("tag."): samples[name] for name in samples.columns[3:]}
    rows = [
        row(metric, value, dict(zip(columns, tags, strict=True)))
        for metric, value, *tags in zip(
            samples["metric"], samples["value"], *columns.values(), strict=True
        )
    ]
    points = [
        row(one["metric"], one["data"]["value"], one["data"]["tags"] | one["data"].get("metadata", {}))
        for one in run[1]
    ]
    assert len(rows) == len(samples) > 40 * 12
    assert sorted(rows) == sorted(points)


def test_times_are_microseconds_since_the_epoch(run: Run, samples: jsrunner.Samples) -> None:
    table = pyarrow.table(samples)
    assert table.column("time").type == pyarrow.timestamp("us", "UTC")
    first = min(point["data"]["time"] for point in run[1])
    assert min(table.column("time").to_pylist()).isoformat().startswith(first[:19])
    assert samples["time"].tolist() == table.column("time").cast("int64").to_pylist()  # type: ignore[attr-defined]


def test_pyarrow_takes_it(samples: jsrunner.Samples) -> None:
    table = pyarrow.table(samples)
    table.validate(full=True)
    assert table.num_rows == len(samples)
    assert tuple(table.column_names) == samples.columns
    for name in samples.columns:
        if name == "value":
            assert repr(table.column(name).to_pylist()) == repr(list(samples[name]))
        elif name != "time":
            assert table.column(name).to_pylist() == samples[name]
    assert table.column("color").null_count == samples["color"].count(None) > 0


def test_polars_takes_it(samples: jsrunner.Samples) -> None:
    frame = polars.DataFrame(samples)
    assert frame.shape == (len(samples), len(samples.columns))
    assert frame["color"].to_list() == samples["color"]
    by_color = (
        frame.filter(polars.col("metric") == "seen").group_by("color").agg(polars.col("value").sum())
    )
    assert dict(by_color.iter_rows()) == {None: 40.0, "red": 40.0}


if sys.version_info >= (3, 11):  # as pandas 3 wants it

    def test_pandas_takes_it(samples: jsrunner.Samples) -> None:
        import pandas

        frame = pandas.DataFrame.from_arrow(samples)
        assert frame.groupby("metric", observed=True)["value"].count()["odd"] == 240
        assert pandas.DataFrame(samples.to_dict()).shape == frame.shape


def test_what_is_taken_out_of_the_table_outlives_it() -> None:
    script = jsrunner.Script.from_text("export default () => {}")
    kept = len(arrow._kept)
    result = jsrunner.run(script, samples=True, options={"iterations": 50})
    column = pyarrow.table(result.samples).column("metric")
    del result
    gc.collect()
    assert column.to_pylist().count("iterations") == 50
    del column
    gc.collect()
    assert len(arrow._kept) == kept


def test_a_stream_that_nobody_reads_is_released() -> None:
    kept = len(arrow._kept)
    capsule = arrow.stream([arrow.Column("a", "g", b"")], 0)
    assert len(arrow._kept) == kept + 1
    del capsule
    assert len(arrow._kept) == kept


def test_samples_are_kept_only_if_asked_for() -> None:
    assert jsrunner.run(jsrunner.Script.from_text("export default () => {}")).samples is None


def test_an_empty_table(tmp_path: Path) -> None:
    with (tmp_path / "empty").open("w+b") as file:
        samples = jsrunner.Samples(file, {})
    assert pyarrow.table(samples).num_rows == 0
    assert samples.to_dict() == {"metric": [], "time": samples["time"], "value": samples["value"]}
    assert len(samples["time"]) == 0
