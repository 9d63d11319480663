"""The summary: handed to handleSummary, printed, written to files. The test plays the worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.coordinator.collector import Collector
from jsrunner.coordinator.decide import Decision
from jsrunner.coordinator.outputs import OutputSet
from jsrunner.coordinator.report import Report
from jsrunner.coordinator.settings import RunSettings
from jsrunner.messages.protocol import StageDone, StageName
from jsrunner.metrics.registry import Registry
from jsrunner.metrics.thresholds import ThresholdSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Records

    from jsrunner.messages.plan import Test

    Publish = Callable[..., dict[str, Any]]


class Staged:
    """Stands for the stages of a run; handleSummary ends as `done` says."""

    def __init__(self, done: StageDone | None) -> None:
        self.done = done
        self.calls: list[tuple[StageName, Any, float, bool]] = []

    def run(
        self, stage: StageName, argument: bytes, timeout: float, *, wanted: bool
    ) -> StageDone | None:
        self.calls.append((stage, json.loads(argument), timeout, wanted))
        return self.done


class Written:
    """Stands for the script."""

    text = "// the script"


@pytest.fixture
def publish(
    make_test: Callable[..., Test], log: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Publish:
    """`publish(stages, exports=..., options={...}, **settings)`: what handleSummary was given."""
    monkeypatch.chdir(tmp_path)

    def publish(
        stages: Any,
        *,
        exports: tuple[str, ...] = ("default", "handleSummary"),
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        test = make_test(exports, **(options or {}))
        decision = Decision(test, ThresholdSet(), Registry())
        collector = Collector(decision, OutputSet((), log), log)
        collector.record_vus(1, 2)
        script: Any = Written()
        report = Report(RunSettings(**settings), log, script, test, stages)
        return report.publish(collector, 2.0, b'{"a":1}')

    return publish


def done(results: dict[str, Any] | None, changed: Any = None) -> StageDone:
    return StageDone(None, json.dumps([results, changed]).encode())


def test_without_handle_summary_the_text_is_printed(
    publish: Publish, capfd: pytest.CaptureFixture[str]
) -> None:
    stages = Staged(StageDone(None, None))
    data = publish(stages, exports=("default",))
    [(stage, argument, timeout, wanted)] = stages.calls
    assert (stage, timeout, wanted) == (StageName.HANDLE_SUMMARY, 120.0, False)
    assert argument == json.loads(json.dumps(data))
    assert data["setup_data"] == {"a": 1}
    assert "vus_max" in capfd.readouterr().out


def test_a_silent_run_prints_nothing(publish: Publish, capfd: pytest.CaptureFixture[str]) -> None:
    publish(Staged(StageDone(None, None)), exports=("default",), silent=True)
    assert capfd.readouterr().out == ""


def test_what_handle_summary_returns_is_written(
    publish: Publish, capfd: pytest.CaptureFixture[str], log: Records
) -> None:
    results = {"stdout": "out", "stderr": "err", "a.txt": "ü", "b.bin": ["AP8="], "no/c": "x"}
    stages = Staged(done(results, {}))
    publish(stages, options={"handle_summary_timeout": 7.0})
    assert stages.calls[0][2:] == (7.0, True)
    assert capfd.readouterr() == ("out", "err")
    assert Path("a.txt").read_text(encoding="utf-8") == "ü"
    assert Path("b.bin").read_bytes() == b"\0\xff"
    [(_, text, fields)] = log.records
    assert text == "failed to handle the end-of-test summary"
    assert "could not open 'no/c'" in fields["error"]


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (StageDone(None, None, timed_out=True), "timed out after 120 seconds"),
        (done({"$error": "wrong type"}), "wrong type"),
    ],
)
def test_without_a_result_there_is_no_summary(
    publish: Publish, capfd: pytest.CaptureFixture[str], log: Records, result: Any, error: str
) -> None:
    publish(Staged(result), summary_export="s.json")
    assert capfd.readouterr().out == ""
    assert error in log.records[0][2]["error"]
    assert not Path("s.json").exists()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (StageDone("thrown", None), "thrown"),
        (StageDone("aborted", None, aborted=True), "aborted"),
        (None, None),
    ],
)
def test_a_failure_leaves_the_usual_summary(
    publish: Publish, capfd: pytest.CaptureFixture[str], log: Records, result: Any, text: str | None
) -> None:
    publish(Staged(result), summary_export="s.json")
    assert "vus_max" in capfd.readouterr().out
    assert log.texts("error") == ([] if text is None else [text])
    assert "vus" in json.loads(Path("s.json").read_text())["metrics"]


def test_the_export_is_what_the_script_has_made_of_it(publish: Publish, log: Records) -> None:
    root = {"name": "", "path": "", "id": "1", "groups": [], "checks": []}
    publish(Staged(done({}, {"metrics": {}, "root_group": root})), summary_export="s.json")
    assert json.loads(Path("s.json").read_text())["metrics"] == {}
    publish(Staged(done({}, {"metrics": 7})), summary_export="t.json")
    assert not Path("t.json").exists()
    assert "has changed the form of its argument" in log.texts("error")[0]
