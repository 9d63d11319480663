"""Runs of the command in real processes, watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds after which whatever is waited for has failed.
DEADLINE = 20.0
ROOT = Path(__file__).parent.parent

#: The prefix of a command whose files' permissions count, also for root.
UNPRIVILEGED = () if os.getuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def until(condition: Callable[[], Any], what: str = "the condition") -> Any:
    """Wait until a condition is true, and return its value."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
    return found


class Process:
    """`jsrunner run` in a session of its own, so that what it leaves behind can be found."""

    def __init__(
        self,
        folder: Path,
        script: str | Path | None,
        flags: tuple[str, ...],
        env: dict[str, str],
        prefix: tuple[str, ...],
        stdout: Any,
    ) -> None:
        self._stderr = folder / f"stderr-{time.monotonic_ns()}"
        arguments = [*flags]
        if isinstance(script, str):
            path = folder / "script.js"
            path.write_text(script)
            arguments.append(str(path))
        elif script is not None:
            arguments.append(str(script))
        with self._stderr.open("wb") as errors:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format", "json",
                 *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        self.id = self.process.pid
        self.code: int | None = None
        self.stdout = ""

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    def records(self) -> list[dict[str, Any]]:
        """The log so far."""
        found = []
        for line in self.stderr.splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def messages(self, level: str | None = None) -> list[str]:
        return [one["msg"] for one in self.records() if level in (None, one["level"])]

    def said(self, text: str) -> bool:
        return any(text in one for one in self.messages())

    def wait_for(self, text: str) -> None:
        """Until the log has a line with this text."""
        until(lambda: self.said(text) or self.process.poll() is not None, repr(text))
        assert self.said(text), self.stderr

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def others(self) -> list[int]:
        """Processes of the run besides the first, zombies too."""
        return [one for one in _session(self.id) if one != self.id]

    def workers(self, count: int) -> list[int]:
        """The ids of `count` worker processes, the oldest first."""
        return sorted(until(lambda: found if len(found := self.others()) == count else None, "workers"))

    def end(self) -> Process:
        """Wait for the end; nothing may be left of the run then."""
        out, _ = self.process.communicate(timeout=DEADLINE)
        self.stdout = (out or b"").decode()
        self.code = self.process.returncode
        until(lambda: not _session(self.id), "the end of all processes of the run")
        assert "Traceback" not in self.stderr, self.stderr
        return self

    def destroy(self) -> None:
        for one in _session(self.id):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()


def _session(leader: int) -> list[int]:
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                abandoned = fields[0] == "Z" and fields[1] == "1"  # init's to reap, in its own time
                if int(fields[3]) == leader and not abandoned:
                    found.append(int(path.name))
    return found


def memory(process: int) -> int:
    """Bytes that a process holds in memory."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
