"""The server of `jsrunner run --with-server`, started by `process.ServerProcess`.

It listens on free ports, with TLS if trustme is there, and serves until its standard input ends: with
the run, however that ends. Its first line is JSON: what is to be in __ENV, and in the environment of
the run so that its certificate is trusted.
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
    try:
        asyncio.run(_serve())
    except JsrunnerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
