"""Worker processes on this machine: started by fork, before anything heavy is imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from jsrunner.errors import JsrunnerError, WorkerError
from jsrunner.messages.board import Board

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jsrunner.script.script import Script
    from jsrunner.secrets.sources import Secrets

_SET_CHILD_SUBREAPER: Final = 36
_GET_CHILD_SUBREAPER: Final = 37


class LocalWorkers:
    """Up to `most` workers. The first is forked here; it forks the others when their number is known
    (see worker.main), so that what the script's first init has loaded is shared by all.
    """

    def __init__(
        self,
        most: int,
        script: Script,
        environment: Mapping[str, str],
        secrets: Secrets,
        *,
        features: frozenset[str] = frozenset(),
    ) -> None:
        pairs = [socket.socketpair() for _ in range(most)]
        self.board = Board(most)
        self.streams = [ours for ours, _ in pairs]
        self._adopted = _adopt_orphans()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            self.process_id = os.fork()
        except OSError as error:
            text = f"could not start a worker process: {(error.strerror or '').lower()}"
            raise WorkerError(text) from None
        if not self.process_id:
            code = 1
            try:
                for ours, _ in pairs:
                    ours.close()
                code = _work(
                    [theirs for _, theirs in pairs],
                    self.board,
                    script,
                    environment,
                    secrets,
                    features,
                )
            except SystemExit:
                pass  # the coordinator is gone: nobody is there to be told
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

    def end(self, process_ids: Sequence[int], patience: float) -> None:
        """Wait for the workers, which know that the run is over; kill what is left after `patience`
        seconds. Nobody else's child processes are touched."""
        deadline = time.monotonic() + patience
        with selectors.DefaultSelector() as selector:
            for stream in self.streams:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(deadline - time.monotonic(), 0))
                if not ready:
                    self.kill(process_ids)
                    break
                for key, _ in ready:
                    if _is_over(key.fileobj):
                        selector.unregister(key.fileobj)
        for stream in self.streams:
            stream.close()
        for process_id in (self.process_id, *process_ids):
            with contextlib.suppress(ChildProcessError):  # a sibling that its parent has waited for
                os.waitpid(process_id, 0)
        self.board.close()
        _adopt_orphans(self._adopted)

    def kill(self, process_ids: Sequence[int]) -> None:
        """End them without asking."""
        for process_id in {self.process_id, *process_ids}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)

    def death(self, process_id: int) -> str:
        """How a process has ended that just has, "" if nobody can tell."""
        for _ in range(100 if process_id else 0):
            try:
                found = os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return ""
            if found is not None:
                if found.si_code == os.CLD_EXITED:
                    return f" with status {found.si_status}"
                return f" by signal {signal.Signals(found.si_status).name}"
            time.sleep(0.002)  # it has closed its stream and is about to end
        return ""


def _is_over(stream: Any) -> bool:
    try:
        return not stream.recv(1 << 20)
    except OSError:
        return True


def _work(
    streams: list[socket.socket],
    board: Board,
    script: Script,
    environment: Mapping[str, str],
    secrets: Secrets,
    features: frozenset[str],
) -> int:
    try:
        from jsrunner.worker.main import run

        return run(streams, board, script, environment, secrets, features)
    except JsrunnerError as error:
        print(error, file=sys.stderr)
        return 1


def _adopt_orphans(adopt: bool = True) -> bool:
    """Linux: if the first worker dies its siblings become our children, and no zombies. How it was."""
    before = ctypes.c_int()
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.prctl(_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
        library.prctl(_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)
    return bool(before.value)
