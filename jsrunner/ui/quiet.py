"""The display of a run that is to show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsrunner.coordinator.view import RunView


class QuietDisplay:
    """A display that shows nothing (see `coordinator.display`)."""

    def start(self, view: RunView) -> None:
        """Show nothing."""

    def update(self) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Show nothing."""
