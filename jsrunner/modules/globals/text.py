"""Python half of TextEncoder and TextDecoder."""

from __future__ import annotations

import codecs
from typing import Final, Literal

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation

_DECODERS: Final = {
    "utf-8": codecs.utf_8_decode,
    "utf-16le": codecs.utf_16_le_decode,
    "utf-16be": codecs.utf_16_be_decode,
}


def _without_half_pair(data: bytes, encoding: str) -> bytes:
    """Leave out the second half of a surrogate pair at the end, if its first half is not there.

    Python's decoder waits for further bytes only behind a first half. k6 waits behind either half.
    """
    end = len(data) // 2 * 2
    order: Literal["little", "big"] = "little" if encoding == "utf-16le" else "big"
    if end < 2 or not 0xDC00 <= int.from_bytes(data[end - 2 : end], order) <= 0xDFFF:
        return data
    before = int.from_bytes(data[end - 4 : end - 2], order) if end >= 4 else 0
    return data if 0xD800 <= before <= 0xDBFF else data[: end - 2]


class TextModule(HostModule):
    """The operations of TextEncoder and TextDecoder."""

    specifier = "jsrunner:globals/text"

    @operation
    def encode(self, text: str) -> bytes:
        """Return the UTF-8 of a text."""
        return text.encode()

    @operation
    def decode(
        self, data: bytes, encoding: str, fatal: bool, keeps_bom: bool, more: bool
    ) -> list[object]:
        """Return [text, count of decoded bytes]; with `more` an incomplete last character is left."""
        if more and encoding != "utf-8":
            data = _without_half_pair(data, encoding)
        errors = "strict" if fatal else "replace"
        try:
            text, used = _DECODERS[encoding](data, errors, not more)
        except UnicodeDecodeError:
            raise HostError("decoding text: invalid byte sequence", "TypeError") from None
        if not keeps_bom:
            text = text.removeprefix("\ufeff")
        return [text, used]
