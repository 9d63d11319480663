"""Worker processes on this machine: started by fork, before anything heavy is imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Final

from jsrunner.errors import JsrunnerError
from jsrunner.worker.board import Board

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.script.script import Script
    from jsrunner.secrets.sources import Secrets

_SET_CHILD_SUBREAPER: Final = 36


class LocalWorkers:
    """Up to `most` workers. The first is forked here; it forks the others when their number is known
    (see worker.main), so that what the script's first init has loaded is shared by all.
    """

    def __init__(
        self, most: int, script: Script, environment: Mapping[str, str], secrets: Secrets
    ) -> None:
        pairs = [socket.socketpair() for _ in range(most)]
        self.board = Board(most)
        self.streams = [ours for ours, _ in pairs]
        _adopt_orphans()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process_id = os.fork()
        if not self.process_id:
            code = 1
            try:
                for ours, _ in pairs:
                    ours.close()
                code = _work([theirs for _, theirs in pairs], self.board, script, environment, secrets)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        for _, theirs in pairs:
            theirs.close()

    def keep(self, count: int) -> None:
        """So many workers take part."""
        for stream in self.streams[count:]:
            stream.close()
        del self.streams[count:]

    def wait(self) -> None:
        """Reap all that has ended or is about to."""
        for stream in self.streams:
            stream.close()
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        self.board.close()

    def kill(self) -> None:
        """End them without asking."""
        for stream in self.streams:
            stream.close()


def _work(
    streams: list[socket.socket],
    board: Board,
    script: Script,
    environment: Mapping[str, str],
    secrets: Secrets,
) -> int:
    try:
        from jsrunner.worker.main import run

        return run(streams, board, script, environment, secrets)
    except JsrunnerError as error:
        print(error, file=sys.stderr)
        return 1


def _adopt_orphans() -> None:
    """Linux: if the first worker dies its siblings become our children, and no zombies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
