"""Arguments that k6 takes as bytes: a text or a buffer (`bytesArgument` of bytes.js)."""

from __future__ import annotations

TextOrBytes = str | bytes


def bytes_of(argument: TextOrBytes) -> bytes:
    """Return the bytes of a text (UTF-8) or of a buffer."""
    return argument.encode() if isinstance(argument, str) else argument
