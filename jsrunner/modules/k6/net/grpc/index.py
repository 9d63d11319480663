"""Python half of `k6/net/grpc`: clients with what they have loaded, their calls and streams.

docs/grpc.md tells how a call travels. The JavaScript half has read the arguments; what is wrong with
them otherwise is said here, in k6's order.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent import get_hub, getcurrent

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation

try:
    import google.protobuf  # noqa: F401
except ImportError:
    raise HostError("k6/net/grpc needs the package protobuf: pip install 'jsrunner[grpc]'") from None

from jsrunner.modules.k6.net.grpc import health, loading, reflection
from jsrunner.modules.k6.net.grpc.connecting import Connection, read_params
from jsrunner.modules.k6.net.grpc.durations import duration
from jsrunner.modules.k6.net.grpc.responses import row_of, write_message
from jsrunner.modules.k6.net.grpc.shared import Shared
from jsrunner.modules.k6.net.grpc.specs import BadMetadata, CallSpec
from jsrunner.modules.k6.net.grpc.streams import END, Streaming
from jsrunner.proto.errors import MappingError, SchemaError
from jsrunner.proto.schema import Library
from jsrunner.transport.rpc import ConnectFailure
from jsrunner.transport.rpc_status import CANCELED, INTERNAL, RESOURCE_EXHAUSTED, RPCError, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.shared import CallSeries
    from jsrunner.proto.schema import Method
    from jsrunner.transport.rpc_call import Call

_NOT_CONNECTED: Final = "no gRPC connection, you must call connect first"
_STOPPED: Final = Status(CANCELED, "context canceled")
#: Seconds of a call that is given no timeout.
_TIMEOUT: Final = 120.0


class Client:
    """A script's client: what it has loaded, and its connection."""

    def __init__(self) -> None:
        self.library = Library()
        self.connection: Connection | None = None


class Grpc(HostModule):
    specifier = "k6/net/grpc"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        shared = vu.shared.get(self.specifier)
        if shared is None:
            shared = vu.shared[self.specifier] = Shared(vu.process)
        self._shared: Shared = shared
        self._clients: list[Client] = []
        #: Calls under way, which end with the iteration.
        self._calls: set[Call] = set()
        self._streams: dict[int, Streaming] = {}

    # -- clients -----------------------------------------------------------------------------------

    @operation
    def begin_use(self) -> None:
        """Answer the module's first question: whether protobuf is there."""

    @operation
    def new_client(self) -> int:
        self._clients.append(Client())
        return len(self._clients) - 1

    @operation
    def load(self, number: int, paths: list[str], files: list[str]) -> list[dict[str, Any]]:
        """Load .proto files: the methods in them and in what they import."""
        try:
            schema = self._shared.schema(
                ("proto", *paths, "", *files), lambda: loading.load(self.vu, paths, files)
            )
        except SchemaError as error:
            raise HostError(str(error)) from None
        return self._add(number, schema)

    @operation
    def load_protoset(self, number: int, path: str) -> list[dict[str, Any]]:
        """Load a serialized FileDescriptorSet."""
        try:
            schema = self._shared.schema(
                ("protoset", path), lambda: loading.load_protoset(self.vu, path)
            )
        except SchemaError as error:
            raise HostError(str(error)) from None
        return self._add(number, schema)

    def _add(self, number: int, schema: Any) -> list[dict[str, Any]]:
        self._clients[number].library.add(schema)
        return [
            {
                "package": method.package,
                "service": method.service,
                "full_method": method.path,
                "name": method.name,
                "is_client_stream": method.client_streams,
                "is_server_stream": method.server_streams,
            }
            for method in schema.methods.values()
        ]

    @operation(blocking=True)
    def connect(self, number: int, address: str, params: dict[str, Any]) -> bool:
        """Connect a client; an earlier connection is replaced."""
        client = self._clients[number]
        parsed = read_params(params)
        tls = parsed.tls_contexts(self.vu.process.options)
        client.connection = None
        try:
            connection = Connection(self.vu, address, parsed, tls)
            connection.channel.connect(parsed.timeout)
        except ConnectFailure as error:
            if error.is_final:
                raise HostError(str(error)) from None
            # The address is none, which k6 tries to dial till the end.
            gevent.sleep(max(parsed.timeout, 0))
            raise HostError(f"context deadline exceeded: {error}") from None
        except TimeoutError as error:
            raise HostError(str(error)) from None
        client.connection = connection
        if parsed.reflects:
            try:
                schema = reflection.reflect(self._reflection_call, parsed, connection)
            except (SchemaError, RPCError) as error:
                raise HostError(str(error)) from None
            client.library.add(schema)
        return True

    def _reflection_call(self, call: Call) -> Callable[[], None]:
        """Take a call of reflection's; return what takes its sample."""
        self._calls.add(call)
        started = time.perf_counter()
        series = self._shared.plain_series(self.vu)

        def done() -> None:
            self._calls.discard(call)
            if call.is_measured and call.status is not None:
                series.record_duration(time.perf_counter() - started, call.status.code)

        return done

    @operation
    def close(self, number: int) -> None:
        """Close a client's connection; calls under way are canceled."""
        client = self._clients[number]
        connection, client.connection = client.connection, None
        if connection is not None:
            connection.channel.close()

    def _connected(self, number: int) -> tuple[Client, Connection]:
        client = self._clients[number]
        if client.connection is None:
            raise HostError(_NOT_CONNECTED)
        return client, client.connection

    # -- calls -------------------------------------------------------------------------------------

    @operation
    def check(self, number: int, path: str) -> None:
        """Raise what is wrong with a call before its parameters are."""
        client, _ = self._connected(number)
        self._method(client, path)

    @staticmethod
    def _method(client: Client, path: str) -> Method:
        if not path:
            raise HostError("method to invoke cannot be empty")
        if not path.startswith("/"):
            path = f"/{path}"
        method = client.library.method(path)
        if method is None:
            raise HostError(f"method {loading.quoted(path)} not found in file descriptors")
        return method

    @operation(blocking=True)
    def invoke(self, number: int, path: str, request: str, params: dict[str, Any] | None) -> list[Any]:
        """Make a unary call: its response, as `responseOf` of responses.js takes it."""
        call, spec, series = self._prepare(number, path, request, params)
        started = time.perf_counter()
        self._run(call, spec.connection)
        return self._finished(call, spec, series, started)

    @operation
    def begin(self, number: int, path: str, request: str, params: dict[str, Any] | None) -> int:
        """Begin a unary call: a handle to whose listener the response is posted."""
        call, spec, series = self._prepare(number, path, request, params)
        handle = self.vu.interpreter.new_handle()
        started = time.perf_counter()

        def end(status: Status) -> None:
            self._calls.discard(call)
            try:
                outcome: list[Any] = [None, self._finished(call, spec, series, started)]
            except HostError as error:
                outcome = [str(error), None]
            self.vu.interpreter.post(handle, outcome)

        self._calls.add(call)
        if call.status is not None:
            get_hub().loop.run_callback(end, call.status)
        else:
            call.on_end = end
            spec.connection.channel.begin_aside(call)
        return handle

    def _prepare(
        self, number: int, path: str, request: str, params: dict[str, Any] | None
    ) -> tuple[Call, CallSpec, CallSeries]:
        client, connection = self._connected(number)
        spec: CallSpec | None = None if params else connection.plain_specs.get(path)
        if spec is None:
            method = self._method(client, path)
            try:
                spec = CallSpec(method, connection, client.library, params)
            except ValueError as error:
                raise HostError(f"invalid GRPC's client.invoke() parameters: {error}") from None
            if not params:
                connection.plain_specs[path] = spec
        try:
            message = write_message(spec.method.request, request, client.library)
        except MappingError as error:
            text = "unable to serialise request object to protocol buffer: proto: "
            raise HostError(f"{text}{error}") from None
        series = self._shared.series(self.vu, spec)
        call = spec.new_call(streams=False)
        seconds = spec.timeout or _TIMEOUT
        call.deadline = time.monotonic() + seconds
        call.expire_in(seconds, get_hub().loop)
        self._shared.watch(self.vu, call, spec, series)
        try:
            fields = spec.fields()
        except BadMetadata as error:
            call.is_measured = False
            call.finish(Status(INTERNAL, str(error)))
        else:
            call.fields = fields
            if len(message) > connection.max_send:
                text = (
                    f"trying to send message larger than max ({len(message)} vs. {connection.max_send})"
                )
                call.finish(Status(RESOURCE_EXHAUSTED, text))
            call.send(message, end=True)
        return call, spec, series

    def _run(self, call: Call, connection: Connection) -> None:
        """Wait in this greenlet until a call is over."""
        if call.status is not None:
            return
        self._calls.add(call)
        try:
            connection.channel.begin(call)
            if call.status is None:
                greenlet = getcurrent()
                call.on_end = lambda status: greenlet.switch()
                get_hub().switch()
        finally:
            self._calls.discard(call)
            if call.status is None:
                call.on_end = lambda status: None
                call.cancel(_STOPPED)

    def _finished(self, call: Call, spec: CallSpec, series: CallSeries, started: float) -> list[Any]:
        """Take the sample of a call that is over, and return its response."""
        assert call.status is not None
        if call.is_measured:
            series.record_duration(time.perf_counter() - started, call.status.code, call)
        try:
            return row_of(call, spec)
        except MappingError as error:
            text = "unable to convert response object to JSON: failed to marshal the message: proto: "
            raise HostError(f"{text}{error}") from None

    @operation(blocking=True)
    def health_check(self, number: int, service: str) -> int:
        """Ask a server for its health: the number of the serving status."""
        _, connection = self._connected(number)
        series = self._shared.plain_series(self.vu)
        call = health.new_call(service, connection)
        started = time.perf_counter()
        self._run(call, connection)
        assert call.status is not None
        series.record_duration(time.perf_counter() - started, call.status.code, call)
        if call.status.code:
            raise HostError(str(call.status))
        return int(call.message)

    # -- streams -----------------------------------------------------------------------------------

    @operation
    def check_stream(self, number: int, path: str) -> None:
        """Raise what is wrong with a stream before its parameters are."""
        self._stream_method(number, path)

    def _stream_method(self, number: int, path: str) -> tuple[Client, Connection, Method]:
        try:
            client, connection = self._connected(number)
        except HostError as error:
            raise HostError(f"invalid GRPC Stream's client: {error}") from None
        try:
            return client, connection, self._method(client, path)
        except HostError as error:
            raise HostError(f"invalid GRPC Stream's method: {error}") from None

    @operation
    def new_stream(self, number: int, path: str, params: dict[str, Any] | None) -> int:
        """Make a stream that is not open: a handle to whose listener its events are posted."""
        client, connection, method = self._stream_method(number, path)
        try:
            spec = CallSpec(method, connection, client.library, params)
        except ValueError as error:
            raise HostError(f"invalid GRPC Stream's parameters: {error}") from None
        handle = self.vu.interpreter.new_handle()
        series = self._shared.series(self.vu, spec)
        streaming = self._streams[handle] = Streaming(self.vu, handle, spec, series)
        streaming.on_over = lambda: self._streams.pop(handle, None)
        return handle

    @operation(blocking=True)
    def open_stream(self, handle: int) -> None:
        """Open a stream, waiting for a connection."""
        try:
            self._streams[handle].open(self._shared)
        except RPCError as error:
            del self._streams[handle]
            raise HostError(f"failed to create a new stream: {error}") from None

    @operation
    def cancel(self, handle: int) -> None:
        """The iteration has failed: its streams end, and say so."""
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.cancel()

    @operation
    def write(self, handle: int, text: str) -> None:
        """Write a message to a stream; what is wrong with it is an event."""
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.write(text)

    @operation
    def end(self, handle: int) -> None:
        """Say that no message follows on a stream."""
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.end()

    @operation
    def closed(self, handle: int) -> None:
        """Post a stream's event `end`; its call may go on."""
        self.vu.interpreter.post(handle, [END])
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.closed()

    @operation
    def warn(self, text: str) -> None:
        self.vu.log("warning", text)

    @operation
    def duration_error(self, value: Any) -> str:
        """Return what is wrong with a duration; "" if nothing is."""
        try:
            duration(value)
        except ValueError as error:
            return str(error)
        return ""

    # -- the end -----------------------------------------------------------------------------------

    def give_up(self) -> None:
        """An iteration has failed or was stopped: its calls end, connections stay."""
        for streaming in list(self._streams.values()):
            streaming.drop()
        self._streams.clear()
        calls, self._calls = list(self._calls), set()
        for call in calls:
            call.on_end = lambda status: None
            call.cancel(_STOPPED)
