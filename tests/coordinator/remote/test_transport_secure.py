"""A cluster with TLS, made by the commands of the guide."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode
from tests.running import ROOT
from tests.waiting import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

GUIDE = ROOT / "docs" / "guides" / "many-machines.md"
SCRIPT = "export const options = { vus: 2, iterations: 10 }; export default () => console.log('x');"


class Guide:
    """The commands of the guide's chapter on TLS, which run in a folder as a user pastes them.

    Only the address and the port are the test's own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        chapter = GUIDE.read_text().split("## Start a cluster with TLS")[1].split("\n## ")[0]
        blocks = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
        self.keys, self.settings, self.scheduler, self.worker, self.run = (
            re.sub(r"(?m)^ +(?=\S)", "", block) for block in blocks
        )
        self.processes: list[subprocess.Popen[bytes]] = []

    def shell(self, *commands: str) -> subprocess.Popen[bytes]:
        """Start commands in a shell of the folder."""
        bin_folder = Path(sys.executable).parent
        process = subprocess.Popen(
            ["bash", "-ec", "\n".join(commands)],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{bin_folder}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "DASK_LOGGING__DISTRIBUTED": "error",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.processes.append(process)
        return process

    def start(self) -> str:
        """Start the scheduler and a worker; return the scheduler's host and port."""
        self.shell(self.keys).wait(DEADLINE)
        log = self.folder / "scheduler.log"
        scheduler = self.scheduler.strip().replace("8786", "0 --host 127.0.0.1")
        self.shell("export DASK_LOGGING__DISTRIBUTED=info", self.settings, f"exec {scheduler} &> {log}")
        matched = until(lambda: log.exists() and re.search(r"tls://(\S+:\d+)", log.read_text()))
        self.shell(self.settings, f"exec {self._at(self.worker, matched[1])} --host 127.0.0.1")
        until(lambda: "Register worker" in log.read_text(), "the worker")
        return str(matched[1])

    @staticmethod
    def _at(command: str, place: str) -> str:
        assert "192.0.2.1:8786" in command
        return command.strip().replace("192.0.2.1:8786", place)

    def finish(self, place: str, *before: str) -> tuple[int, str]:
        """Run the command of the last step, after others; return its exit code and what it prints."""
        process = self.shell(self.settings, *before, self._at(self.run, place))
        out, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, out.decode()

    def close(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def guide(tmp_path: Path) -> Iterator[Guide]:
    (tmp_path / "script.js").write_text(SCRIPT)
    made = Guide(tmp_path)
    yield made
    made.close()


def test_the_commands_of_the_guide(guide: Guide) -> None:
    place = guide.start()
    code, out = guide.finish(place)
    assert code == 0, out
    assert out.count("msg=x") == 10
    assert "execution: " in out
    assert " on 1 machine (Dask)" in out


def test_a_stranger_is_kept_out(guide: Guide, tmp_path: Path) -> None:
    """Certificates of another authority do not do."""
    place = guide.start()
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(tmp_path / "script.js", other)
    code, out = guide.finish(place, "cd other", guide.keys, guide.settings)
    assert code == ExitCode.GENERIC
    assert f"could not connect to the Dask scheduler tls://{place} of --dask" in out


def test_missing_certificates(run: Callable[..., object], guide: Guide) -> None:
    code, out = guide.finish("127.0.0.1:8786")
    assert code == ExitCode.GENERIC
    assert "--dask tls://127.0.0.1:8786 needs certificates" in out
    assert "ca.pem is no file" in out
