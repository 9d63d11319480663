"""The core of one process: operations, and the loop that serves JavaScript's requests.

JavaScript runs on fibers in the core, Python never does: a VU's request waits in the core until
`serve` takes it, answers it at once (a quick operation) or hands it to the VU's own greenlet (a
blocking one). Before there is a gevent hub (the script's first init, before the workers are forked)
the same requests are served while `run_until` blocks.
"""

from __future__ import annotations

import ctypes
import functools
import re
from ctypes import string_at
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from jsrunner.core import binding
from jsrunner.engine.heat import NO_HEAT, Heat

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent._types import _IoWatcher

#: Seconds of one turn: then gevent's other watchers have theirs.
_TURN: Final = 0.002
#: WAIT_WHILE_DENSE of core/schedule.c.
_WHILE_DENSE: Final = -2
#: Room for the engine's message about a text and its stack.
_SYNTAX_ERROR_BYTES: Final = 4096
_CHECKED_LINE: Final = re.compile(r"checked:(\d+):")
#: Milliseconds between two checks of `is_wanted` while there is no hub.
_LOOK_MS: Final = 50
_REQUESTS_AT_ONCE: Final = 256
#: libev's event: a descriptor is readable.
_READ: Final = 1

#: Numbers of the core's own operations: enum core_operation of core.h.
(
    DONE,
    NORMALIZE,
    LOAD,
    TAGS,
    SERIES,
    MERGE,
    ITERATION,
    ARRIVAL,
    INFLATE,
    DEFLATE,
    HEAD,
    CLOSED,
    DRAIN,
) = range(13)

encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder().decode


class Asks(Protocol):
    """The owner of a fiber (`engine.interpreter.Interpreter`), which answers its requests."""

    def finish(self, status: int, data: bytes) -> None:
        """End the command under way with its status and its result as MessagePack."""

    def answer(self, serial: int, operation: int, data: bytes) -> None:
        """Answer a request for an operation."""

    @property
    def find_operation(self) -> Callable[[str], Callable[..., object]]:
        """The function that returns the operation of a name."""


class Engine:
    """The core of one process. `library` has its functions (see core/binding.py)."""

    def __init__(
        self, stack_bytes: int = binding.STACK_BYTES, memory_bytes: int = binding.MEMORY_BYTES
    ) -> None:
        self.library = binding.load(stack_bytes, memory_bytes)
        self._interpreters: dict[int, Asks] = {}
        #: The names of operations that VUs have used, by number.
        self._operation_names: dict[int, str] = {}
        self._requests = (ctypes.c_char * (binding.REQUEST.size * _REQUESTS_AT_ONCE))()
        self._requests_view = memoryview(self._requests)
        #: For requests that concern no VU: called with (slot or -1, generation, detail, data).
        self.handlers: dict[int, Callable[[int, int, int, bytes], None]] = {}
        #: True if gevent's hub drives the core.
        self.has_hub = False
        #: Returns False if the process is no longer needed; polled while there is no hub.
        self.is_wanted: Callable[[], bool] = lambda: True
        self._watcher: _IoWatcher | None = None
        self._is_polling = False
        self._is_serving = False

    # -- modules -----------------------------------------------------------------------------------

    def compile(self, name: str, source: str, *, is_script: bool) -> bool:
        """Compile a module for all VUs that are made from now on; return True if it compiles.

        A script's module keeps its text and positions, for errors; ours need neither. A script's module
        needs no such call when a VU has loaded it: it is compiled already.
        """
        text = source.encode("utf-8", "surrogatepass")
        done: bool = self.library.core_compile(name.encode(), text, len(text), is_script)
        return done

    def bytecode(self, name: str) -> bytes:
        """Return the bytecode of a compiled module."""
        size = ctypes.c_size_t()
        address = self.library.core_image_get(name.encode(), ctypes.byref(size))
        return ctypes.string_at(address, size.value) if address else b""

    def use_bytecode(self, name: str, bytecode: bytes) -> None:
        """Have VUs read a module from bytecode that was kept."""
        self.library.core_image_put(name.encode(), bytecode, len(bytecode))

    def begin_with(self, imports: str) -> None:
        """Let interpreters that are made from now on evaluate this text, a module, first."""
        if not self.library.core_main(imports.encode()):
            raise MemoryError

    def make_template(
        self, imports: str, more: str = "", *, heat: Heat = NO_HEAT, tracks_contexts: bool
    ) -> bool:
        """Evaluate compiled modules once for all VUs that are made from now on.

        Args:
            imports: The text of a module that imports them, among them what interpreters begin with.
                They must not ask for an operation.
            more: The text of a module that imports others, on which `heat` does not depend.
            heat: The record of heat for `imports`.
            tracks_contexts: Whether the VUs track metric contexts.

        Returns:
            False if it cannot be done; then each VU evaluates them.
        """
        record = (heat.blocks, len(heat.blocks), heat.fingerprint)
        texts = imports.encode(), more.encode()
        done: bool = self.library.core_template_make(*texts, *record, tracks_contexts)
        return done

    def template_identity(self) -> tuple[int, int]:
        """Return the number of blocks and the fingerprint for a record of the template's heat."""
        identity = (ctypes.c_uint64 * 2)()
        self.library.core_template_identity(identity)
        return identity[0], identity[1]

    def forget_modules(self) -> None:
        """Forget all compiled modules, the template, and what interpreters begin with."""
        self.library.core_main(None)
        self.library.core_template_forget()
        self.library.core_image_clear()

    def syntax_error(self, source: str, *, as_function: bool = False) -> tuple[str, int] | None:
        """Return the text and the line of a syntax error; None if the text compiles.

        Args:
            source: The text of an ES module, or of a (strict) function.
            as_function: True if it is a function's.
        """
        if as_function:
            source = f"(function (module, exports) {{'use strict';{source}\n}})"
        text = source.encode("utf-8", "replace")
        buffer = ctypes.create_string_buffer(_SYNTAX_ERROR_BYTES)
        size = self.library.core_syntax_error(text, len(text), not as_function, buffer, len(buffer))
        if not size:
            return None
        message, _, stack = buffer.raw[:size].decode("utf-8", "replace").partition("\n")
        place = _CHECKED_LINE.search(stack)
        return message, int(place[1]) if place else 0

    def compiles(self, source: str, *, as_function: bool) -> bool:
        """Return True if the text is an ES module, or the code of a (strict) function."""
        return self.syntax_error(source, as_function=as_function) is None

    # -- operations --------------------------------------------------------------------------------

    def operation_name(self, number: int) -> str:
        """Return the name of an operation, e.g. `crypto.hash`."""
        name = self._operation_names.get(number)
        if name is None:
            name = self._operation_names[number] = self.library.core_operation_name(number).decode()
        return name

    # -- VUs ---------------------------------------------------------------------------------------

    def add(self, interpreter: Asks) -> int:
        """Make a fiber for an interpreter; return its index."""
        index: int = self.library.core_vu_create()
        if index < 0:
            raise MemoryError("no memory for another VU")
        self._interpreters[index] = interpreter
        return index

    def find_operation(self, index: int, name: str) -> Callable[..., object]:
        """Return an operation of the VU with the core's index, e.g. `session.dial`."""
        return self._interpreters[index].find_operation(name)

    def remove(self, index: int) -> None:
        """Free an interpreter's fiber and what its JavaScript holds."""
        self.library.core_vu_destroy(index)
        self._interpreters.pop(index, None)

    # -- running -----------------------------------------------------------------------------------

    def start_with_hub(self) -> None:
        """Let gevent's hub drive the core from now on: after the last fork."""
        from gevent import get_hub

        if self.has_hub:
            return
        self.stop_polling()
        descriptor = self._poll()
        self.library.core_watch()
        self.has_hub = True
        self._watcher = get_hub().loop.io(descriptor, _READ)
        self._watcher.start(self._turn)

    def begin_process(self) -> None:
        """Take over the engine in a process that was forked: it has no hub and no poller of its own."""
        self.has_hub = False
        self._watcher = None
        self.stop_polling()

    def _poll(self) -> int:
        descriptor: int = self.library.core_start_polling()
        if descriptor < 0:
            raise OSError(-descriptor, "the core cannot open its poller")
        self._is_polling = True
        return descriptor

    def stop_polling(self) -> None:
        """Close the poller, which a forked process must not share."""
        if self._is_polling:
            self._is_polling = False
            self.library.core_stop_polling()

    def step(self) -> None:
        """Run the VUs that are ready, and serve their requests; on a greenlet."""
        if self.library.core_turn(_TURN, 0):
            self.serve()

    def _turn(self) -> None:
        """Do what `step` does, in the hub, and wait for more while messages are frequent."""
        if self.library.core_turn(_TURN, _WHILE_DENSE):
            self.serve()

    def run_until(self, is_over: Callable[[], bool]) -> None:
        """Drive the core without a hub until `is_over()` is true."""
        if not self._is_polling:
            self._poll()
        while not is_over():
            self.library.core_turn(_TURN, _LOOK_MS)
            self.serve()
            if not self.is_wanted():
                raise SystemExit(1)

    def serve(self) -> None:
        """Answer the pending requests, and those that the resumed VUs add."""
        if self._is_serving:  # the outer call goes on with the new requests
            return
        self._is_serving = True
        handlers, unpack = self.handlers, binding.REQUEST.iter_unpack
        try:
            while count := self.library.core_take_requests(self._requests, _REQUESTS_AT_ONCE):
                view = self._requests_view[: count * binding.REQUEST.size]
                # Copied now: the next call of the core may move the data.
                requests = [
                    (vu, serial, operation, status, string_at(address, size) if address else b"")
                    for vu, serial, operation, status, address, size in unpack(view)
                ]
                for vu, serial, operation, status, data in requests:
                    handler = handlers.get(operation)
                    if handler is not None:
                        handler(vu, serial, status, data)
                    elif operation == DONE:
                        self._interpreters[vu].finish(status, data)
                    else:
                        self._interpreters[vu].answer(serial, operation, data)
        finally:
            self._is_serving = False


@functools.cache
def process_engine() -> Engine:
    """Return the engine of this process, made on first need."""
    return Engine()
