"""Python half of `k6`: groups, which name samples, and sleep."""

from __future__ import annotations

from jsrunner.modules.base import HostModule, operation


class K6(HostModule):
    """The operations of `k6`."""

    specifier = "k6"

    @operation
    def tags_checks(self) -> bool:
        """Return True if samples of checks have the check's name as a tag."""
        return "check" in self.vu.process.system_tags

    @operation
    def enter_group(self, name: str) -> None:
        """Enter a group, whose path begins with the current tag `group`."""
        outer = self.vu.context.tags.get("group", "")
        self.vu.enter_group(f"{outer}::{name}" if name or outer else "")

    @operation
    def leave_group(self) -> None:
        """Leave the innermost group."""
        self.vu.leave_group()
