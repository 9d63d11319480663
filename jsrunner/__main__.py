"""`python -m jsrunner`."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys

from jsrunner.errors import ExitCode


def main() -> None:
    """The console command: as `cli.main`, but leaves without waiting for the interpreter's end."""
    _open_standard_streams()
    # Imports leave no garbage: looking for it takes 4 of 125 ms. Workers look once they are set up.
    gc.disable()
    os.register_at_fork(after_in_parent=gc.enable)
    try:
        from jsrunner.cli.main import main as run

        code = run()
    except KeyboardInterrupt:  # before a run has begun, which sees to its signals itself
        code = ExitCode.EXTERNAL_ABORT
    except BrokenPipeError:  # of a help text, say; a run sees to its outputs itself
        code = 128 + signal.SIGPIPE
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # tearing down the imported modules takes longer than many a run


def _open_standard_streams() -> None:
    """Whoever started us may have closed them; a socket must not get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115
    os.close(number)


if __name__ == "__main__":
    main()
