"""Python half of `k6/data`: the elements of SharedArrays, kept once per process.

The first init builds them before the worker processes are forked, so all processes have the same ones.
"""

from __future__ import annotations

from jsrunner.modules.base import HostModule, operation


class Data(HostModule):
    """The operations of SharedArrays. An element is its JSON."""

    specifier = "k6/data"

    @property
    def _arrays(self) -> dict[str, list[str]]:
        arrays: dict[str, list[str]] = self.vu.shared.setdefault("k6/data", {})
        return arrays

    @operation
    def length(self, name: str) -> int:
        """Return the length of an array; -1 before it is stored."""
        elements = self._arrays.get(name)
        return -1 if elements is None else len(elements)

    @operation
    def store(self, name: str, elements: list[str]) -> None:
        """Store the elements of an array."""
        self._arrays[name] = elements

    @operation
    def element(self, name: str, index: int) -> str:
        """Return an element as JSON."""
        return self._arrays[name][index]
