"""One JavaScript interpreter: modules, calls in both directions, limits.

Data crosses as JSON (orjson); long texts and buffers cross beside it, in arrays (see `native`), or
as latin-1 text where the C API cannot be used. JavaScript calls an operation by name; Python calls
an entry of host.js by name. Errors of an operation reach the script as the exception that it names
(`HostError`), anything else is a fault of ours and reaches the run as itself.
"""

from __future__ import annotations

import codecs
import functools
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from jsrunner.engine import quickjs
from jsrunner.engine.native import JSException, Native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.engine.image import Image

#: QuickJS measures its stack in bytes of C stack; k6 takes some 5,000 frames of plain recursion.
STACK_BYTES = 24 << 20
#: What is left of the C stack for Python and for what JavaScript calls.
_STACK_MARGIN = 2 << 20
#: Per VU. k6 has no limit of its own; without one a script that allocates for ever takes the machine.
MEMORY_BYTES = 512 << 20

#: The modules that every interpreter evaluates before anything else: `jsrunner:NAME` is NAME.js.
_OWN = (
    "primordials", "errors", "host", "context", "samples", "error_texts", "positions", "language",
)  # fmt: skip
#: Name -> text of these modules, each behind the ones that it imports.
OWN_SOURCES = {
    f"jsrunner:{name}": Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    for name in _OWN
}
_START = "".join(f"import '{name}';" for name in OWN_SOURCES).encode()


def _byte_by_byte(error: UnicodeError) -> tuple[str, int]:
    """Go replaces each invalid byte, Python's own handler each maximal invalid sequence."""
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd", error.start + 1


codecs.register_error("go", _byte_by_byte)


_T = TypeVar("_T")


class HostError(Exception):
    """An operation failed as the script shall see it.

    `kind` is the JavaScript class (GoError, TypeError, RangeError, SyntaxError, Error) and `fields`
    are further properties of a GoError's value.
    """

    def __init__(self, text: str, kind: str = "GoError", **fields: object) -> None:
        super().__init__(text)
        self.kind = kind
        self.fields = fields

    @classmethod
    def named(cls, name: str, message: str) -> HostError:
        """One of Go's errors that have a name, e.g. OperationError (`fail` of errors.js)."""
        return cls(f"{name}: {message}", name=name, message=message)


class Interrupted(BaseException):
    """The VU is to stop now. Raised in operations; no script can catch what it becomes."""


def _refuse(*_: object) -> Any:
    raise Interrupted


class _Refusing(dict[Any, "Callable[..., Any]"]):
    """The operations of an interpreter that is to stop: whatever it calls fails."""

    def __missing__(self, name: object) -> Callable[..., Any]:
        return _refuse

    def get(self, name: Any, default: object = None) -> Any:
        return super().get(name, _refuse)


def _stack_bytes() -> int:
    """As much as this process's C stack may grow to."""
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    if limit == resource.RLIM_INFINITY:
        return STACK_BYTES
    return max(min(STACK_BYTES, limit - _STACK_MARGIN), limit // 4)


class JSError(Exception):
    """An exception left the interpreter; the text is the value's, then its stack."""


def mend(text: bytes) -> bytes:
    """UTF-8 of a JavaScript string; half a surrogate pair becomes U+FFFD, as in Go."""
    try:
        text.decode()
        return text
    except UnicodeDecodeError:
        mended: bytes = _mend(text.decode("utf-8", "surrogatepass")).encode()
        return mended


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mend(one) for one in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(one) for key, one in value.items()}
    return value


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:  # half a surrogate pair: JavaScript writes it, orjson refuses it
        return _mend(json.loads(data))


class Interpreter:
    """A QuickJS runtime with one context.

    `operations` can be called from JavaScript by name; one that is not there is asked for with
    `find_operation(name)`. `load(specifier) -> source` and `normalize(base, specifier) ->
    specifier` resolve modules; what they raise is kept in `load_error`, because the bridge swallows
    it. Modules of an `image` are not loaded.
    """

    # dukpy asks this before each call. A built-in that is true for every name costs least.
    _check_exported_function_exists = bool

    def __init__(
        self,
        operations: Mapping[bytes, Callable[..., object]],
        *,
        load: Callable[[str], str],
        normalize: Callable[[str, str], str],
        find_operation: Callable[[str], Callable[..., object]] | None = None,
        native: bool | None = None,
        image: Image | None = None,
    ) -> None:
        self._ctx = quickjs.create_context()
        self.operations: dict[bytes, Callable[..., object]] = {
            b"$error": self._describe_error,
            b"$rejections": self._take_rejections,
            b"$explain": self._explain_error,
            **operations,
        }
        #: Operations that are called often: the first character of their name is below a space and
        #: says which it is, the rest is their argument. The result is JSON or None.
        self.hot: dict[int, Callable[[bytes], bytes | None]] = {3: self.run_jobs}
        #: Called now and then while promise jobs run, so that others have their turn.
        self.between_jobs: Callable[[], object] | None = None
        self._load, self._normalize = load, normalize
        self._find_operation = find_operation
        self.load_error: BaseException | None = None
        self._host_error: BaseException | None = None
        #: A fault in our own code that a script was shown as an exception; the run reports it.
        self.fault: BaseException | None = None
        #: Whether errors can be explained; None before the first one.
        self._explains: bool | None = None
        self._token = os.urandom(8).hex()
        self._incoming = 0
        self.native: Native | None = None
        use_native = supported() if native is None else native
        if use_native:
            self.native = Native(self._ctx)
            self.native.limit(stack_bytes=_stack_bytes(), memory_bytes=MEMORY_BYTES)
        settings = orjson.dumps({"token": self._token, "native": use_native})
        if self.native and image:
            for name, bytecode in image.modules:
                self.native.load(self, name, bytecode)
        self._evaluate(_START, settings, "jsrunner:start")
        if self.native:
            self.native.adopt_arrays()
        self.call("hideArrays")

    def __del__(self) -> None:
        native = getattr(self, "native", None)
        if native is not None and not sys.is_finalizing():
            native.free()

    # -- into JavaScript ---------------------------------------------------------------------------

    def call(self, entry: str, *args: object) -> Any:
        """Call one of host.js's `entries` with JSON-like arguments. Raises JSError, Interrupted."""
        if self.native:
            try:
                result = self.native.call(entry.encode(), orjson.dumps(args))
            except JSException as error:
                raise JSError(str(error)) from None
        else:
            variables = orjson.dumps({"token": self._token, "name": entry, "args": args})
            result = self._evaluate(b"dukpy()", variables, None)
        return None if result is None else _loads(result)

    def run_module(self, source: str, name: str) -> None:
        """Evaluate `source` as the ES module `name`, with what it imports, and its promise jobs.

        Raises JSError, also for a promise that was rejected and that nobody has handled.
        With the C API no code of a script's may run in it, which would see dukpy's bridge.
        """
        self._evaluate(source.encode(), b"{}", name)
        failure = self.native and self.native.take_failure()
        if failure:
            raise JSError(failure)
        if self.native:
            self.call("hideBridge")

    def load_now(self, source: str, name: str) -> tuple[str, int] | None:
        """Evaluate `source` as the ES module `name` in the middle of running JavaScript.

        By the C API only. Where it failed (see `Native.run_module`), and a handle of the exception.
        """
        assert self.native is not None
        index = self._next_incoming()
        failed = self.native.run_module(source.encode(), name.encode(), index)
        return (failed, index) if failed else None

    def _evaluate(self, source: bytes, variables: bytes, module: str | None) -> bytes | None:
        if self.native:
            self.native.limit_garbage()
        try:
            result: bytes | None = quickjs.eval_string(
                self, source, variables, module is not None, module or ""
            )
            return result
        except quickjs.JSRuntimeError as error:
            raise JSError(str(error)) from None
        finally:
            if self.native:  # dukpy has set its own limit again
                self.native.limit_garbage()

    def interrupt(self) -> None:
        """Whatever JavaScript runs or is called next ends at once, uncatchably and for good."""
        if self.native:
            self.native.interrupt()
        self.operations = _Refusing({b"$error": self._describe_error})
        self.hot = _Refusing()

    # -- out of JavaScript: the names are dukpy's --------------------------------------------------

    def _call_python(self, name: bytes, _arguments: bytes) -> bytes | None:
        """Call the operation that `callPython` of host.js names; its arguments are part of the name."""
        try:
            if name[0] < 32:
                return self.hot[name[0]](name)
            name, _, arguments = name.partition(b" ")
            operation = self.operations.get(name) or self._find(name)
            result = operation(*_loads(arguments)) if arguments else operation()
            return None if result is None else orjson.dumps(result)
        except BaseException as error:
            self._host_error = error
            raise

    def _find(self, name: bytes) -> Callable[..., object]:
        """An operation that is called for the first time."""
        if self._find_operation is None:
            raise LookupError(name.decode())
        operation = self.operations[name] = self._find_operation(name.decode())
        return operation

    @property
    def loader(self) -> Interpreter:
        return self

    def load(self, name: str) -> tuple[str, str, str]:
        """dukpy's loader: (id, source, format)."""
        try:
            return name, OWN_SOURCES.get(name) or self._load(name), "module"
        except Exception as error:
            self.load_error = error
            raise

    def _normalize_module(self, base: str, name: str) -> str:
        try:
            return self._normalize(base, name)
        except Exception as error:
            self.load_error = error
            raise

    # -- buffers -----------------------------------------------------------------------------------

    def buffer(self, packed: int | str) -> bytes:
        """The bytes of what JavaScript gave to `pack`."""
        return self.use_buffer(packed, bytes)

    def text(self, packed: int | str) -> bytes:
        """The UTF-8 of what JavaScript gave to `packText`."""
        if isinstance(packed, str):
            return packed.encode()
        assert self.native is not None
        return self.native.get_text(packed)

    def use_buffer(self, packed: int | str, use: Callable[[memoryview | bytes], _T]) -> _T:
        """`use(bytes)` of what JavaScript gave to `pack`, uncopied: valid during the call only."""
        if isinstance(packed, str):
            return use(packed.encode("latin-1"))
        assert self.native is not None
        return self.native.use_buffer(packed, use)

    def put_buffer(self, data: bytes | bytearray) -> object:
        """A handle which JavaScript's `unpack` turns into an ArrayBuffer."""
        if self.native is None:
            return ["buffer", data.decode("latin-1")]
        self.native.put_buffer(self._next_incoming(), data)
        return self._incoming

    def put_text(self, data: bytes | bytearray) -> object:
        """A handle which JavaScript's `unpack` turns into a string; `data` is valid UTF-8."""
        if self.native is None:
            return ["text", data.decode()]
        self.native.put_text(self._next_incoming(), data)
        return self._incoming

    def _next_incoming(self) -> int:
        # A ring: what was handed over is taken before so many more have been.
        self._incoming = (self._incoming + 1) & 0xFFFF
        return self._incoming

    # -- operations of the engine itself -----------------------------------------------------------

    def _describe_error(self) -> object:
        error, self._host_error = self._host_error, None
        if isinstance(error, HostError):
            return error.kind, str(error), error.fields
        if isinstance(error, Interrupted):
            return ("interrupted",)
        self.fault = error
        return "Error", f"jsrunner: {type(error).__name__}: {error}", {}

    def _explain_error(self, message: str, function: str | None) -> str | None:
        """k6's text of an error that QuickJS has just made (`error_texts`)."""
        native = self.native
        if native is None:
            return None
        from jsrunner.engine import error_texts, operations

        if self._explains is None:
            self._explains = operations.is_readable(native.addresses[0], _stack_bytes())
        return error_texts.explain(*native.addresses, message, function) if self._explains else None

    def run_jobs(self, _name: bytes = b"") -> bytes | None:
        """Run promise jobs: None if there were none, else whether rejections are to be taken (JSON)."""
        native = self.native
        assert native is not None
        if native.job_pending():
            if not native.run_jobs(self.between_jobs):
                raise Interrupted
            return b"1" if native.rejections else b"0"
        return b"1" if native.rejections else None

    def _take_rejections(self) -> list[int]:
        """The indices of the unhandled rejections in the array `rejected` of host.js."""
        assert self.native is not None
        return self.native.take_rejections()

    def work_pending(self) -> bool:
        """Whether promise jobs or rejections wait. Without the C API: always, to be safe."""
        native = self.native
        return native is None or native.job_pending() or bool(native.rejections)


@functools.cache
def supported() -> bool:
    """Whether the C API works here: a round trip of a text, a buffer, a job and a rejection.

    JSRUNNER_NATIVE=0 in the environment says no.
    """
    if os.environ.get("JSRUNNER_NATIVE") == "0":
        return False
    try:
        seen: list[object] = []
        interpreter = Interpreter(
            {
                b"text": lambda packed: seen.append(interpreter.text(packed)),
                b"buffer": lambda packed: seen.append(interpreter.buffer(packed)),
                b"give": lambda: [
                    interpreter.put_text("ü".encode()),
                    interpreter.put_buffer(b"\0\xff"),
                ],
                b"say": seen.append,
            },
            load=lambda name: "",
            normalize=lambda base, name: name,
            native=True,
        )
        interpreter.run_module(_SELF_TEST, "jsrunner:selftest")
        return seen == ["ü".encode(), b"\1\0", ["ü", 0, 255], "job", ["reason"]]
    except (AttributeError, OSError, JSError):
        return False


_SELF_TEST = """
import { host, pack, packText, unpack, drainJobs } from 'jsrunner:host';
host('text', packText('ü'));
host('buffer', pack(new Uint8Array([1, 0]).buffer));
const [text, buffer] = host('give').map(unpack);
host('say', [text, ...new Uint8Array(buffer)]);
Promise.resolve().then(() => host('say', 'job'));
Promise.reject('handled').catch(() => {});
Promise.reject('reason');
host('say', drainJobs());
"""
