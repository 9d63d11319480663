"""Worker processes: whose children they are, and what becomes of them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from waiting import DEADLINE

ROOT = Path(__file__).parent.parent.parent


def test_other_children_of_the_process_are_left_alone(tmp_path: Path) -> None:
    """A program that runs a test has processes of its own, and waits for them itself."""
    script = tmp_path / "script.js"
    script.write_text("export default function () {}")
    program = textwrap.dedent(
        f"""
        import ctypes, os, subprocess, sys
        from jsrunner.cli.main import main
        quick = subprocess.Popen(["sh", "-c", "exit 7"])
        os.waitid(os.P_PID, quick.pid, os.WEXITED | os.WNOWAIT)
        slow = subprocess.Popen(["sleep", "3600"])
        code = main(["run", "--quiet", {str(script)!r}])
        reaper = ctypes.c_int()
        ctypes.CDLL(None).prctl(37, ctypes.byref(reaper), 0, 0, 0)
        print("outcome", int(code), quick.wait(), slow.poll(), reaper.value)
        slow.kill()
        slow.wait()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "outcome 0 7 None 0" in done.stdout


def test_signal_handlers_come_back(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text("export default function () {}")
    program = textwrap.dedent(
        f"""
        import signal
        from jsrunner.cli.main import main
        def mine(*_): pass
        signal.signal(signal.SIGTERM, mine)
        main(["run", "--quiet", {str(script)!r}])
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.set_wakeup_fd(-1) == -1
        """
    )
    subprocess.run(
        [sys.executable, "-c", program], timeout=DEADLINE, check=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
