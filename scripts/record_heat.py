"""Make jsrunner/engine/heat_records.py: how many VUs use a block of the template's memory.

python scripts/record_heat.py

It runs scripts against the bundled server, with a core that records which blocks VUs access. This takes
a minute. Run it after a change of jsrunner's JavaScript, if `tests/engine/test_heat.py` fails.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from jsrunner.core.build import build
from jsrunner.engine.heat import COLD, HOT, RECORDED, WARM
from jsrunner.errors import ExitCode
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.template import make_template
from jsrunner.worker.vus import load

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "jsrunner" / "engine" / "heat_records.py"

#: By the first recorded module: scripts that do what most scripts do. The bundled server answers them.
SCRIPTS = {
    "k6/ws": (
        "bench/scripts/binary.js", "bench/scripts/connect.js", "bench/scripts/echo.js",
        "bench/scripts/idle.js", "js_scripts/binary_protocol.js", "js_scripts/chat_rooms.js",
        "js_scripts/echo.js", "js_scripts/json_rpc.js", "js_scripts/login_token.js",
        "js_scripts/price_feed.js", "js_scripts/reconnect.js", "js_scripts/shared_users.js",
    ),
    "k6/websockets": ("bench/scripts/events.js",),
    "": (
        "bench/scripts/compute.js", "bench/scripts/http.js", "bench/scripts/noop.js",
        "bench/scripts/sleepers.js",
    ),
}  # fmt: skip
#: The least share of the scripts that use a hot block. A page that comes later takes 8 us, and a page
#: that comes for nothing 4 KB.
MOST = 0.3
#: Few rounds and seconds.
SETTINGS = {"ROUNDS": "20", "HOLD": "1", "TIMES": "5"}
#: From 5 VUs on there is a template.
LOAD = ("--vus", "6", "--iterations", "12")

HEAD = '''"""The records of `jsrunner.engine.heat`. Made by scripts/record_heat.py."""

#: By the first recorded module: the template's fingerprint, and a digit for the heat of each block.
RECORDS = {
'''
DIGITS_PER_LINE = 90


def main() -> None:
    """Record and write the file."""
    assert set(SCRIPTS) == {*RECORDED, ""}
    text = HEAD
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch, "libcore.so")
        build(library, records_heat=True)
        for first, scripts in SCRIPTS.items():
            count, fingerprint = identity_of(first)
            users = Counter(block for script in scripts for block in used_blocks(script, library))
            levels = [level(users[block] / len(scripts)) for block in range(count)]
            hot, warm = levels.count(HOT), levels.count(WARM)
            print(f"{first or 'others'}: {hot} hot and {warm} warm of {count} blocks")
            text += entry(first, fingerprint, "".join(map(str, levels)))
    RECORDS.write_text(text + "}  # fmt: skip\n")


def identity_of(first: str) -> tuple[int, int]:
    """Return the number of blocks and the fingerprint of a template, by its first recorded module."""
    source = (f"import '{first}';" if first else "") + "export default function () {}"
    script = ScriptBundle("script.js", source=source)
    process = Process(script, environment={}, secrets=SecretSources({}), send=lambda message: None)
    load(process)
    make_template(process)
    identity = process.engine.template_identity()
    process.engine.forget_modules()
    return identity


def used_blocks(script: str, library: Path) -> set[int]:
    """Run a script with the recording core; return the numbers of the blocks that its VUs have used."""
    settings = [word for name, value in SETTINGS.items() for word in ("-e", f"{name}={value}")]
    options = ["--quiet", "--with-server", *LOAD, *settings]
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(
            [sys.executable, "-m", "jsrunner", "run", *options, script],
            cwd=ROOT, env={**os.environ, "JSRUNNER_CORE": str(library), "JSRUNNER_HEAT": file.name},
            stdout=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode not in (ExitCode.SUCCESS, ExitCode.THRESHOLDS_FAILED):  # this core is slow
            sys.exit(f"{script} has failed")
        data = file.read()
    return set(struct.unpack(f"<{len(data) // 4}I", data))


def level(share: float) -> int:
    """Return the heat of a block that this share of the scripts uses."""
    return HOT if share >= MOST else WARM if share else COLD


def entry(first: str, fingerprint: int, digits: str) -> str:
    """Return the lines of a record."""
    rows = [digits[at : at + DIGITS_PER_LINE] for at in range(0, len(digits), DIGITS_PER_LINE)]
    lines = [f'    "{first}": ({fingerprint}, (', *(f'        "{row}"' for row in rows), "    )),", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
