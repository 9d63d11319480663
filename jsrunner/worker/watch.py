"""A look at what runs, every so often: while JavaScript computes the hub does not.

A signal of the interval timer comes in the middle of it. It stops a VU that is past its time, and
gives the other VUs, the timers and the coordinator's word their turn: a script that computes for
ever holds up nobody but itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from typing import TYPE_CHECKING, Final

import gevent
from gevent import getcurrent

from jsrunner.engine.interpreter import Interpreter, Interrupted
from jsrunner.engine.native import Native

if TYPE_CHECKING:
    from types import FrameType

    from jsrunner.worker.process import Process

#: Seconds between two looks. One costs some 5 us.
EVERY: Final = 0.02

#: Where Python waits for QuickJS: nowhere else is it safe to leave for another greenlet.
_IN_JAVASCRIPT: Final = tuple(
    one.__code__
    for one in (
        Interpreter._evaluate,
        Native.call,
        Native.run_jobs,
        Native.run_module,
        Native._track,
        Native._stop,
    )
)


class Watch:
    """Watches the VUs of this process; `stream` leads to the coordinator."""

    def __init__(self, process: Process, stream: socket.socket) -> None:
        self._process = process
        self._stream: socket.socket | None = stream
        signal.signal(signal.SIGALRM, self._look)

    def start(self) -> None:
        """Begin, and again in a forked process, which has no timer of its own."""
        signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)

    def have_hub(self) -> None:
        """From now on the hub hears of the coordinator's end."""
        self._stream = None

    @staticmethod
    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        if self._stream is not None and _is_over(self._stream):
            os._exit(1)
        vu = self._process.running.get(getcurrent())
        if vu is None:
            return
        if not vu.interrupted and vu.hard_stop is not None and time.monotonic() >= vu.hard_stop:
            vu.interrupt()
        if frame is None or frame.f_code not in _IN_JAVASCRIPT:
            return
        if vu.interrupted and vu.interpreter.native is None:
            raise Interrupted  # which the bridge makes an exception that no script can catch
        if self._stream is None:
            # `vu.interrupt` throws into a VU that waits, and so it does here. What it threw has done
            # its work: the interpreter itself stops the script.
            with contextlib.suppress(Interrupted):
                gevent.sleep(1e-6)


def _is_over(stream: socket.socket) -> bool:
    """Whether the coordinator has gone."""
    try:
        return not stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
