"""Python half of `k6`: groups, which name samples, and sleep."""

from __future__ import annotations

from jsrunner.modules.base import HostModule, operation


class K6(HostModule):
    specifier = "k6"

    @operation
    def enter_group(self, name: str) -> str:
        """Go into a group; the path of the one outside of it."""
        outer = self.vu.group
        if name or outer:
            self.vu.set_group(f"{outer}::{name}")
        return outer

    @operation
    def leave_group(self, outer: str) -> None:
        self.vu.set_group(outer)

    @operation
    def sleep(self, seconds: float) -> None:
        self.vu.sleep(seconds)
