from __future__ import annotations

import subprocess
import sys

from waiting import DEADLINE


def test_ctrl_c_while_modules_are_imported() -> None:
    code = (
        "import os, signal, sys\n"
        "def interrupt(event, arguments):\n"
        "    if event == 'import' and arguments[0] == 'jsrunner.coordinator.run':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.addaudithook(interrupt)\n"
        "sys.argv = ['jsrunner', 'run', 'script.js']\n"
        "from jsrunner.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (105, "", "")
