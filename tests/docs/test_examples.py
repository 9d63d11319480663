"""Every example of the README and of docs/ runs, in the order of its page, in a folder of the page's own.

The convention for fenced blocks:

- ```` ```js title="echo.js" ```` (of any language): a file of that name, for the blocks below it.
- ```` ```diff title="FILE" ````: a change of the file; lines with `+` come, lines with `-` go.
- ```` ```js ````: a whole script; it runs once against the bundled server and must pass without a warning.
- ```` ```python ````: a whole program; it must end with exit code 0.
- ```` ```sh ````: commands; each must succeed, in bash with `-e`.
- ```` ```text title="Output" ````: lines that the block above must print, in this order; `…` stands for any text.
- `<!-- not run: REASON -->` in the line above a block: the block is only shown.

Blocks of other languages are only shown. Pages of docs/contributing run in a copy of the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)(?P<more>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*\Z")


class Block(NamedTuple):
    language: str
    #: Name of the file, or "Output".
    title: str
    text: str
    line: int
    runs: bool


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    blocks = []
    for match in _FENCE.finditer(page):
        before = page[: match.start()]
        title = _TITLE.search(match["more"])
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        blocks.append(
            Block(
                language=match["language"],
                title=title[1] if title else "",
                text=text,
                line=before.count("\n") + 1,
                runs=not _NOT_RUN.search(before),
            )
        )
    return blocks


def is_run(block: Block) -> bool:
    """Return whether a block is a script, a program or commands to run."""
    return block.runs and not block.title and block.language in ("js", "python", "sh")


def command_of(block: Block, folder: Path) -> list[str]:
    """Return the command that runs a block."""
    if block.language == "sh":
        return ["bash", "-eu", "-o", "pipefail", "-c", block.text]
    if block.language == "python":
        return [sys.executable, "-c", block.text]
    script = folder / f"line-{block.line}.js"
    script.write_text(block.text)
    return [sys.executable, "-m", "jsrunner", "run", "-q", "--with-server", "--once", str(script)]


def run(block: Block, folder: Path, place: str) -> str:
    """Run a block and return what it has printed."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(folder) if (folder / "jsrunner").is_dir() else "",
        "COLUMNS": "100",
    }
    done = subprocess.run(
        command_of(block, folder),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, f"{place}: exit code {done.returncode}\n{done.stdout}"
    if block.language == "js":
        assert not re.search(r"^(WARN|ERRO)|✗", done.stdout, re.MULTILINE), f"{place}\n{done.stdout}"
    return done.stdout


def assert_prints(expected: Block, output: str, place: str) -> None:
    """Assert that the output has the lines of the block, in order."""
    rest = iter(line.rstrip() for line in output.splitlines())
    for line in filter(None, map(str.strip, expected.text.splitlines())):
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        assert any(pattern.fullmatch(printed.strip()) for printed in rest), f"{place}: {line}\n{output}"


def pages_with_examples() -> list[str]:
    """Return the pages that have something to run."""
    texts = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
    return [page for page, text in texts.items() if any(map(is_run, blocks_of(text)))]


def change(path: Path, diff: str, place: str) -> None:
    """Change a file as a diff says."""
    lines = [line or " " for line in diff.splitlines()]
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{place}: {path.name} has these lines {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")


def copy_repository(folder: Path) -> None:
    """Copy what a change needs: the package with its compiled core, tests, documents, settings."""
    without = shutil.ignore_patterns("__pycache__", "cases", "*.egg-info")
    for name in ("docs", "js_scripts", "jsrunner", "scripts", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / ".venv").symlink_to(sys.prefix)


@pytest.mark.parametrize("page", pages_with_examples())
def test_examples_run(page: str, tmp_path: Path) -> None:
    output = ""
    if page.startswith("docs/contributing/"):
        copy_repository(tmp_path)
    for block in blocks_of((ROOT / page).read_text(encoding="utf-8")):
        place = f"{page}:{block.line}"
        if block.title == "Output":
            assert_prints(block, output, place)
        elif block.language == "diff":
            change(tmp_path / block.title, block.text, place)
        elif block.title:
            path = tmp_path / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif is_run(block):
            output = run(block, tmp_path, place)
