"""All outputs of a run together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from jsrunner.coordinator.outputs import OutputSet
from jsrunner.errors import UsageError
from jsrunner.metrics.registry import BUILTIN
from jsrunner.metrics.store import MergedSeries
from jsrunner.outputs.base import Output, OutputConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Records


class Line(Struct):
    metric: str

    def line(self, time_s: float, value: float) -> bytes:
        return f"{self.metric} {value} {time_s}\n".encode()


class Lines(Struct):
    """A formatter."""

    def format(self, metric: Any, tags: Any, metadata: Any) -> Line:
        return Line(metric.name)


class Remembering(Output):
    """Remembers what was asked of it."""

    def __init__(self, formatter: Lines | None = None) -> None:
        super().__init__()
        self.formatter = formatter
        self.asked: list[Any] = []

    def introduce(self, metric: Any, thresholds: Any, submetrics: Any) -> None:
        self.asked.append(("introduce", metric.name))

    def write(self, data: bytes) -> None:
        self.asked.append(data)

    def merge(self, deltas: Sequence[tuple[MergedSeries, Any]]) -> None:
        self.asked.append([delta for _, delta in deltas])

    def end(self) -> None:
        self.asked.append("end")

    def close(self) -> None:
        self.asked.append("close")
        self.news.append(("warning", "the last"))


def config(name: str, output: Output) -> OutputConfig:
    return OutputConfig(name, lambda tags: output)


def refuse(tags: Sequence[str]) -> Output:
    raise UsageError("no such receiver")


@pytest.fixture
def writer() -> Remembering:
    return Remembering(Lines())


@pytest.fixture
def merger() -> Remembering:
    return Remembering()


@pytest.fixture
def outputs(writer: Remembering, merger: Remembering, log: Records) -> OutputSet:
    outputs = OutputSet([config("lines", writer), config("sums", merger)], log)
    outputs.open({"url", "group"})
    return outputs


def test_outputs_get_the_system_tags_in_order(log: Records) -> None:
    opened: list[Sequence[str]] = []

    def make(tags: Sequence[str]) -> Output:
        opened.append(tags)
        return Output()

    OutputSet([OutputConfig("tags", make)], log).open(frozenset({"url", "group"}))
    assert opened == [["group", "url"]]
    assert log.texts("debug") == ["Output started: tags"]


def test_each_output_gets_what_it_wants(
    outputs: OutputSet, writer: Remembering, merger: Remembering
) -> None:
    series = MergedSeries(BUILTIN["vus"], {}, [], None)
    outputs.introduce(series.metric, (), ())
    outputs.write_lines([b"lines of a worker\n"])
    outputs.merge([(series, (1, 1, 1))])
    outputs.write_samples([(series, 3.0)], 1.5)
    assert len(outputs.formatters()) == 1
    assert writer.asked == [("introduce", "vus"), b"lines of a worker\n", b"vus 3.0 1.5\n"]
    assert merger.asked == [("introduce", "vus"), [(1, 1, 1)]]


def test_news_are_logged_once(outputs: OutputSet, writer: Remembering, log: Records) -> None:
    writer.news.append(("error", "the receiver does not answer"))
    outputs.report_news()
    outputs.report_news()
    assert log.texts("error") == ["the receiver does not answer"]


def test_outputs_end_together_and_are_closed_once(
    outputs: OutputSet, writer: Remembering, merger: Remembering, log: Records
) -> None:
    outputs.close()
    outputs.close()
    assert writer.asked == merger.asked == ["end", "close"]
    assert log.texts("warning") == ["the last", "the last"]
    assert log.texts("debug")[2:] == ["Output stopped: lines", "Output stopped: sums"]


def test_those_that_were_opened_are_closed_if_another_refuses(
    writer: Remembering, log: Records
) -> None:
    outputs = OutputSet([config("lines", writer), OutputConfig("bad", refuse)], log)
    with pytest.raises(UsageError):
        outputs.open(())
    outputs.close()
    assert writer.asked == ["end", "close"]
