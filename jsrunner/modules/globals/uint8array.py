"""Python half of Uint8Array's base64 and hexadecimal methods."""

from __future__ import annotations

import base64
import itertools
import re
from typing import Final

from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6 import encoding

#: Alphabet -> Go's variant with padding and without.
_VARIANTS: Final = {"base64": ("std", "rawstd"), "base64url": ("url", "rawurl")}
_TO_STANDARD: Final = str.maketrans("-_", "+/")
#: ASCII white space, which is skipped between characters of base64.
_SPACE: Final = "\t\n\f\r "
_NO_SPACE: Final = str.maketrans("", "", _SPACE)
_CHARACTER: Final = re.compile(rf"[^{_SPACE}]")
_HEX: Final = re.compile(r"[0-9A-Fa-f]*")

#: (characters read, bytes, True if the text is valid)
Decoded = tuple[int, bytes, bool]


def from_base64(text: str, limit: int | None, alphabet: str, handling: str) -> Decoded:
    """Decode base64 as far as it is valid.

    https://tc39.es/proposal-arraybuffer-base64/spec/#sec-frombase64

    Args:
        text: Base64, with ASCII white space anywhere.
        limit: The maximum number of bytes; None for no limit.
        alphabet: base64 or base64url.
        handling: For an incomplete last chunk: loose, strict or stop-before-partial.

    Returns:
        The number of characters up to the end of the last complete chunk, or of the whole text if
        all of it was decoded; the bytes; True if there was no error.
    """
    if limit == 0:
        return 0, b"", True
    known = encoding.URL if alphabet == "base64url" else encoding.STANDARD
    match = known.match(text.translate(_NO_SPACE))
    assert match is not None
    length = len(match[0]) // 4 * 4
    if limit is not None:
        length = min(length, limit // 3 * 4)
    data = base64.b64decode(match[0][:length].translate(_TO_STANDARD))
    read = _end_of_character(text, length)
    if len(data) == limit:
        return read, data, True
    return _last_chunk(text, known, handling, read, data, None if limit is None else limit - len(data))


def _last_chunk(
    text: str, known: re.Pattern[str], handling: str, read: int, data: bytes, remaining: int | None
) -> Decoded:
    """Decode what follows the complete chunks without padding: up to `remaining` bytes."""
    chunk, at = "", _skip_space(text, read)
    while at < len(text) and text[at] != "=":
        if not known.fullmatch(text[at]):
            return read, data, False
        if remaining is not None and len(chunk) == remaining + 1 <= 3:
            return read, data, True
        chunk += text[at]
        at = _skip_space(text, at + 1)
    is_padded = at < len(text)
    if is_padded:
        at = _skip_space(text, at + 1)
        if len(chunk) == 2 and at == len(text):
            return read, data, handling == "stop-before-partial"
        if len(chunk) == 2 and text[at] == "=":
            at = _skip_space(text, at + 1)
        if len(chunk) < 2 or at < len(text):
            return read, data, False
    elif chunk and handling == "stop-before-partial":
        return read, data, True
    elif len(chunk) == 1 or (chunk and handling == "strict"):
        return read, data, False
    last = encoding.decode(chunk, "rawurl" if known is encoding.URL else "rawstd")
    if handling == "strict" and encoding.encode(last, "rawstd") != chunk.translate(_TO_STANDARD):
        return read, data, False  # bits are set that belong to no byte
    return len(text), data + last, True


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _end_of_character(text: str, number: int) -> int:
    """Return the end of the `number`-th character that is no white space."""
    if number == 0:
        return 0
    character = next(itertools.islice(_CHARACTER.finditer(text), number - 1, None))
    return character.end()


def from_hex(text: str, limit: int | None) -> Decoded:
    """Decode hexadecimal digits as far as they are valid; arguments and result as of `from_base64`."""
    if len(text) % 2:
        return 0, b"", False
    match = _HEX.match(text)
    assert match is not None
    count = len(match[0]) // 2
    if limit is not None:
        count = min(count, limit)
    return 2 * count, bytes.fromhex(match[0][: 2 * count]), count in (limit, len(text) // 2)


class Uint8Array(HostModule):
    """The operations of Uint8Array: base64 and hexadecimal digits (ECMAScript 2026)."""

    specifier = "jsrunner:globals/uint8array"

    @operation
    def from_base64(self, text: str, limit: int | None, alphabet: str, handling: str) -> list[object]:
        """Decode base64 (see the function `from_base64`): [read characters, bytes, is valid]."""
        return self._decoded(from_base64(self._text(text), limit, alphabet, handling))

    @operation
    def from_hex(self, text: str, limit: int | None) -> list[object]:
        """Decode hexadecimal digits: [read characters, bytes, is valid]."""
        return self._decoded(from_hex(self._text(text), limit))

    @operation
    def to_base64(self, data: bytes, alphabet: str, omits_padding: bool) -> str:
        """Return bytes as base64."""
        return encoding.encode(data, _VARIANTS[alphabet][omits_padding])

    @operation
    def to_hex(self, data: bytes) -> str:
        """Return bytes as hexadecimal digits."""
        return data.hex()

    @staticmethod
    def _text(text: str) -> str:
        """Return the text as latin-1: characters outside ASCII are invalid, and stay invalid."""
        return text.encode().decode("latin-1")

    def _decoded(self, result: Decoded) -> list[object]:
        read, data, is_valid = result
        return [read, data, is_valid]
