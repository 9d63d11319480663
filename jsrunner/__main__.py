"""`python -m jsrunner`."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys

from jsrunner.errors import ExitCode


def main() -> None:
    """Run the command line as `cli.main` does; exit without tearing down the interpreter."""
    _open_standard_streams()
    # Imports leave no garbage, and a collection that looks at what they made takes 4 ms. Workers enable
    # collections after set-up.
    gc.disable()
    os.register_at_fork(before=gc.freeze, after_in_parent=gc.enable)
    try:
        from jsrunner.cli.main import main as run

        code = run()
    except KeyboardInterrupt:  # before a run, which handles signals itself
        code = ExitCode.EXTERNAL_ABORT
    except BrokenPipeError:  # e.g. of a help text; a run handles its outputs itself
        code = 128 + signal.SIGPIPE
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # tearing down the imported modules takes longer than some runs


def _open_standard_streams() -> None:
    """Open standard streams that the parent process has closed: no socket may get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115
    os.close(number)


if __name__ == "__main__":
    main()
