"""The server process of `jsrunner run --with-server`, which `process.ServerProcess` starts.

The server listens on free ports, with TLS if the package trustme is installed. It ends when its
standard input ends, so that it never outlives the run. Its first line of output is JSON: the variables
for the script's __ENV, and the variables by which the run trusts its certificate.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from jsrunner.errors import JsrunnerError
from jsrunner.server import certificate
from jsrunner.server.server import running


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_reader(sys.stdin.fileno(), over.set)
    async with running("127.0.0.1", 0, tls=certificate.available()) as addresses:
        trust = certificate.trusting(Path(addresses.ca_file), os.environ) if addresses.ca_file else {}
        print(json.dumps([addresses.variables(), trust]), flush=True)
        await over.wait()


def main() -> int:
    """Run the server; return the exit code."""
    try:
        asyncio.run(_serve())
    except JsrunnerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
