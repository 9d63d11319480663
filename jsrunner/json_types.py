"""Types of JSON values, for readers and writers of JSON. Only type checkers import this."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    #: A value that JSON can express.
    JsonValue: TypeAlias = (
        bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
    )
    #: A JSON object that this code has made, or has parsed and looked at.
    JsonObject: TypeAlias = dict[str, JsonValue]
