"""Frames that a server sends."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode


def frame(opcode: Opcode, payload: bytes = b"", fin: bool = True) -> bytes:
    """A server's frame."""
    return Frame(opcode, payload, fin).serialize(mask=False)


def text(payload: bytes, fin: bool = True) -> bytes:
    return frame(Opcode.TEXT, payload, fin)


def more(payload: bytes, fin: bool = False) -> bytes:
    return frame(Opcode.CONT, payload, fin)


both_rules = pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
