"""The contract of a run's log.

Life cycle: the caller of a run makes the log before the run and closes it afterwards. `start` is called
once, after the last fork of the process; a log must not start threads before that.

Threads: all methods are called in the coordinator's thread.

Errors: none. A log that cannot be written reports that elsewhere, and never ends a run.
"""

from __future__ import annotations

from typing import Protocol


class RunLog(Protocol):
    """The log of a run, as the coordinator uses it; `ui.log.Logger` implements it."""

    @property
    def is_verbose(self) -> bool:
        """True if debug records are written to any destination."""
        ...

    def start(self) -> None:
        """Allow the log to start threads."""
        ...

    def log(self, level: str, text: str, moment: int | None = None, /, **fields: object) -> None:
        """Write a record.

        Args:
            level: debug, info, warning or error.
            text: The message.
            moment: Nanoseconds since the epoch; None for now.
            fields: Further fields of the record.
        """
        ...

    def redact(self, secret: str) -> None:
        """Show no record with this text from now on."""
        ...
