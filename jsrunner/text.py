"""Conversion of bytes and JavaScript strings to texts that UTF-8 can encode, as Go does it."""

from __future__ import annotations

import codecs


def _replace_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd", error.start + 1


codecs.register_error("jsrunner.bytewise", _replace_byte)


def decode_bytewise(data: bytes | bytearray | memoryview) -> str:
    """Decode UTF-8 with U+FFFD for each invalid byte, as Go's `string(bytes)` does.

    Python's error handler `replace` has one U+FFFD for each maximal invalid sequence instead.
    """
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        return str(data, "utf-8", "jsrunner.bytewise")


def mend_surrogates(text: str) -> str:
    """Replace each half of a surrogate pair by U+FFFD, as Go does with JavaScript's strings."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
