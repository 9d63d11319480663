from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from waiting import DEADLINE

from jsrunner.errors import JsrunnerError
from jsrunner.server.process import ServerProcess

if TYPE_CHECKING:
    from pathlib import Path


def listens(url: str) -> bool:
    parts = urlsplit(url if "//" in url else f"//{url}")
    try:
        socket.create_connection((parts.hostname, parts.port), DEADLINE).close()
    except ConnectionRefusedError:
        return False
    return True


def test_it_listens_until_it_is_stopped() -> None:
    with ServerProcess() as server:
        assert list(server.variables) == ["WS_URL", "HTTP_URL", "WSS_URL", "HTTPS_URL", "GRPC_ADDR"]
        assert os.path.isfile(server.trust["SSL_CERT_FILE"])
        assert all(map(listens, server.variables.values()))
    assert not any(map(listens, server.variables.values()))
    assert not os.path.exists(server.trust["SSL_CERT_FILE"])
    server.stop()  # once more does no harm


#: In place of the server: writes what ends it.
PRETENDER = """#!{python}
import json, os, select, signal
def end(*_):
    is_closed = bool(select.select([0], [], [], 0)[0])
    with open("ended", "w") as file:
        file.write("signal and end of input" if is_closed else "signal")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print(json.dumps([{{}}, {{}}]), flush=True)
while True:
    signal.pause()
"""


def test_one_event_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while asyncio closes the event loop causes a message on stderr."""
    program = tmp_path / "python"
    program.write_text(PRETENDER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(program))
    with ServerProcess():
        pass
    assert (tmp_path / "ended").read_text() == "signal"


def test_its_end_can_be_seen() -> None:
    with ServerProcess() as server:
        assert select.select([server], [], [], 0)[0] == []
        os.kill(server.process_id, signal.SIGKILL)
        assert select.select([server], [], [], DEADLINE)[0] == [server]
        error = server.failure()
        assert str(error) == "the bundled server has ended (signal 9); the run is not complete"
        assert error.exit_code == 255


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "import json, os\n"
        "from jsrunner.server.process import ServerProcess\n"
        "server = ServerProcess()\n"
        "print(json.dumps(server.variables), server.process_id, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == -9
    assert ended(int(done.stdout.split()[-1]))


def ended(process_id: int) -> bool:
    """Return True if a process that is no child of the test ends in time."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], DEADLINE)[0])
    finally:
        os.close(descriptor)


def test_it_says_why_it_does_not_come_up(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(JsrunnerError, match=r"the bundled server has ended \(exit code 1\)"):
        ServerProcess()
    assert "No module named" in capfd.readouterr().err
