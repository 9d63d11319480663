"""The workflow in examples/: the guide shows it, and its commands do what they are there for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from jsrunner.server.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / "examples" / "github-actions.yml").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guides" / "ci.md").read_text(encoding="utf-8")
#: How a command of the workflow begins, and the module that stands for it here.
PROGRAMS = {
    'uvx --with "$JSRUNNER" pytest': "pytest",
    'uvx --from "$JSRUNNER" jsrunner': "jsrunner",
}


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The workflow's variables, of a server that is there."""
    with ServerProcess() as server:
        yield {**os.environ, "WS_URL": server.variables["WS_URL"]}


def test_the_guide_shows_the_workflow() -> None:
    assert f"```yaml\n{WORKFLOW}```" in GUIDE


def test_the_commands_of_the_workflow(tmp_path: Path, environment: dict[str, str]) -> None:
    (script,) = re.findall(r'^```js title="ci.js"\n(.*?)^```', GUIDE, re.S | re.M)
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "ci.js").write_text(script)
    commands = re.findall(r"^      - run: (.*)$", WORKFLOW, re.M)
    assert len(commands) == 2
    for command in commands:
        (begin,) = [one for one in PROGRAMS if command.startswith(f"{one} ")]
        here = command.replace(begin, f"{sys.executable} -m {PROGRAMS[begin]}")
        done = subprocess.run(
            ["bash", "-e", "-c", here], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    report = ElementTree.parse(tmp_path / "report.xml")
    assert [case.attrib["classname"] for case in report.iter("testcase")] == ["load.ci.js"]
    assert (tmp_path / "summary.json").exists()
