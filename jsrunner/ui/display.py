"""What a run shows while it goes on: the contract of the displays, and which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jsrunner.coordinator.run import Run


class Display(Protocol):
    """Shows a run. `update` is called some ten times a second."""

    def start(self, run: Run) -> None: ...
    def update(self) -> None: ...
    def stop(self) -> None: ...


class QuietDisplay:
    """Shows nothing."""

    def start(self, run: Run) -> None:
        pass

    def update(self) -> None:
        pass

    def stop(self) -> None:
        pass
