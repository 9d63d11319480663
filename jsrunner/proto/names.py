"""Names that descriptors derive from others (descriptor.proto, json_name and map entries)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container


def json_name(name: str) -> str:
    """Return a field's lowerCamelCase name: underscores go, the letter after one is upper case."""
    parts = name.split("_")
    return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def entry_name(name: str) -> str:
    """Return the name of a map field's entry type: `by_number` makes `ByNumberEntry`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry"


def synthetic_oneof_name(name: str, taken: Container[str]) -> str:
    """Return the name of the oneof that an `optional` field of proto3 gets."""
    made = name if name.startswith("_") else f"_{name}"
    while made in taken:
        made = f"X{made}"
    return made
