"""One VU's JavaScript as Python sees it: commands in, operations out.

Values cross as MessagePack (see core/codec.h): buffers are bytes, `undefined` and `null` are None.
Python commands an entry (a function that JavaScript has published by name) with `call`; JavaScript asks
for an operation with `host(name, ...)`. Errors of an operation reach the script as the exception that
it names (`HostError`); any other exception is a fault of jsrunner.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from jsrunner.engine.engine import LOAD, NORMALIZE, decode, encode
from jsrunner.engine.errors import HostError, Interrupted, JSError
from jsrunner.text import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from gevent import Greenlet
    from gevent.event import AsyncResult
    from gevent.hub import Waiter

    from jsrunner.engine.engine import Engine

    #: A request: its serial number, the operation, the arguments as MessagePack.
    _Task: TypeAlias = tuple[int, Callable[..., object], bytes]

_Result = TypeVar("_Result")

#: How names of jsrunner's modules begin, k6's among them.
_OURS: Final = ("jsrunner:", "k6")
_OK, _ERROR = 0, 1
_DONE_OK, _DONE_THROWN, _DONE_INTERRUPTED, _DONE_LOST, _DONE_STUCK = range(5)
#: The deadline of a command that has none.
NEVER: Final = 0.0


def encode_value(value: object) -> bytes:
    """Return a value as MessagePack for JavaScript; half a surrogate pair becomes U+FFFD."""
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(mended(value))


def mended(value: object) -> object:
    """Return a value whose texts have U+FFFD for each half of a surrogate pair."""
    if isinstance(value, str):
        return mend_surrogates(value)
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mended(item) for item in value]
    return value


def is_blocking(operation: Callable[..., object]) -> bool:
    """Return True if an operation may switch greenlets (see `modules.base.operation`)."""
    return bool(getattr(operation, "is_blocking", False))


class Interpreter:
    """A fiber with a QuickJS runtime and context.

    `find_operation(name)` gives the function behind an operation's name. `load(specifier)` gives a
    module's source and `normalize(base, specifier)` the specifier that an import means; their
    exceptions are kept in `load_error`. `on_fault(error)` gets unexpected exceptions of operations.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        find_operation: Callable[[str], Callable[..., object]],
        load: Callable[[str], str],
        normalize: Callable[[str, str], str],
        on_fault: Callable[[BaseException], object] = lambda error: None,
    ) -> None:
        self._engine = engine
        self.find_operation = find_operation
        self._load, self._normalize = load, normalize
        self._on_fault = on_fault
        #: Functions by the operations' numbers, looked up on first use.
        self.operations: dict[int, Callable[..., object]] = {
            NORMALIZE: self._normalize_module,
            LOAD: self._load_module,
        }
        #: Operations whose request is answered later, by `reply`: called with its serial number.
        self.deferred: dict[int, Callable[[int], object]] = {}
        self.load_error: BaseException | None = None
        self._last_handle = 0
        #: True if errors can be explained; None before the first error.
        self._explains: bool | None = None
        #: True if an interruption has cost the script's state: the interpreter is empty now.
        self.is_lost = False
        #: True if the last interruption met a built-in function that did not end.
        self.was_stuck = False
        #: Where the last command's end is written: (status, data).
        self._ended: tuple[int, bytes] | None = None
        self._waiter: Waiter[None] | None = None
        #: The greenlet that runs blocking operations, made on first need, and what it waits with.
        self._worker: Greenlet[[_Task], None] | None = None
        self._worker_waiter: Waiter[_Task] | None = None
        #: Names of the timers that an interruption has stopped, e.g. `setTimeout 3`.
        self.stopped_timers: list[str] = []
        #: Where the last interruption met the script's code; empty if nobody has asked for the place.
        self.place = ""
        self.index = engine.add(self)

    def close(self) -> None:
        """Free the fiber and all that its JavaScript holds. It must be idle."""
        if self.index >= 0:
            if self._worker is not None:
                self._worker.kill(block=False)
            self._engine.remove(self.index)
            self.index = -1

    def rest(self) -> None:
        """Give the stack's memory back: no command follows soon. It must be idle."""
        self._engine.library.core_vu_trim(self.index)

    # -- into JavaScript ---------------------------------------------------------------------------

    def evaluate(self, source: str, name: str, deadline: float = NEVER) -> None:
        """Evaluate `source` as the ES module `name`, with what it imports.

        Raises:
            JSError: it has thrown.
            Interrupted: the deadline (time.monotonic) has passed, or `interrupt` was called.
        """
        self._command(f"@{name}", source.encode("utf-8", "surrogatepass"), deadline)

    def call(self, entry: str, *arguments: object, deadline: float = NEVER) -> Any:
        """Call a published entry and return what it returns. Raises as `evaluate` does."""
        result = self._command(entry, encode_value(arguments), deadline)
        return decode(result) if result else None

    def _command(self, name: str, arguments: bytes, deadline: float) -> bytes:
        library = self._engine.library
        text = name.encode()  # kept alive here: the core keeps its address
        self._ended = None
        if not library.core_command(self.index, text, arguments, len(arguments), deadline):
            raise RuntimeError(f"the VU is busy with another command than {name}")
        if self._engine.has_hub:
            self._engine.step()
            if self._ended is None:
                from gevent.hub import Waiter

                self._waiter = Waiter()
                try:
                    self._waiter.get()
                finally:
                    self._waiter = None
        else:
            self._engine.run_until(lambda: self._ended is not None)
        ended = self._ended
        assert ended is not None
        status, data = ended
        if status == _DONE_OK:
            return data
        if status != _DONE_THROWN:
            self.is_lost = status != _DONE_INTERRUPTED
            self.was_stuck = status == _DONE_STUCK
            self.stopped_timers, self.place = decode(data) if data else ([], "")
            raise Interrupted
        raise JSError(data.decode("utf-8", "replace"))

    def finish(self, status: int, data: bytes) -> None:
        """Keep the status and the data of the ended command. The engine calls it."""
        self._ended = (status, data)
        self._stop_worker()
        if self._waiter is not None:
            from gevent import get_hub

            get_hub().loop.run_callback(self._waiter.switch, None)

    def interrupt(self) -> None:
        """End the command under way at once, uncatchably, wherever it is."""
        if self.index >= 0:
            self._engine.library.core_abort(self.index)
            self._engine.serve()

    def post(self, handle: int, payload: object) -> None:
        """Give a payload to the listener of a handle. From any greenlet."""
        data = encode_value(payload)
        self._engine.library.core_post(self.index, handle, data, len(data))

    def new_handle(self) -> int:
        """Return a handle: a number, unique in this VU, that names a listener in JavaScript."""
        self._last_handle += 1
        return self._last_handle

    def run_aside(self, compute: Callable[[], _Result], show: Callable[[_Result], object]) -> int:
        """Run `compute()` in a thread, so that other VUs go on meanwhile: it must not touch the VU.

        Args:
            compute: Returns the result; its HostError becomes the exception that the script gets.
            show: Makes plain values of the result, on the hub's greenlet.

        Returns:
            A handle for `aside` of engine/loop.js, which gets the outcome.
        """
        handle = self.new_handle()

        def outcome() -> tuple[_Result, None] | tuple[None, Exception]:
            try:
                return compute(), None
            except Exception as error:  # gevent's pool would print it
                return None, error

        def done(result: _Result | None, error: Exception | None) -> None:
            if error is None:
                self.post(handle, [None, show(cast("_Result", result))])
            elif isinstance(error, HostError):
                self.post(handle, [[str(error), error.fields], None])
            else:
                self._on_fault(error)
                self.post(handle, [[f"jsrunner: {error}", {}], None])

        if self._engine.has_hub:
            from gevent import get_hub

            def computed(thread: AsyncResult[tuple[_Result, None] | tuple[None, Exception]]) -> None:
                returned = thread.get()
                assert returned is not None
                done(*returned)

            get_hub().threadpool.spawn(outcome).rawlink(computed)
        else:
            done(*outcome())
        return handle

    # -- out of JavaScript -------------------------------------------------------------------------

    def answer(self, serial: int, operation: int, data: bytes) -> None:
        """Run an operation and answer the VU's request. The engine calls it."""
        function = self.operations.get(operation)
        if function is None:
            deferred = self.deferred.get(operation)
            if deferred is not None:
                deferred(serial)
                return
            try:
                function = self.find_operation(self._engine.operation_name(operation))
            except Exception as error:
                self._reply(serial, _ERROR, self._described(error))
                return
            self.operations[operation] = function
        if self._engine.has_hub and is_blocking(function):
            self._run_blocking(serial, function, data)
        else:
            self._run(serial, function, data)

    def _run(self, serial: int, function: Callable[..., object], data: bytes) -> None:
        try:
            try:
                arguments = decode(data)
            except msgspec.DecodeError:  # cannot be: the core has mended the texts
                arguments = ()
            status, reply = _OK, encode_value(function(*arguments))
        except Interrupted:
            # The request of a killed greenlet needs no answer.
            self._engine.library.core_abort_request(self.index, serial)
            self._engine.serve()
            return
        except Exception as error:
            status, reply = _ERROR, self._described(error)
        self._reply(serial, status, reply)

    def reply(self, serial: int, value: object) -> None:
        """Answer a deferred request."""
        self._reply(serial, _OK, encode_value(value))

    def _reply(self, serial: int, status: int, data: bytes) -> None:
        if self._engine.library.core_answer(self.index, serial, status, data, len(data)):
            self._engine.serve()

    def _described(self, error: Exception) -> bytes:
        """Return the parts of JavaScript's exception: kind, text, fields."""
        if isinstance(error, HostError):
            return encode_value((error.kind, str(error), error.fields))
        self._on_fault(error)
        return encode_value(("Error", f"jsrunner: {type(error).__name__}: {error}", {}))

    def _normalize_module(self, base: str, specifier: str) -> str:
        try:
            return self._normalize(base, specifier)
        except Exception as error:
            self.load_error = error
            raise HostError(str(error), "Error") from None

    def _load_module(self, specifier: str) -> str:
        try:
            source = self._load(specifier)
        except Exception as error:
            self.load_error = error
            raise HostError(str(error), "Error") from None
        # VUs read jsrunner's modules as bytecode: it has no texts of functions that scripts could see.
        if specifier.startswith(_OURS):
            self._engine.compile(specifier, source, is_script=False)
        return source

    def explain(
        self, message: str, function: str | None, holder: object, value_texts: list[str]
    ) -> str | tuple[str | None] | None:
        """Return k6's text of the error that QuickJS is making, or a question (`error_texts`)."""
        from jsrunner.engine import error_texts, operations

        addresses = (ctypes.c_uint64 * 3)()
        self._engine.library.core_vu_addresses(self.index, addresses)
        runtime, context, stack_bytes = addresses
        if self._explains is None:
            self._explains = operations.is_readable(runtime, stack_bytes)
        if not self._explains:
            return None
        return error_texts.explain(runtime, context, message, function, value_texts)

    # -- blocking operations -----------------------------------------------------------------------

    def _run_blocking(self, serial: int, function: Callable[..., object], data: bytes) -> None:
        """Run an operation in the VU's own greenlet, which is kept: a fresh one costs 20 us more."""
        import gevent

        waiter, self._worker_waiter = self._worker_waiter, None
        if waiter is not None:
            gevent.get_hub().loop.run_callback(waiter.switch, (serial, function, data))
        else:
            self._worker = gevent.spawn(self._run_tasks, (serial, function, data))

    def _run_tasks(self, task: _Task) -> None:
        from gevent import GreenletExit
        from gevent.hub import Waiter

        while True:
            try:
                self._run(*task)
            except GreenletExit:  # see _stop_worker
                return
            waiter: Waiter[_Task] = Waiter()
            self._worker_waiter = waiter
            task = waiter.get()

    def _stop_worker(self) -> None:
        """Kill the greenlet of an abandoned blocking operation; an idle greenlet stays."""
        worker = self._worker
        if worker is None or self._worker_waiter is not None:
            return
        from gevent import getcurrent

        if worker is not getcurrent():  # else its operation is over: this runs inside its answer
            self._worker = None
            worker.kill(block=False)
