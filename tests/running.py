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
from typing import Any

from waiting import DEADLINE, until

ROOT = Path(__file__).parent.parent

#: The prefix of a command whose files' permissions count, also for root.
UNPRIVILEGED = () if os.getuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


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
        return [one for one in session_processes(self.id) if one != self.id]

    def workers(self, count: int) -> list[int]:
        """The ids of `count` worker processes, the oldest first."""
        ids: list[int] = until(lambda: ids if len(ids := self.others()) == count else None, "workers")
        return ids

    def end(self) -> Process:
        """Wait for the end; nothing may be left of the run then."""
        out, _ = self.process.communicate(timeout=DEADLINE)
        self.stdout = (out or b"").decode()
        self.code = self.process.returncode
        until(lambda: not session_processes(self.id), "the end of all processes of the run")
        assert "Traceback" not in self.stderr, self.stderr
        return self

    def destroy(self) -> None:
        kill_session(self.id)
        self.process.wait()


def session_processes(leader: int) -> list[int]:
    """Return the ids of a session's processes, the oldest first.

    Ids do not tell the age of processes: they start again at 1 when the largest has been used.
    """
    processes = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                abandoned = fields[0] == "Z" and fields[1] == "1"  # init's to reap, in its own time
                if int(fields[3]) == leader and not abandoned:
                    started = int(fields[19])  # in clock ticks
                    processes.append((started, int(path.name)))
    return [process for _, process in sorted(processes)]


def kill_session(leader: int) -> None:
    """Kill the processes of a session that are left."""
    for process in session_processes(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def memory(process: int) -> int:
    """Bytes that a process holds in memory."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
