"""The cold part of a copy: its pages come when they are accessed."""

from __future__ import annotations

import signal
import subprocess
import sys

FAULT = """
import ctypes, resource
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.template import make_template
from jsrunner.worker.vus import load, new_vu

script = ScriptBundle("script.js", source="export default function () {}")
process = Process(script, environment={}, secrets=SecretSources({}), send=lambda message: None)
load(process)
make_template(process)
vu = new_vu(process, 1)
print(process.engine.library.core_vu_memory(vu.interpreter.index) > 0, flush=True)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
ctypes.string_at(8)
"""


def test_other_faults_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n"
    # What is done at a fault otherwise: AddressSanitizer aborts.
    assert done.returncode in (-signal.SIGSEGV, -signal.SIGABRT)
