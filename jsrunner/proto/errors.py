"""Errors of .proto files, descriptors and messages. Their texts are those that k6 throws."""

from __future__ import annotations


class SchemaError(Exception):
    """A .proto file or a set of descriptors cannot be used."""


class SourceError(SchemaError):
    """A .proto file is wrong at a place; the text begins with `file:line:column: `."""

    def __init__(self, path: str, place: tuple[int, int], text: str) -> None:
        super().__init__(f"{path}:{place[0]}:{place[1]}: {text}")


class MappingError(Exception):
    """A JSON text does not fit a message type, or a message cannot be shown as JSON."""
