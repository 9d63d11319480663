"""Errors that cross the border between JavaScript and Python."""

from __future__ import annotations


class HostError(Exception):
    """An operation failed as the script shall see it.

    Attributes:
        kind: The JavaScript class: GoError, TypeError, RangeError, SyntaxError or Error.
        fields: Further properties of a GoError's value.
    """

    def __init__(self, text: str, kind: str = "GoError", **fields: object) -> None:
        super().__init__(text)
        self.kind = kind
        self.fields = fields

    @classmethod
    def named(cls, name: str, message: str) -> HostError:
        """Return one of Go's errors that have a name, e.g. OperationError."""
        return cls(f"{name}: {message}", name=name, message=message)


class Interrupted(BaseException):
    """The VU must stop now. If an operation raises it, no script can catch the end of its command."""


class JSError(Exception):
    """An exception left JavaScript; the text is the value's, then its stack."""
