"""QuickJS's C API by ctypes: what dukpy's JSON bridge cannot do, or not fast enough.

dukpy's extension exports QuickJS's symbols, and the capsule of a context begins with the pointers
of the runtime and the context. Measured against the bridge: 64 KB of text or bytes cross in
8-11 us instead of 470, and "is a promise job pending" is answered in 0.2 us without leaving
JavaScript. `supported()` tries it all once per process; where it fails (another build, another
calling convention) the engine falls back to the bridge (see `interpreter`).
"""

from __future__ import annotations

import ctypes
import functools
import random
import re
from typing import TYPE_CHECKING, Any, TypeVar

from jsrunner.engine import quickjs

if TYPE_CHECKING:
    from collections.abc import Callable


class _JSValue(ctypes.Structure):
    """QuickJS's value on 64-bit machines: a payload and a tag."""

    _fields_ = (("payload", ctypes.c_uint64), ("tag", ctypes.c_int64))


class _Capsule(ctypes.Structure):
    _fields_ = (("runtime", ctypes.c_void_p), ("context", ctypes.c_void_p))


#: The name of a text that is only checked, and the line in the stack of what is wrong with it.
_CHECKED = b"file:checked"
_LINE = re.compile(r"file:checked:(\d+):")
_CAPSULE_NAME = b"DUKPY_CONTEXT_CAPSULE"
#: Fields of JSMemoryUsage: how many objects, shapes and functions there are.
_USAGE_OBJECTS = (9, 13, 15)
_GC_THRESHOLD = 512 << 10
_READ_ONLY = 0x100  # PyBUF_READ
_TAG_UNDEFINED, _TAG_EXCEPTION = 3, 6
#: A promise job takes 1 us or more.
JOBS_AT_ONCE = 256
_EVAL_MODULE, _EVAL_COMPILE_ONLY = 1, 1 << 5
_OBJECT_BYTECODE, _OBJECT_NO_SOURCE, _OBJECT_NO_DEBUG = 1, 1 << 4, 1 << 5
_PROMISE_REJECTED = 2

_Tracker = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _JSValue, _JSValue, ctypes.c_bool, ctypes.c_void_p)
_InterruptHandler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


_T = TypeVar("_T")

_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype, _view.argtypes = (
    ctypes.py_object,
    (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int),
)


def _pointer(data: bytes | bytearray) -> Any:
    return data if isinstance(data, bytes) else (ctypes.c_char * len(data)).from_buffer(data)


@functools.cache
def _library() -> Any:
    pointer, size, value = ctypes.c_void_p, ctypes.c_size_t, _JSValue
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "JS_IsJobPending": (ctypes.c_bool, [pointer]),
        "JS_ExecutePendingJob": (ctypes.c_int, [pointer, ctypes.POINTER(pointer)]),
        "JS_PromiseState": (ctypes.c_int, [pointer, value]),
        "JS_PromiseResult": (value, [pointer, value]),
        "JS_GetException": (value, [pointer]),
        "JS_FreeValue": (None, [pointer, value]),
        "JS_DupValue": (value, [pointer, value]),
        "JS_SetMaxStackSize": (None, [pointer, size]),
        "JS_SetMemoryLimit": (None, [pointer, size]),
        "JS_SetGCThreshold": (None, [pointer, size]),
        "JS_FreeContext": (None, [pointer]),
        "JS_RunGC": (None, [pointer]),
        "JS_ComputeMemoryUsage": (None, [pointer, pointer]),
        "JS_SetInterruptHandler": (None, [pointer, _InterruptHandler, pointer]),
        "JS_SetHostPromiseRejectionTracker": (None, [pointer, _Tracker, pointer]),
        "JS_GetGlobalObject": (value, [pointer]),
        "JS_GetPropertyStr": (value, [pointer, value, ctypes.c_char_p]),
        "JS_GetPropertyUint32": (value, [pointer, value, ctypes.c_uint32]),
        "JS_SetPropertyUint32": (ctypes.c_int, [pointer, value, ctypes.c_uint32, value]),
        "JS_NewArrayBufferCopy": (value, [pointer, ctypes.c_char_p, size]),
        "JS_NewStringLen": (value, [pointer, ctypes.c_char_p, size]),
        "JS_GetArrayBuffer": (pointer, [pointer, ctypes.POINTER(size), value]),
        "JS_ToCStringLen2": (pointer, [pointer, ctypes.POINTER(size), value, ctypes.c_bool]),
        "JS_FreeCString": (None, [pointer, pointer]),
        "JS_SetContextOpaque": (None, [pointer, ctypes.py_object]),
        "JS_Call": (value, [pointer, value, value, ctypes.c_int, ctypes.POINTER(value)]),
        "JS_UpdateStackTop": (None, [pointer]),
        "JS_Eval": (value, [pointer, ctypes.c_char_p, size, ctypes.c_char_p, ctypes.c_int]),
        "JS_WriteObject": (pointer, [pointer, ctypes.POINTER(size), value, ctypes.c_int]),
        "JS_ReadObject": (value, [pointer, ctypes.c_char_p, size, ctypes.c_int]),
        "js_free": (None, [pointer, pointer]),
    }
    library = ctypes.PyDLL(quickjs.LIBRARY)  # PyDLL: the GIL is kept, these calls are short
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_UNDEFINED = _JSValue(0, _TAG_UNDEFINED)


class JSException(Exception):
    """JavaScript threw; the text is the value's."""


class Native:
    """The C side of one interpreter. `incoming` and `outgoing` are arrays that host.js shows us."""

    def __init__(self, capsule: object, on_rejection: Callable[[], None] | None = None) -> None:
        get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
        get_pointer.restype, get_pointer.argtypes = (
            ctypes.c_void_p,
            [
                ctypes.py_object,
                ctypes.c_char_p,
            ],
        )
        pointers = ctypes.cast(get_pointer(capsule, _CAPSULE_NAME), ctypes.POINTER(_Capsule))
        self._capsule = pointers.contents
        self._runtime: int = self._capsule.runtime
        self._context: int = self._capsule.context
        self._library = _library()
        self._is_pending = self._library.JS_IsJobPending
        self._set = self._library.JS_SetPropertyUint32
        self._incoming = self._outgoing = self._rejected = self._timers = _JSValue()
        self._dispatch = _JSValue()
        #: Promises that were rejected and have no handler: their address -> index in `rejected`.
        self.rejections: dict[int, int] = {}
        self._rejection_count = 0
        self._interrupted = False
        # Kept alive with this object: QuickJS holds only their addresses.
        self._tracker = _Tracker(self._track)
        self._stopper = _InterruptHandler(self._stop)

    def free(self) -> None:
        """Free what the interpreter holds, before dukpy frees the interpreter.

        QuickJS 0.11 loses track of an object here and there where its memory has run out, and its
        assertion that nothing is left when a runtime is freed would take the process with it. So such a
        runtime, empty but for these, is left standing.
        """
        library, runtime, context = self._library, self._runtime, self._context
        library.JS_FreeValue(context, library.JS_GetException(context))
        library.JS_FreeContext(context)
        self._capsule.context = None
        library.JS_RunGC(runtime)
        usage = (ctypes.c_int64 * 64)()
        library.JS_ComputeMemoryUsage(runtime, usage)
        if any(usage[field] for field in _USAGE_OBJECTS):
            self._capsule.runtime = None

    @property
    def addresses(self) -> tuple[int, int]:
        """The addresses of the runtime and of the context."""
        return self._runtime, self._context

    def adopt_arrays(self) -> None:
        """Remember what host.js has put on the global object for this moment.

        The references are borrowed: host.js itself keeps these alive as long as the context.
        """
        library, context = self._library, self._context
        scope = library.JS_GetGlobalObject(context)
        found = []
        for name in (b"__incoming", b"__outgoing", b"__rejected", b"__timers", b"__dispatch"):
            array = library.JS_GetPropertyStr(context, scope, name)
            library.JS_FreeValue(context, array)
            found.append(array)
        library.JS_FreeValue(context, scope)
        self._incoming, self._outgoing, self._rejected, self._timers, self._dispatch = found
        library.JS_SetHostPromiseRejectionTracker(self._runtime, self._tracker, None)

    def limit(self, *, stack_bytes: int, memory_bytes: int) -> None:
        self._library.JS_SetMaxStackSize(self._runtime, stack_bytes)
        self._library.JS_SetMemoryLimit(self._runtime, memory_bytes)

    def limit_garbage(self) -> None:
        """Look for cyclic garbage sooner than dukpy, which lets 8 MB of it gather in each VU.

        From this size on QuickJS looks whenever half as much again has been allocated.
        """
        self._library.JS_SetGCThreshold(self._runtime, _GC_THRESHOLD)

    def job_pending(self) -> bool:
        pending: bool = self._is_pending(self._runtime)
        return pending

    def run_jobs(self, between: Callable[[], object] | None = None) -> bool:
        """Run promise jobs until none is left; False if one was interrupted.

        `between` is called after every JOBS_AT_ONCE of them.
        """
        context = ctypes.c_void_p()
        run = self._library.JS_ExecutePendingJob
        count = 0
        while not self._interrupted:  # QuickJS makes a rejection of an interrupt in some jobs
            done: int = run(self._runtime, ctypes.byref(context))
            if done == 0:
                return True
            if done < 0:
                self._library.JS_FreeValue(context, self._library.JS_GetException(context))
                return False
            count += 1
            if count % JOBS_AT_ONCE == 0 and between is not None:
                between()
        return False

    def run_module(self, source: bytes, name: bytes, index: int) -> str:
        """Evaluate an ES module without top-level await and what it imports; where that failed.

        Called in the middle of running JavaScript: unlike dukpy's evaluation it runs no promise jobs.
        `link` and `evaluation` say that incoming[index] is the exception, "" that all went well.
        """
        library, context = self._library, self._context
        done = library.JS_Eval(context, source, len(source), name, _EVAL_MODULE)
        if done.tag == _TAG_EXCEPTION:
            self._set(context, self._incoming, index, library.JS_GetException(context))
            return "link"
        try:
            if library.JS_PromiseState(context, done) != _PROMISE_REJECTED:
                return ""
            reason = library.JS_PromiseResult(context, done)
            self._forget_rejections(reason)
            self._set(context, self._incoming, index, reason)
            return "evaluation"
        finally:
            library.JS_FreeValue(context, done)

    def _forget_rejections(self, reason: _JSValue) -> None:
        """Somebody is told of this exception: no promise, of a module that it went through, left it
        to nobody."""
        for promise, index in list(self.rejections.items()):
            other = self._library.JS_GetPropertyUint32(self._context, self._rejected, index)
            if (other.tag, other.payload) == (reason.tag, reason.payload):
                del self.rejections[promise]
            self._library.JS_FreeValue(self._context, other)

    def call(self, entry: bytes, arguments: bytes) -> bytes | None:
        """host.js's `dispatch(entry, arguments)`: a text or nothing. Raises JSException.

        Unlike dukpy's evaluation it publishes nothing, collects no garbage and runs no promise jobs.
        """
        library, context = self._library, self._context
        library.JS_UpdateStackTop(self._runtime)
        values = (_JSValue * 2)(
            library.JS_NewStringLen(context, entry, len(entry)),
            library.JS_NewStringLen(context, arguments, len(arguments)),
        )
        result = library.JS_Call(context, self._dispatch, _UNDEFINED, 2, values)
        for value in values:
            library.JS_FreeValue(context, value)
        if result.tag == _TAG_EXCEPTION:
            said = self._text(library.JS_GetException(context))
            raise JSException(said.decode("utf-8", "replace"))
        if result.tag == _TAG_UNDEFINED:
            return None
        return self._text(result)

    def interrupt(self) -> None:
        """Let whatever JavaScript runs next end with an exception that no script can catch."""
        self._interrupted = True
        self._library.JS_SetInterruptHandler(self._runtime, self._stopper, None)

    def _stop(self, runtime: int, opaque: int | None) -> int:
        """QuickJS asks, every 10,000 steps, whether to stop: yes.

        Inside an async function or a Promise's executor it makes a rejection of that. A loop whose
        length divides the 10,000 would be asked there each time, so the number is shifted.
        """
        library, context = self._library, self._context
        steps = b"for(let i=%d;i--;);" % random.randrange(1, 200)
        value = library.JS_Eval(context, steps, len(steps), b"jsrunner:stop", 0)
        if value.tag == _TAG_EXCEPTION:  # the stack is full
            value = library.JS_GetException(context)
        library.JS_FreeValue(context, value)
        return 1

    def put_buffer(self, index: int, data: bytes | bytearray) -> None:
        """incoming[index] = an ArrayBuffer with a copy of `data`."""
        value = self._library.JS_NewArrayBufferCopy(self._context, _pointer(data), len(data))
        self._set(self._context, self._incoming, index, value)

    def put_text(self, index: int, data: bytes | bytearray) -> None:
        """incoming[index] = the string that `data` (valid UTF-8) spells."""
        value = self._library.JS_NewStringLen(self._context, _pointer(data), len(data))
        self._set(self._context, self._incoming, index, value)

    def use_buffer(self, index: int, use: Callable[[memoryview], _T]) -> _T:
        """`use(view)` of the ArrayBuffer outgoing[index]; the view lasts as long as the call."""
        library, context, size = self._library, self._context, ctypes.c_size_t()
        value = library.JS_GetPropertyUint32(context, self._outgoing, index)
        try:
            address = library.JS_GetArrayBuffer(context, ctypes.byref(size), value)
            if not address:
                return use(memoryview(b""))
            with _view(address, size.value, _READ_ONLY) as view:
                return use(view)
        finally:
            library.JS_FreeValue(context, value)

    # -- bytecode (see image) ----------------------------------------------------------------------

    def compile(self, interpreter: object, source: str, name: str, *, script: bool) -> bytes:
        """The bytecode of a module. `script` keeps its text and positions."""
        library, context, size = self._library, self._context, ctypes.c_size_t()
        library.JS_SetContextOpaque(context, interpreter)  # whose loader dukpy asks for imports
        text = source.encode()
        module = library.JS_Eval(
            context, text, len(text), name.encode(), _EVAL_MODULE | _EVAL_COMPILE_ONLY
        )
        if module.tag == _TAG_EXCEPTION:
            raise ValueError(f"{name} does not compile")
        flags = _OBJECT_BYTECODE
        if not script:
            # A module without positions has no name for its own import() either.
            flags |= _OBJECT_NO_SOURCE | (0 if "import(" in source else _OBJECT_NO_DEBUG)
        address = library.JS_WriteObject(context, ctypes.byref(size), module, flags)
        if not address:
            raise ValueError(f"{name} has no bytecode")
        try:
            return ctypes.string_at(address, size.value)
        finally:
            library.js_free(context, address)

    def syntax_error(self, interpreter: object, source: str) -> tuple[str, int] | None:
        """Return what is wrong with the text of a module, and in which line; None if nothing is.

        Imports are resolved by the interpreter's loader.
        """
        library, context = self._library, self._context
        library.JS_UpdateStackTop(self._runtime)
        library.JS_SetContextOpaque(context, interpreter)
        text = source.encode("utf-8", "replace")
        module = library.JS_Eval(context, text, len(text), _CHECKED, _EVAL_MODULE | _EVAL_COMPILE_ONLY)
        if module.tag != _TAG_EXCEPTION:
            return None  # a module stays as long as its context
        error = library.JS_GetException(context)
        stack = library.JS_GetPropertyStr(context, error, b"stack")
        place = _LINE.search(self._text(stack).decode("utf-8", "replace"))
        message = self._text(error).decode("utf-8", "replace")
        return message.removeprefix("SyntaxError: "), int(place[1]) if place else 0

    def load(self, interpreter: object, name: str, bytecode: bytes) -> None:
        """Make a compiled module known by its name; what it imports must be already, or is loaded."""
        library, context = self._library, self._context
        library.JS_SetContextOpaque(context, interpreter)
        module = library.JS_ReadObject(context, bytecode, len(bytecode), _OBJECT_BYTECODE)
        if module.tag == _TAG_EXCEPTION:
            raise ValueError(f"the bytecode of {name} cannot be read")
        # Twice: QuickJS-NG 0.11 counts a reference too many when it reads a module, which would keep
        # the whole interpreter alive for ever.
        library.JS_FreeValue(context, module)
        library.JS_FreeValue(context, module)

    def waiting_timers(self) -> list[str]:
        """`setTimeout 3` and so on, in the order in which they would be due. Runs no JavaScript."""
        found = []
        for index in range(int(self._field(self._timers, b"length"))):
            timer = self._library.JS_GetPropertyUint32(self._context, self._timers, index)
            name, number, due, order = (
                self._field(timer, field) for field in (b"name", b"id", b"due", b"order")
            )
            self._library.JS_FreeValue(self._context, timer)
            found.append((float(due), int(order), f"{name} {number}"))
        return [text for _, _, text in sorted(found)]

    def _field(self, owner: _JSValue, name: bytes) -> str:
        value = self._library.JS_GetPropertyStr(self._context, owner, name)
        return self._text(value).decode()

    def get_text(self, index: int) -> bytes:
        """The UTF-8 of the string outgoing[index]."""
        return self._text(self._library.JS_GetPropertyUint32(self._context, self._outgoing, index))

    def _text(self, value: _JSValue) -> bytes:
        """A value as text, nothing if it cannot be one; it is freed."""
        library, context, size = self._library, self._context, ctypes.c_size_t()
        address = library.JS_ToCStringLen2(context, ctypes.byref(size), value, False)
        library.JS_FreeValue(context, value)
        if not address:
            library.JS_FreeValue(context, library.JS_GetException(context))
            return b""
        try:
            return ctypes.string_at(address, size.value)
        finally:
            library.JS_FreeCString(context, address)

    def _track(
        self, context: int, promise: _JSValue, reason: _JSValue, handled: bool, _opaque: int
    ) -> None:
        """QuickJS tells of a rejection without a handler, or of a handler that came later."""
        if handled:
            self.rejections.pop(promise.payload, None)
            return
        self._set(
            context,
            self._rejected,
            self._rejection_count,
            self._library.JS_DupValue(context, reason),
        )
        self.rejections[promise.payload] = self._rejection_count
        self._rejection_count += 1

    def take_failure(self) -> str:
        """The text of the first rejection that nobody has handled, "" if there is none."""
        indices = self.take_rejections()
        if not indices:
            return ""
        reason = self._library.JS_GetPropertyUint32(self._context, self._rejected, indices[0])
        return self._text(reason).decode("utf-8", "replace")

    def take_rejections(self) -> list[int]:
        """Indices in `rejected` of the promises that nobody handled, oldest first."""
        found = sorted(self.rejections.values())
        self.rejections.clear()
        self._rejection_count = 0
        return found
