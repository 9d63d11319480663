"""Helpers for tests of receiving."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

#: Events of one message of each kind.
NAMES = {Opcode.TEXT: "text", Opcode.BINARY: "binary", Opcode.PING: "ping", Opcode.PONG: "pong"}

END = Frame(Opcode.CLOSE, b"\x03\xe8")

ENDED = ["close", 1000, ""]

BUSY = ["core.sleep(1e9)", "for (;;) {}", "host('wait')"]
