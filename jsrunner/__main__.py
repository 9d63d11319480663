"""`python -m jsrunner`."""

from __future__ import annotations

import os
import sys

from jsrunner.errors import ExitCode


def main() -> None:
    """The console command: as `cli.main`, but leaves without waiting for the interpreter's end."""
    try:
        from jsrunner.cli.main import main as run

        code = run()
    except KeyboardInterrupt:  # before a run has begun, which sees to its signals itself
        code = ExitCode.EXTERNAL_ABORT
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # tearing down the imported modules takes longer than many a run


if __name__ == "__main__":
    main()
