"""Python half of TextEncoder and TextDecoder."""

from __future__ import annotations

from jsrunner.engine.interpreter import HostError
from jsrunner.modules.base import HostModule, operation


class Text(HostModule):
    specifier = "jsrunner:globals/text"

    @operation
    def encode(self, packed: int | str) -> object:
        return self.vu.interpreter.put_buffer(self.vu.interpreter.text(packed))

    @operation
    def decode(self, packed: int | str, encoding: str, fatal: bool, ignore_bom: bool) -> object:
        data = self.vu.interpreter.buffer(packed)
        try:
            text = data.decode(encoding, "strict" if fatal else "replace")
        except UnicodeDecodeError:
            raise HostError("decoding text: invalid byte sequence", "TypeError") from None
        if not ignore_bom:
            text = text.removeprefix("\ufeff")
        return self.vu.interpreter.put_text(text.encode("utf-8", "replace"))
