"""`jsrunner serve`: the bundled server, until Ctrl+C."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import ExitCode, JsrunnerError, UsageError
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, FlagSet
from jsrunner.ui.log import Logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.server.server import Addresses

_BOOL: Final = kinds.Bool().from_text

HOST: Final = "127.0.0.1"
PORT: Final = 8765


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return value


SERVE_FLAGS: Final = (
    Flag("host", f"address to listen on ({HOST})", word="address"),
    Flag("port", f"port of ws and http, 0 for any free one ({PORT})", "p", "int", parse=_port),
    Flag("tls", "wss and https too, with a certificate made for the occasion", bare="true",
         parse=_BOOL),
    Flag("tls-port", "port of wss and https (the one after --port)", word="int", parse=_port),
    Flag("grpc-port", "port of the gRPC service (two after --port)", word="int", parse=_port),
    Flag("help", "help", "h", bare="true", parse=_BOOL),
)  # fmt: skip

_USAGE: Final = """A WebSocket server on this machine to try scripts on.

Usage:
  jsrunner serve [flags]

Flags:
"""


def flags() -> list[Flag]:
    return list(SERVE_FLAGS)


def serve(words: Sequence[str]) -> int:
    """The command; returns the exit code."""
    flag_set = FlagSet(flags())
    try:
        values, arguments = flag_set.parse(words)
        if arguments:
            raise UsageError(f'unknown command "{arguments[0]}" for "jsrunner serve"')
        if values.get("help"):
            print(_USAGE + flag_set.help())
            return ExitCode.SUCCESS
        _serve(values)
    except JsrunnerError as error:
        from jsrunner.cli.inputs import report

        return report(Logger(), error)
    except KeyboardInterrupt:  # before the server has listened
        pass
    return ExitCode.SUCCESS


def _serve(values: dict[str, Any]) -> None:
    import asyncio
    import signal

    from jsrunner.server.server import running

    port = values.get("port", PORT)
    following = port + 1 if 0 < port < 65534 else 0

    async def until_signal() -> None:
        over = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        async with running(
            values.get("host", HOST),
            port,
            tls=values.get("tls", False),
            tls_port=values.get("tls-port", following),
            grpc_port=values.get("grpc-port", following and following + 1),
        ) as addresses:
            print(_for_people(addresses) if sys.stdout.isatty() else _plain(addresses), flush=True)
            await over.wait()

    asyncio.run(until_signal())


def _plain(addresses: Addresses) -> str:
    lines = [f"{name}={value}" for name, value in addresses.variables().items()]
    if addresses.ca_file:
        lines.append(f"CA_FILE={addresses.ca_file}")
    return "\n".join(lines)


def _for_people(addresses: Addresses) -> str:
    lines = ["", f"  WebSocket   {addresses.ws}", f"  HTTP        {addresses.http}   (lists the paths)"]
    if addresses.wss:
        lines += [
            f"  over TLS    {addresses.wss}   {addresses.https}",
            "",
            "  Scripts trust it with",
            f"  SSL_CERT_FILE={addresses.ca_file}",
        ]
    if addresses.grpc:
        lines += ["", f"  gRPC        {addresses.grpc}   (jsrunner.v1.Playground, with reflection)"]
    return "\n".join([*lines, "", "  Ctrl+C ends it.", ""])
