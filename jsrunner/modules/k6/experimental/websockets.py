"""Python half of `k6/experimental/websockets`: the warning about the old name."""

from __future__ import annotations

from jsrunner.modules.base import HostModule, operation


class ExperimentalWebsockets(HostModule):
    """The operation of `k6/experimental/websockets`."""

    specifier = "k6/experimental/websockets"

    @operation
    def warn_once(self) -> None:
        """Log the warning in the first init of the run only."""
        shared = self.vu.shared
        if not shared.setdefault(self.specifier, False):
            shared[self.specifier] = True
            self.vu.log(
                "warning",
                "k6/experimental/websockets is deprecated and will be removed in a future release. "
                "Please use k6/websockets instead.",
            )
