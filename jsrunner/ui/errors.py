"""The errors in the log of a run by kind, for the screen."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from jsrunner.record.messages import kind_of
from jsrunner.ui.state import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Kinds that are counted; errors of further ones are not shown.
_MOST_KINDS: Final = 200
#: Characters of a message that are shown at most.
_LENGTH: Final = 250


class ErrorCounts:
    """Counts the errors of one run by kind."""

    def __init__(self) -> None:
        #: The count of each kind and its first message.
        self._kinds: dict[str, tuple[int, str]] = {}

    def add(self, level: str, text: str, fields: Mapping[str, object]) -> None:
        """Count a record of the log, if it is an error.

        Args:
            level: Its level.
            text: Its text.
            fields: Further fields of the record.
        """
        if level != "error":
            return
        message = text or str(fields.get("error", ""))
        kind = kind_of(message)
        if kind in self._kinds:
            count, first = self._kinds[kind]
            self._kinds[kind] = count + 1, first
        elif len(self._kinds) < _MOST_KINDS:
            self._kinds[kind] = 1, _one_line(message)

    def most(self, number: int) -> tuple[ErrorKind, ...]:
        """Return the most frequent kinds, the older first of equally frequent ones."""
        top = heapq.nlargest(number, self._kinds.values(), key=lambda kind: kind[0])
        return tuple(ErrorKind(count, message) for count, message in top)


def _one_line(message: str) -> str:
    """Return the first line that has text, without characters that a terminal would obey."""
    line = next((line for line in message.splitlines() if line.strip()), "").strip()[:_LENGTH]
    return "".join(sign if sign.isprintable() else " " for sign in line)
