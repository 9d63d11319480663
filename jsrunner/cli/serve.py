"""The command `jsrunner serve`: run the bundled server until Ctrl+C."""

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
    """Parse a port."""
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return value


SERVE_FLAGS: Final = (
    Flag("host", "address to listen on", word="address", default=HOST),
    Flag("port", "port of ws and http, 0 for a free port", "p", "int", default=str(PORT), parse=_port),
    Flag("tls", "serve wss and https, too, with a certificate of its own", bare="true", parse=_BOOL),
    Flag("tls-port", "port of wss and https", word="int", default="one after --port",
         parse=_port),
    Flag("grpc-port", "port of the gRPC service", word="int", default="two after --port", parse=_port),
    Flag("help", "show this help", "h", bare="true", parse=_BOOL),
)  # fmt: skip

_USAGE: Final = """Start a WebSocket server on this machine to try scripts on.

Usage:
  jsrunner serve [flags]

Flags:
"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    return list(SERVE_FLAGS)


def serve(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
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
    except KeyboardInterrupt:  # before the server handles signals
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
            text = _terminal_text(addresses) if sys.stdout.isatty() else _variables(addresses)
            print(text, flush=True)
            await over.wait()

    asyncio.run(until_signal())


def _variables(addresses: Addresses) -> str:
    """Return the addresses as NAME=VALUE, for programs."""
    lines = [f"{name}={value}" for name, value in addresses.variables().items()]
    if addresses.ca_file:
        lines.append(f"CA_FILE={addresses.ca_file}")
    return "\n".join(lines)


def _terminal_text(addresses: Addresses) -> str:
    """Return the addresses for a person at a terminal."""
    lines = ["", f"  WebSocket   {addresses.ws}", f"  HTTP        {addresses.http}   (lists the paths)"]
    if addresses.wss:
        lines += [
            f"  over TLS    {addresses.wss}   {addresses.https}",
            "",
            "  Scripts trust its certificate with",
            f"  SSL_CERT_FILE={addresses.ca_file}",
        ]
    if addresses.grpc:
        lines += ["", f"  gRPC        {addresses.grpc}   (jsrunner.v1.Playground, with reflection)"]
    return "\n".join([*lines, "", "  Ctrl+C stops the server.", ""])
