"""Scripts that run their init code in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.messages.protocol import Log
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Project:
    """A folder with a script, and what its init code logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[object] = []
        self.process: Process | None = None

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def init(self, files: dict[str, str] | str, main: str = "main.js") -> list[str]:
        """Write the files (or the main script's text), run the init code; what it has logged."""
        self.write({main: files} if isinstance(files, str) else files)
        self.process = Process(
            ScriptBundle(str(self.folder / main)),
            environment={},
            secrets=SecretSources({}),
            send=self.said.append,
        )
        new_vu(self.process, 0)
        return self.logged()

    def again(self, number: int = 1) -> list[str]:
        """Run the init code of another VU; what it has logged."""
        assert self.process is not None
        self.process.script.sealed = True
        self.said.clear()
        new_vu(self.process, number)
        return self.logged()

    def logged(self, level: str = "info") -> list[str]:
        return [one.text for one in self.said if isinstance(one, Log) and one.level == level]

    def url(self, name: str) -> str:
        return (self.folder / name).as_uri()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("JSRUNNER_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


@pytest.fixture
def init(project: Project) -> Callable[..., list[str]]:
    return project.init
