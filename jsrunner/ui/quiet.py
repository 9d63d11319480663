"""The display of a run that is to show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsrunner.coordinator.view import RunView


class QuietDisplay:
    """Shows nothing (see `coordinator.display`)."""

    def start(self, view: RunView) -> None:
        pass

    def update(self) -> None:
        pass

    def stop(self) -> None:
        pass
