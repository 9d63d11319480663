"""Python half of `console`: lines go to the run's log."""

from __future__ import annotations

from jsrunner.modules.base import HostModule, operation


class Console(HostModule):
    """The operation of `console`."""

    specifier = "jsrunner:globals/console"

    @operation
    def log(self, level: str, text: str) -> None:
        """Log a line of the script."""
        self.vu.log(level, text, source="console")
