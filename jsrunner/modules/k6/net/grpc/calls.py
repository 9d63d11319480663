"""The unary calls of one VU: preparation, waiting, samples, responses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gevent import get_hub, getcurrent

from jsrunner.engine.errors import HostError
from jsrunner.modules.k6.net.grpc import health
from jsrunner.modules.k6.net.grpc.responses import response_of, write_message
from jsrunner.modules.k6.net.grpc.specs import BadMetadata, CallSpec
from jsrunner.proto.errors import MappingError
from jsrunner.transport.rpc_status import ABANDONED, INTERNAL, RESOURCE_EXHAUSTED, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.client import Client
    from jsrunner.modules.k6.net.grpc.connecting import GrpcConnection
    from jsrunner.modules.k6.net.grpc.responses import Response
    from jsrunner.modules.k6.net.grpc.series import CallSeries
    from jsrunner.modules.k6.net.grpc.shared import Shared
    from jsrunner.modules.k6.net.grpc.specs import CallParams
    from jsrunner.transport.rpc_call import Call

#: Seconds of a call that is given no timeout, as in k6.
_TIMEOUT: Final = 120.0


class UnaryCall:
    """A unary call with what its sample and its response need; one object per call."""

    def __init__(self, call: Call, spec: CallSpec, series: CallSeries) -> None:
        self.call = call
        self.spec = spec
        self._series = series
        self._started = time.perf_counter()

    def finish(self) -> Response:
        """Take the sample of the call, which is over, and return its response. Raises HostError."""
        call = self.call
        assert call.status is not None
        if call.is_measured:
            self._series.record_duration(time.perf_counter() - self._started, call.status.code, call)
        try:
            return response_of(call, self.spec)
        except MappingError as error:
            text = "unable to convert response object to JSON: failed to marshal the message: proto: "
            raise HostError(f"{text}{error}") from None


class Calls:
    """The unary calls of a VU that are under way: they end with its iteration."""

    def __init__(self, vu: ModuleContext, shared: Shared) -> None:
        self._vu = vu
        self._shared = shared
        self._running: set[Call] = set()

    def prepare(self, client: Client, path: str, request: str, params: CallParams | None) -> UnaryCall:
        """Make a call that has not begun.

        Args:
            client: The script's client.
            path: The method, as the script writes it.
            request: The request as JSON.
            params: The parameters as checked by the JavaScript half; None for none.

        Raises:
            HostError: An argument is wrong. The text is k6's.
        """
        connection = client.connected()
        spec = None if params else client.plain_specs.get(path)
        if spec is None:
            method = client.method(path)
            try:
                spec = CallSpec(method, connection, client.library, params)
            except ValueError as error:
                raise HostError(f"invalid GRPC's client.invoke() parameters: {error}") from None
            if not params:
                client.plain_specs[path] = spec
        try:
            message = write_message(spec.method.request, request, client.library)
        except MappingError as error:
            text = "unable to serialise request object to protocol buffer: proto: "
            raise HostError(f"{text}{error}") from None
        series = self._shared.series(self._vu, spec)
        call = spec.new_call(streams=False)
        seconds = spec.timeout or _TIMEOUT
        call.deadline = time.monotonic() + seconds
        call.expire_in(seconds, get_hub().loop)
        self._shared.watch(self._vu, call, spec, series)
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
        return UnaryCall(call, spec, series)

    def run(self, call: Call, connection: GrpcConnection) -> None:
        """Wait in this greenlet until a call is over."""
        if call.status is not None:
            return
        self._running.add(call)
        try:
            connection.channel.begin(call)
            if call.status is None:
                greenlet = getcurrent()
                call.on_end = lambda status: greenlet.switch()
                get_hub().switch()
        finally:
            self._running.discard(call)
            if call.status is None:
                call.on_end = lambda status: None
                call.cancel(ABANDONED)

    def begin(self, unary: UnaryCall, ended: Callable[[], object]) -> None:
        """Begin a call, and call `ended()` from the hub when it is over."""
        call = unary.call

        def end(status: Status) -> None:
            self._running.discard(call)
            ended()

        self._running.add(call)
        if call.status is not None:
            get_hub().loop.run_callback(end, call.status)
        else:
            call.on_end = end
            unary.spec.connection.channel.begin_aside(call)

    def check_health(self, service: str, connection: GrpcConnection) -> int:
        """Ask a server for a service's health; return the number of the serving status.

        Raises:
            HostError: The call has failed.
        """
        series = self._shared.plain_series(self._vu)
        call = health.new_call(service, connection)
        started = time.perf_counter()
        self.run(call, connection)
        assert call.status is not None
        series.record_duration(time.perf_counter() - started, call.status.code, call)
        if call.status.code:
            raise HostError(str(call.status))
        assert isinstance(call.message, int)
        return call.message

    def watch_reflection(self, call: Call) -> Callable[[], None]:
        """Take part in a call of reflection's; return the function that takes its sample."""
        self._running.add(call)
        started = time.perf_counter()
        series = self._shared.plain_series(self._vu)

        def done() -> None:
            self._running.discard(call)
            if call.is_measured and call.status is not None:
                series.record_duration(time.perf_counter() - started, call.status.code)

        return done

    def stop(self) -> None:
        """Cancel the calls under way, without reporting their ends."""
        calls, self._running = list(self._running), set()
        for call in calls:
            call.on_end = lambda status: None
            call.cancel(ABANDONED)
