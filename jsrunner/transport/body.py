"""A buffer for the body of a response, with a limit."""

from __future__ import annotations


class TooLarge(Exception):
    """A body has more bytes than its limit."""


class Body:
    """The body of one response."""

    __slots__ = ("_data", "_limit", "size")

    def __init__(self, limit: int | None) -> None:
        """Make an empty buffer.

        Args:
            limit: Maximum bytes of the body; None discards all bytes.
        """
        self._limit = limit
        #: Most bodies come in one piece, which is kept as it is.
        self._data: bytes | bytearray = b""
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Append a piece of the body. Raises TooLarge."""
        self.size += len(piece)
        if self._limit is None:
            return
        if self.size > self._limit:
            self._data = b""
            raise TooLarge
        if not self._data:
            self._data = piece
            return
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data)
        self._data += piece

    def take(self) -> bytes | None:
        """Return the body; None if it was too large."""
        if self._limit is not None and self.size > self._limit:
            return None
        return bytes(self._data)
