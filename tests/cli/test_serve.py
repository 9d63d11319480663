"""`jsrunner serve` as a user runs it."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from waiting import DEADLINE
from websockets.sync.client import connect

from jsrunner.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVE = [sys.executable, "-m", "jsrunner", "serve"]


@pytest.fixture
def plain() -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A server whose output is no terminal, and what it has printed."""
    process = subprocess.Popen(
        [*SERVE, "--port", "0", "--tls"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().rstrip("\n") for _ in range(6)]
    yield process, dict(line.split("=", 1) for line in lines)
    process.kill()
    process.communicate()


def test_it_prints_where_it_listens(plain: tuple[subprocess.Popen[str], dict[str, str]]) -> None:
    _, printed = plain
    assert list(printed) == ["WS_URL", "HTTP_URL", "WSS_URL", "HTTPS_URL", "GRPC_ADDR", "CA_FILE"]
    assert os.path.isfile(printed["CA_FILE"])
    with connect(f"{printed['WS_URL']}/echo") as connection:
        connection.send("hello")
        assert connection.recv(DEADLINE) == "hello"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_quietly(
    plain: tuple[subprocess.Popen[str], dict[str, str]], number: signal.Signals
) -> None:
    process, printed = plain
    with connect(f"{printed['WS_URL']}/push?rate=100") as connection:
        connection.recv(DEADLINE)
        process.send_signal(number)
        assert process.communicate(timeout=DEADLINE) == ("", "")
    assert process.returncode == 0
    assert not os.path.exists(printed["CA_FILE"])


def test_on_a_terminal_it_speaks_to_people() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*SERVE, "-p0"], stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"Ctrl+C" not in shown:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 0
    os.close(ours)
    lines = shown.decode().split("\r\n")
    assert lines[1].startswith("  WebSocket   ws://127.0.0.1:")
    assert lines[2].startswith("  HTTP        http://127.0.0.1:")


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", f"--port={port}"]) == 255
    output = capsys.readouterr()
    assert output.out == ""
    assert f'msg="listen tcp 127.0.0.1:{port}: bind: address already in use"' in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--port", "http"], 'invalid argument \\"http\\" for \\"-p, --port\\" flag'),
        (["--port", "65536"], "a port is a number from 0 to 65535"),
        (["--speed"], "unknown flag: --speed"),
        (["now"], 'unknown command \\"now\\" for \\"jsrunner serve\\"'),
    ],
)
def test_wrong_words(capsys: pytest.CaptureFixture[str], words: list[str], text: str) -> None:
    assert main(["serve", *words]) == 255
    assert text in capsys.readouterr().err


def test_tls_without_trustme(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    assert main(["serve", "--port", "0", "--tls"]) == 255
    assert "pip install 'jsrunner[serve]'" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    assert "--tls-port" in capsys.readouterr().out
