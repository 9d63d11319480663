"""What the JavaScript half has packed with `packInput`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.engine.interpreter import mend

if TYPE_CHECKING:
    from jsrunner.engine.interpreter import Interpreter

#: (text or buffer, handle)
Packed = tuple[str, int | str]


def unpack_input(interpreter: Interpreter, packed: Packed) -> bytes:
    """The bytes of a text (UTF-8) or of a buffer."""
    kind, handle = packed
    return mend(interpreter.text(handle)) if kind == "text" else interpreter.buffer(handle)
