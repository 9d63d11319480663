"""The library, with real runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import jsrunner

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';
const seen = new Counter('seen');
export const options = { thresholds: { seen: ['count>=4'], checks: ['rate>0.9'] } };
export default function () {
  seen.add(1);
  group('inner', () => check(__ENV.WANTED, { 'is yes': (value) => value === 'yes' }));
}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.js"
    path.write_text(SCRIPT)
    return path


def test_a_run_that_passes(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = jsrunner.run(script, options={"vus": 2, "iterations": 4}, env={"WANTED": "yes"})
    assert result.exit_code == jsrunner.ExitCode.SUCCESS
    assert result.passed
    assert result.metrics["seen"]["count"] == 4
    assert result.metrics["iterations"]["count"] == 4
    assert result.checks == {"::inner::is yes": (4, 0)}
    assert result.failed_thresholds == {}
    assert capfd.readouterr() == ("", "")


def test_a_run_that_crosses_thresholds(script: Path) -> None:
    result = jsrunner.run(script, options={"iterations": 1}, env={"WANTED": "no"})
    assert result.exit_code == jsrunner.ExitCode.THRESHOLDS_FAILED
    assert not result.passed
    assert result.failed_thresholds == {"seen": ["count>=4"], "checks": ["rate>0.9"]}
    assert result.checks == {"::inner::is yes": (0, 1)}


def test_what_cannot_be_run_is_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "broken.js"
    path.write_text("export default function ( {}\n")
    with pytest.raises(jsrunner.JsrunnerError, match=r"broken\.js: Line 2:\d+"):
        jsrunner.run(path)
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(path, options={"vus": "many"})
    assert caught.value.exit_code == jsrunner.ExitCode.INVALID_CONFIG


def test_samples_go_to_outputs(script: Path, tmp_path: Path) -> None:
    target = tmp_path / "samples.json"
    jsrunner.run(script, env={"WANTED": "yes"}, outputs=[f"json={target}"])
    assert '"metric":"seen"' in target.read_text()
