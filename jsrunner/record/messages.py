"""The log in a record: the first warnings and errors, and the count of each kind of message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsrunner.json_types import JsonObject

#: Maximum records that are kept. Further records are only counted.
_MOST_RECORDS: Final = 1_000
#: Maximum kinds of messages. Messages of further kinds are counted as the last kind.
_MOST_KINDS: Final = 200
#: Maximum characters of a kept text.
_LENGTH: Final = 2_000
#: The parts in which messages of one kind differ: numbers, addresses, ids.
_VARIABLE: Final = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+", re.IGNORECASE)
_OTHERS: Final = "(other messages)"


def kind_of(text: str) -> str:
    """Return the kind of a message: its text with # for numbers, addresses and ids."""
    return _VARIABLE.sub("#", text[:_LENGTH])


class Messages:
    """Groups the messages of one run."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], int] = {}
        #: Messages of each kind since the counts were taken.
        self._added: dict[int, int] = {}
        self._records = 0

    def add(
        self, level: str, text: str, at: float, fields: Mapping[str, object]
    ) -> Iterator[JsonObject]:
        """Count a message; return the lines that it adds to the record.

        Args:
            level: Its level.
            text: Its text.
            at: Seconds since the record's beginning.
            fields: Further fields of the record.
        """
        shown = text or str(fields.get("error", ""))
        key = (level, kind_of(shown))
        number = self._kinds.get(key)
        if number is None:
            if len(self._kinds) >= _MOST_KINDS:
                key, shown = (level, _OTHERS), _OTHERS
            number = self._kinds.get(key)
            if number is None:
                number = self._kinds[key] = len(self._kinds)
                yield {
                    "kind": "message", "number": number, "level": level, "at": at,
                    "text": shown[:_LENGTH], "fields": _short(fields),
                }  # fmt: skip
        self._added[number] = self._added.get(number, 0) + 1
        if self._records < _MOST_RECORDS:
            self._records += 1
            yield {
                "kind": "log", "level": level, "at": at, "text": text[:_LENGTH],
                "fields": _short(fields),
            }  # fmt: skip

    def take_counts(self) -> dict[int, int]:
        """Return how often each kind has come since the last call."""
        counts, self._added = self._added, {}
        return counts


def _short(fields: Mapping[str, object]) -> dict[str, str]:
    return {str(key)[:_LENGTH]: str(value)[:_LENGTH] for key, value in fields.items()}
