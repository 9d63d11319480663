"""The command `jsrunner new`: write a script to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jsrunner.cli.inputs import command
from jsrunner.errors import ExitCode, JsrunnerError, UsageError
from jsrunner.options import kinds
from jsrunner.options.flags import Flag, flags_of
from jsrunner.options.runtime import Globals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.cli.inputs import Invocation

USAGE: Final = """Write a new script: WebSocket sessions that send, receive and check.

Usage:
  jsrunner new [flags] [script.js]"""

DEFAULT: Final = "script.js"

TEMPLATE: Final = """\
import ws from 'k6/ws';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

// `jsrunner run --with-server SCRIPT` starts a server of its own and sets WS_URL; name yours with
// `jsrunner run -e WS_URL=wss://example.com SCRIPT`.
const url = `${__ENV.WS_URL || 'ws://127.0.0.1:8765'}/echo`;

const roundTrip = new Trend('round_trip', true);

export const options = {
  scenarios: {
    sessions: {
      executor: 'ramping-vus',
      stages: [
        { duration: '5s', target: 10 },
        { duration: '10s', target: 10 },
        { duration: '5s', target: 0 },
      ],
    },
  },
  thresholds: {
    checks: ['rate>0.99'],
    round_trip: ['p(95)<200'],
  },
};

export default function () {
  let answers = 0;
  const response = ws.connect(url, {}, (socket) => {
    socket.on('open', () => {
      socket.setInterval(() => socket.send(JSON.stringify({ sent: Date.now() })), 100);
      socket.setTimeout(() => socket.close(), 2000);
    });
    socket.on('message', (text) => {
      answers += 1;
      roundTrip.add(Date.now() - JSON.parse(text).sent);
    });
    socket.on('error', (error) => console.error(error.error()));
  });
  check(response, { 'the handshake succeeded': (r) => r && r.status === 101 });
  check(answers, { 'there were answers': (count) => count > 0 });
}
"""


def flags() -> list[Flag]:
    """Return the flags of the command."""
    force = Flag("force", "overwrite the file", "f", bare="true", parse=kinds.Bool().from_text)
    return [force, *flags_of(Globals)]


def new(words: Sequence[str]) -> int:
    """Run the command; return the exit code."""
    return command(words, flags(), USAGE, _write)


def _write(invocation: Invocation) -> int:
    if len(invocation.arguments) > 1:
        raise UsageError(f"accepts at most 1 arg(s), received {len(invocation.arguments)}")
    path = Path(invocation.arguments[0] if invocation.arguments else DEFAULT)
    force = bool(invocation.flags.get("force"))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise JsrunnerError(f"{path} already exists. Use the `--force` flag to overwrite it") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise JsrunnerError(f"could not write {path}: {reason}") from None
    print(f"New script created: {path}\nTry it with: jsrunner run --with-server {path}")
    return ExitCode.SUCCESS
