"""Python half of the streams of `k6/net/grpc`: `streaming.py` has one stream's call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.k6.net.grpc.specs import CallSpec
from jsrunner.modules.k6.net.grpc.streaming import END, Streaming
from jsrunner.transport.rpc_status import RPCError

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.client import Client
    from jsrunner.modules.k6.net.grpc.index import Grpc
    from jsrunner.modules.k6.net.grpc.specs import CallParams
    from jsrunner.proto.schema import Method


class Streams(HostModule):
    """The operations of streams. A stream is known by the handle of its listener."""

    specifier = "jsrunner:k6/net/grpc/stream"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        #: The half that has the clients, and that the script's import has made.
        self._grpc = cast("Grpc", vu.modules["net_grpc"])
        #: The streams whose calls are not over, by their handles.
        self._streams: dict[int, Streaming] = {}

    @operation
    def check(self, number: int, path: str) -> None:
        """Check a stream's client and method, before its parameters. Raises HostError."""
        self._method(number, path)

    def _method(self, number: int, path: str) -> tuple[Client, Method]:
        client = self._grpc.clients[number]
        try:
            client.connected()
        except HostError as error:
            raise HostError(f"invalid GRPC Stream's client: {error}") from None
        try:
            return client, client.method(path)
        except HostError as error:
            raise HostError(f"invalid GRPC Stream's method: {error}") from None

    @operation
    def create(self, number: int, path: str, params: CallParams | None) -> int:
        """Make a stream that is not open.

        Args:
            number: The client.
            path: The method, as the script writes it.
            params: The stream's parameters; None for none.

        Returns:
            A handle, to whose listener the stream's events are posted.

        Raises:
            HostError: The client, the method or a parameter is wrong.
        """
        client, method = self._method(number, path)
        try:
            spec = CallSpec(method, client.connected(), client.library, params)
        except ValueError as error:
            raise HostError(f"invalid GRPC Stream's parameters: {error}") from None
        handle = self.vu.interpreter.new_handle()
        series = self._grpc.shared.series(self.vu, spec)
        streaming = self._streams[handle] = Streaming(self.vu, handle, spec, series)
        streaming.on_over = lambda: self._streams.pop(handle, None)
        return handle

    @operation(blocking=True)
    def open(self, handle: int) -> None:
        """Open a stream, waiting for a connection. Raises HostError."""
        try:
            self._streams[handle].open(self._grpc.shared)
        except RPCError as error:
            del self._streams[handle]
            raise HostError(f"failed to create a new stream: {error}") from None

    @operation
    def cancel(self, handle: int) -> None:
        """Cancel a stream of an iteration that has failed; the script gets its last events."""
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.cancel()

    @operation
    def write(self, handle: int, text: str) -> None:
        """Write a message, given as JSON, to a stream; a failure is an event."""
        streaming = self._streams.get(handle)
        if streaming is not None:
            streaming.write(text)

    @operation
    def end(self, handle: int) -> None:
        """End a stream's requests: no message follows."""
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
        """Log a warning."""
        self.vu.log("warning", text)

    def give_up(self) -> None:
        """End the streams of an iteration that has failed or was stopped."""
        for streaming in list(self._streams.values()):
            streaming.drop()
        self._streams.clear()
