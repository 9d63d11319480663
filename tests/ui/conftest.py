"""`jsrunner run` on a terminal: a pty, and pyte to say what a user would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING

import pyte
import pytest
from servers import read_request
from waiting import DEADLINE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from servers import Server


class Terminal:
    """A process on a terminal of its own, as its session's leader."""

    def __init__(
        self, command: list[str], environment: dict[str, str], columns: int, rows: int
    ) -> None:
        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for(self, seen: Callable[[str], bool]) -> None:
        """Until the text on the screen, history included, is as wanted."""
        limit = time.monotonic() + DEADLINE
        while not seen(self.text()):
            assert time.monotonic() < limit, self.text()
            assert self._read(), self.text()

    def finish(self) -> int:
        """Let it run to its end; the exit code."""
        while self._read():
            pass
        return self.process.wait(DEADLINE)

    def _read(self) -> bool:
        if not select.select([self._master], [], [], DEADLINE)[0]:
            pytest.fail(f"no output for {DEADLINE} s: {self.text()}")
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: nobody has the other end open any more
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def lines(self) -> list[str]:
        """All that has been written, as it stands now; above the screen too."""
        before = [
            "".join(row[column].data for column in range(self._screen.columns))
            for row in self._screen.history.top
        ]
        return [line.rstrip() for line in [*before, *self._screen.display]]

    def text(self) -> str:
        return "\n".join(self.lines())

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
        os.close(self._master)


class Gate:
    """A server that answers when the test opens the gate: a script that asks the server waits until then."""

    def __init__(self, serve: Callable[..., Server]) -> None:
        self._is_open = threading.Event()
        self.url = f"http://127.0.0.1:{serve(self._answer).port}/"

    def _answer(self, connection: socket.socket) -> None:
        read_request(connection)
        assert self._is_open.wait(DEADLINE)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def open(self) -> None:
        self._is_open.set()


@pytest.fixture
def gate(serve: Callable[..., Server]) -> Iterator[Gate]:
    made = Gate(serve)
    yield made
    made.open()


@pytest.fixture
def run_on_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """`run(script, *flags, columns=..., rows=..., **environment)` -> Terminal."""
    started: list[Terminal] = []

    def run(
        script: str, *flags: str, columns: int = 100, rows: int = 50, **environment: str
    ) -> Terminal:
        path = tmp_path / "script.js"
        path.write_text(script)
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        command = [sys.executable, "-m", "jsrunner", "run", *flags, str(path)]
        terminal = Terminal(command, {"TERM": "xterm", **clean, **environment}, columns, rows)
        started.append(terminal)
        return terminal

    yield run
    for terminal in started:
        terminal.close()


@pytest.fixture
def run_on_pipe(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run(script, *flags)` -> the finished process, with its stdout and stderr."""

    def run(script: str, *flags: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "script.js"
        path.write_text(script)
        command = [sys.executable, "-m", "jsrunner", "run", *flags, str(path)]
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=DEADLINE, check=False
        )

    return run
