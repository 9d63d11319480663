"""What is installed: the wheel is built as for a release, without a network."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_every_file_of_the_package_is_installed(wheel: zipfile.ZipFile) -> None:
    """Each JavaScript half, and what says that the types are there."""
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "jsrunner").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    installed = {name for name in wheel.namelist() if name.startswith("jsrunner/")}
    assert installed == files
    assert {"jsrunner/py.typed", "jsrunner/modules/k6/ws.js", "jsrunner/engine/host.js"} <= installed


def test_nothing_else_is_installed(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"jsrunner"}


def test_the_command_and_the_license(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "jsrunner = jsrunner.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "Requires-Python: >=3.10" in metadata
