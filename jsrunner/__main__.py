"""`python -m jsrunner`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console command: as `cli.main`, but leaves without waiting for the interpreter's end."""
    from jsrunner.cli.main import main as run

    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # tearing down the imported modules takes longer than many a run


if __name__ == "__main__":
    main()
