"""Parts of the core, built from their C files for the tests and called through ctypes."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsrunner.core.build import system_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CORE = Path(__file__).parent.parent / "jsrunner" / "core"
HERE = Path(__file__).parent / "core"
FLAGS = ("-std=c11", "-g", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", f"-I{CORE}")
#: The shared object that has QuickJS.
ENGINE = str(import_module("dukpy._dukpy").__file__)
#: Undefined behaviour ends the process; no library of the sanitizer's has to be loaded for that.
TRAPS = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
#: Where AddressSanitizer's is loaded (see CONTRIBUTING.md), so does a wrong access to memory.
SANITIZERS = (
    ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    if "libasan" in os.environ.get("LD_PRELOAD", "")
    else TRAPS
)


def compile_c(target: Path, sources: Sequence[Path], *flags: str) -> Path:
    """Compile with the C compiler that the core is compiled with."""
    command = [*system_compiler(), *FLAGS, *flags, *map(str, sources), "-o", str(target), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


STUBBED = ("-fvisibility=hidden", "-rdynamic", "-Wl,--no-as-needed", "-ldl")


class _Limits(ctypes.Structure):
    _fields_ = (
        ("frame_bytes", ctypes.c_size_t),
        ("message_bytes", ctypes.c_size_t),
        ("fragments", ctypes.c_size_t),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("payload", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("is_compressed", ctypes.c_bool),
        ("is_utf8", ctypes.c_bool),
        ("is_ascii", ctypes.c_bool),
        ("code", ctypes.c_uint16),
        ("violation", ctypes.c_char_p),
        ("wanted", ctypes.c_size_t),
    )


@dataclass(frozen=True)
class Event:
    """One event of a decoder, its payload copied."""

    kind: str
    payload: bytes = b""
    is_compressed: bool = False
    is_utf8: bool = False
    is_ascii: bool = False
    code: int = 0
    violation: str = ""
    wanted: int = 0
    is_in_place: bool = False

    @property
    def short(self) -> tuple[Any, ...]:
        """The observable part of an event: for the script or the peer."""
        match self.kind:
            case "close":
                return self.kind, self.code, self.payload
            case "violation":
                return self.kind, self.code
        return self.kind, self.payload


KINDS = ("none", "text", "binary", "ping", "pong", "close", "violation")


class FramesLibrary:
    """The functions of frames.h, mask.h, utf8.h and sha1.h."""

    def __init__(self, folder: Path) -> None:
        sources = [CORE / name for name in ("frames.c", "mask.c", "utf8.c", "bytes.c", "sha1.c")]
        path = compile_c(
            folder / "frames.so",
            [*sources, HERE / "frames_library.c"],
            "-O1",
            *SANITIZERS,
            "-shared",
            "-fPIC",
            "-Drealloc=test_realloc",
        )
        self.c = c = ctypes.CDLL(str(path))
        assert ctypes.c_size_t.in_dll(c, "event_size").value == ctypes.sizeof(_Event)
        c.decoder_new.argtypes = (ctypes.c_bool, ctypes.c_bool, _Limits)
        c.decoder_new.restype = ctypes.c_void_p
        c.decoder_delete.argtypes = (ctypes.c_void_p,)
        c.frame_decode.argtypes = (
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(_Event),
        )  # fmt: skip
        c.frame_decode.restype = ctypes.c_size_t
        c.frame_inflated.argtypes = c.frame_decode.argtypes
        c.frame_inflated.restype = None
        c.utf8_replace.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
        c.utf8_replace.restype = ctypes.c_size_t
        c.frame_header.argtypes = (
            ctypes.c_char_p, ctypes.c_uint8, ctypes.c_uint64, ctypes.c_uint32,
        )  # fmt: skip
        c.frame_header.restype = ctypes.c_size_t
        c.frame_mask.argtypes = (
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_size_t,
        )  # fmt: skip
        c.frame_mask.restype = None
        c.frame_mask_key.restype = ctypes.c_uint32
        self.allocations_left = ctypes.c_int.in_dll(c, "allocations_left")

    def decoder(self, **settings: Any) -> Decoder:
        return Decoder(self, **settings)

    def validate(self, *pieces: bytes) -> tuple[int, bool]:
        """(Number of pieces after which the text is known to be wrong, or -1 or -2; is ASCII)."""
        ends, end = (ctypes.c_size_t * max(1, len(pieces)))(), 0
        for i, piece in enumerate(pieces):
            ends[i] = end = end + len(piece)
        is_ascii = ctypes.c_bool()
        result = self.c.validate(b"".join(pieces), ends, len(pieces), ctypes.byref(is_ascii))
        return result, is_ascii.value

    def replace(self, text: bytes) -> bytes:
        size = self.c.utf8_replace(None, text, len(text))
        to = ctypes.create_string_buffer(size)
        assert self.c.utf8_replace(to, text, len(text)) == size
        return to.raw

    def sha1(self, data: bytes) -> bytes:
        to = ctypes.create_string_buffer(20)
        self.c.sha1(data, ctypes.c_size_t(len(data)), to)
        return to.raw

    def base64(self, data: bytes) -> bytes:
        to = ctypes.create_string_buffer(max(4 * ((len(data) + 2) // 3), 1))
        self.c.base64(data, ctypes.c_size_t(len(data)), to)
        return to.raw[: 4 * ((len(data) + 2) // 3)]

    def header(self, first: int, size: int, key: bytes) -> bytes:
        to = ctypes.create_string_buffer(14)
        length = self.c.frame_header(to, first, size, int.from_bytes(key, "little"))
        return to.raw[:length]

    def mask(self, payload: bytes, key: bytes, offset: int = 0, *, in_place: bool = False) -> bytes:
        source = ctypes.create_string_buffer(payload, len(payload) or 1)
        to = source if in_place else ctypes.create_string_buffer(len(payload) or 1)
        self.c.frame_mask(to, source, len(payload), int.from_bytes(key, "little"), offset)
        return to.raw[: len(payload)]


class Decoder:
    """A decoder, and the bytes that its owner keeps for it."""

    def __init__(
        self,
        library: FramesLibrary,
        *,
        strict: bool = False,
        deflate: bool = False,
        frame_bytes: int = 0,
        message_bytes: int = 0,
        fragments: int = 0,
    ) -> None:
        self._c = library.c
        limits = _Limits(frame_bytes, message_bytes, fragments)
        self._decoder = self._c.decoder_new(strict, deflate, limits)
        self._event = _Event()
        self.kept = b""

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._c.decoder_delete(self._decoder)

    def _copy(self, address: int = 0, size: int = 0) -> Event:
        event = self._event
        payload = ctypes.string_at(event.payload, event.size) if event.payload else b""
        assert event.payload or KINDS[event.kind] in ("none", "violation")
        return Event(
            KINDS[event.kind],
            payload,
            event.is_compressed,
            event.is_utf8,
            event.is_ascii,
            event.code,
            (event.violation or b"").decode(),
            event.wanted,
            bool(event.payload and address <= event.payload <= address + size),
        )

    def decode(self, data: bytes) -> tuple[int, Event]:
        """Take one event off `data`, which lies alone in memory of its own, at an odd address."""
        memory = (ctypes.c_char * (len(data) + 1))()
        memory[1:] = data
        address = ctypes.addressof(memory) + 1
        used = self._c.frame_decode(self._decoder, address, len(data), ctypes.byref(self._event))
        assert used <= len(data)
        return used, self._copy(address, len(data))

    def inflated(self, payload: bytes) -> Event:
        """Complete the last event, of a compressed message."""
        memory = ctypes.create_string_buffer(payload, len(payload) + 1)
        self._c.frame_inflated(self._decoder, memory, len(payload), ctypes.byref(self._event))
        return self._copy()

    def feed(self, data: bytes) -> Iterator[Event]:
        """All events after further bytes have come."""
        self.kept += data
        while True:
            used, event = self.decode(self.kept)
            self.kept = self.kept[used:]
            if event.kind == "none":
                self.wanted = event.wanted
                return
            yield event

    def all(self, *pieces: bytes) -> list[tuple[Any, ...]]:
        """The events of a stream that comes in pieces, in short."""
        return [event.short for piece in pieces for event in self.feed(piece)]


class ScriptError(Exception):
    """The text of an exception of the engine."""


def python_stubs(folder: Path) -> Path:
    """C source of symbols in place of Python's, for programs that load dukpy's shared object.

    Such a program is linked with STUBBED: it exports these symbols and no others, for the names in
    quickjs.h must not hide the engine's own. It also brings the C library's mathematics, which
    dukpy's shared object expects Python to have.
    """
    names = set(re.findall(rb"(?<=\0)_?Py\w+(?=\0)", Path(ENGINE).read_bytes()))
    stubs = [f'__attribute__((visibility("default"))) char {name.decode()}[64];' for name in names]
    path = folder / "python_stubs.c"
    path.write_text("\n".join(stubs))
    return path


class CodecLibrary:
    """The functions of codec.h, with engines of dukpy's to use them in."""

    def __init__(self, folder: Path) -> None:
        names = ("codec_read.c", "codec_write.c", "utf8.c", "bytes.c", "quickjs.c")
        sources = [*(CORE / name for name in names), HERE / "codec_library.c"]
        path = compile_c(folder / "codec.so", sources, "-O1", *SANITIZERS, "-shared", "-fPIC")
        self.c = c = ctypes.CDLL(str(path))
        c.quickjs_open.argtypes = (ctypes.c_char_p,)
        c.quickjs_open.restype = ctypes.c_char_p
        assert c.quickjs_open(ENGINE.encode()) is None
        c.engine_new.restype = ctypes.c_void_p
        for name in ("engine_eval", "engine_write", "engine_read"):
            getattr(c, name).argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
        for name in ("engine_delete", "engine_check", "engine_memory"):
            getattr(c, name).argtypes = (ctypes.c_void_p,)
        c.engine_check.restype = ctypes.c_bool
        c.engine_memory.restype = ctypes.c_int64
        c.engine_limit.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        c.engine_result.argtypes = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t))
        c.engine_result.restype = ctypes.c_void_p

    def engine(self) -> Engine:
        return Engine(self)


class Engine:
    """One runtime with one context."""

    def __init__(self, library: CodecLibrary) -> None:
        self._c = library.c
        self._engine = self._c.engine_new()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._c.engine_delete(self._engine)

    def _call(self, function: Any, data: bytes) -> bytes:
        status = function(self._engine, data, len(data))
        size = ctypes.c_size_t()
        address = self._c.engine_result(self._engine, ctypes.byref(size))
        result = ctypes.string_at(address, size.value) if address else b""
        if status:
            raise ScriptError(result.decode())
        return result

    def eval(self, source: str) -> str:
        """The text of a script's value."""
        return self._call(self._c.engine_eval, source.encode("utf-8", "surrogatepass")).decode()

    def write(self, source: str) -> bytes:
        """A script's value, encoded."""
        return self._call(self._c.engine_write, source.encode("utf-8", "surrogatepass"))

    def read(self, data: bytes) -> None:
        """Decode to the global variable `value`."""
        self._call(self._c.engine_read, data)

    def check(self) -> bool:
        return bool(self._c.engine_check(self._engine))

    def memory(self) -> int:
        """Number of the engine's allocations."""
        return int(self._c.engine_memory(self._engine))

    def give_up_after(self, polls: int) -> None:
        """Let the codec's poll stop it; -1: never."""
        self._c.give_up_after(polls)

    def limit(self, memory: int) -> None:
        self._c.engine_limit(self._engine, memory)
