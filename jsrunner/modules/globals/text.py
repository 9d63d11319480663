"""Python half of TextEncoder and TextDecoder."""

from __future__ import annotations

import codecs
from typing import Final

from jsrunner.engine.interpreter import HostError, mend
from jsrunner.modules.base import HostModule, operation

_DECODERS: Final = {
    "utf-8": codecs.utf_8_decode,
    "utf-16le": codecs.utf_16_le_decode,
    "utf-16be": codecs.utf_16_be_decode,
}


class Text(HostModule):
    specifier = "jsrunner:globals/text"

    @operation
    def encode(self, packed: int | str) -> object:
        return self.vu.interpreter.put_buffer(mend(self.vu.interpreter.text(packed)))

    @operation
    def decode(
        self, packed: int | str, encoding: str, fatal: bool, keeps_bom: bool, more: bool
    ) -> list[object]:
        """[text, bytes that were used]: if `more` follows, the last character may be left over."""
        data = self.vu.interpreter.buffer(packed)
        errors = "strict" if fatal else "replace"
        try:
            text, used = _DECODERS[encoding](data, errors, not more)
        except UnicodeDecodeError:
            raise HostError("decoding text: invalid byte sequence", "TypeError") from None
        if not keeps_bom:
            text = text.removeprefix("\ufeff")
        return [self.vu.interpreter.put_text(text.encode("utf-8", "replace")), used]
