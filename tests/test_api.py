"""The library, with real runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"vus": "many"}, 'the option vus is "many": '),
        ({"vus": [1]}, "the option vus is [1]: "),
        ({"duration": {}}, "the option duration is {}: "),
        ({"thresholds": 5}, "the option thresholds is 5: "),
        ({"tags": {"a": 1}}, 'the option tags is {"a": 1}: '),
        ({"stages": 5}, "the option stages is 5: "),
        ({"scenarios": {"a": {"executor": "constant-vus", "vus": "x"}}}, 'the field vus of scenario a is "x": '),
        ({"scenarios": {"a": {"executor": "nope"}}}, "unknown executor type 'nope'"),
        ({"vus": object()}, "the option vus is nothing that JSON can say: "),
        ([("vus", 1)], "options must be a mapping, not list"),
    ],
)  # fmt: skip
def test_wrong_options_are_named(script: Path, options: Any, text: str) -> None:
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(script, options=options)
    assert str(caught.value).startswith(text)
    assert caught.value.exit_code == jsrunner.ExitCode.INVALID_CONFIG


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"workers": 0}, "invalid number of workers 0, there must be at least 1"),
        ({"workers": "two"}, "invalid number of workers two, there must be at least 1"),
        ({"env": {"A": 1}}, "env: 'A' is 1, names and values must be strings"),
        ({"env": 5}, "env must be a mapping, not int"),
        (
            {"outputs": "json=x"},
            "outputs must be a list of texts such as 'json=out.json', not 'json=x'",
        ),
        ({"outputs": 5}, "outputs must be a list of texts such as 'json=out.json', not 5"),
        ({"outputs": [5]}, "outputs must be a list of texts such as 'json=out.json', not [5]"),
    ],
)
def test_wrong_arguments_are_named(script: Path, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(script, **arguments)
    assert str(caught.value) == text


def test_options_that_there_are_none_of_are_warned_of(
    script: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"vuss": 1, "iterations": 4, "blacklistIPs": ("10.0.0.0/8",)}
    assert jsrunner.run(script, options=options, env={"WANTED": "yes"}).passed
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(
        'level=warning msg="There were unknown fields in the options given to jsrunner.run()" '
        r'error="json: unknown field \"vuss\""'
    )


def test_no_more_workers_than_make_sense(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert jsrunner.run(script, options={"iterations": 4}, env={"WANTED": "yes"}, workers=5000).passed
    assert "5000 worker processes are too many for this machine" in capfd.readouterr().err
