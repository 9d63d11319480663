"""Python half of `k6/net/grpc`: clients with what they have loaded, and their unary calls.

docs/guides/grpc.md describes the connection. The JavaScript half has checked the types of arguments.
This half makes the other checks, in k6's order. `stream.py` has the streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation

try:
    import google.protobuf  # noqa: F401
except ImportError:
    raise HostError("k6/net/grpc needs the package protobuf: pip install 'jsrunner[grpc]'") from None

from jsrunner.modules.k6.net.grpc import loading, reflection
from jsrunner.modules.k6.net.grpc.calls import Calls
from jsrunner.modules.k6.net.grpc.client import Client
from jsrunner.modules.k6.net.grpc.connecting import GrpcConnection, read_params
from jsrunner.modules.k6.net.grpc.durations import duration
from jsrunner.modules.k6.net.grpc.shared import Shared
from jsrunner.proto.errors import SchemaError
from jsrunner.transport.rpc import ConnectFailure
from jsrunner.transport.rpc_status import DEADLINE_TEXT, RPCError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.connecting import ConnectParams
    from jsrunner.modules.k6.net.grpc.responses import Response
    from jsrunner.modules.k6.net.grpc.specs import CallParams
    from jsrunner.proto.schema import Schema


class Grpc(HostModule):
    """The operations of clients. A client is known by its number, from 0."""

    specifier = "k6/net/grpc"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        shared = vu.shared.get(self.specifier)
        if shared is None:
            shared = vu.shared[self.specifier] = Shared(vu.process)
        self.shared: Shared = shared
        #: The script's clients, by their numbers.
        self.clients: list[Client] = []
        self._calls = Calls(vu, shared)

    @operation
    def begin_use(self) -> None:
        """Succeed if the package protobuf is installed; the import of this module fails without it."""

    # -- clients -----------------------------------------------------------------------------------

    @operation
    def new_client(self) -> int:
        """Make a client; return its number."""
        self.clients.append(Client())
        return len(self.clients) - 1

    @operation
    def load(self, number: int, paths: list[str], files: list[str]) -> list[dict[str, object]]:
        """Load .proto files; return the methods in them and in what they import.

        Args:
            number: The client.
            paths: Folders in which files are looked for.
            files: Names of the files.

        Raises:
            HostError: A file is missing or wrong.
        """
        return self._load(
            number, ("proto", *paths, "", *files), lambda: loading.load(self.vu, paths, files)
        )

    @operation
    def load_protoset(self, number: int, path: str) -> list[dict[str, object]]:
        """Load a serialized FileDescriptorSet; return the methods in it. Raises HostError."""
        return self._load(number, ("protoset", path), lambda: loading.load_protoset(self.vu, path))

    def _load(
        self, number: int, key: tuple[str, ...], load: Callable[[], Schema]
    ) -> list[dict[str, object]]:
        try:
            schema = self.shared.schema(key, load)
        except SchemaError as error:
            raise HostError(str(error)) from None
        self.clients[number].library.add(schema)
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
    def connect(self, number: int, address: str, params: ConnectParams) -> bool:
        """Connect a client; an earlier connection is replaced.

        Args:
            number: The client.
            address: The server, as gRPC writes targets.
            params: The parameters of `client.connect`.

        Raises:
            HostError: There is no connection, or the server's reflection has failed.
        """
        client = self.clients[number]
        parsed = read_params(params)
        tls = parsed.tls_contexts(self.vu.process.options)
        client.use(None)
        try:
            connection = GrpcConnection(self.vu, address, parsed, tls)
            connection.channel.connect(parsed.timeout)
        except ConnectFailure as error:
            if error.is_final:
                raise HostError(str(error)) from None
            # The address is none, which k6 tries to dial till the end.
            gevent.sleep(max(parsed.timeout, 0))
            raise HostError(f"{DEADLINE_TEXT}: {error}") from None
        except TimeoutError as error:
            raise HostError(str(error)) from None
        client.use(connection)
        if parsed.reflects:
            try:
                schema = reflection.reflect(self._calls.watch_reflection, parsed, connection)
            except (SchemaError, RPCError) as error:
                raise HostError(str(error)) from None
            client.library.add(schema)
        return True

    @operation
    def close(self, number: int) -> None:
        """Close a client's connection; calls under way are canceled."""
        client = self.clients[number]
        connection = client.connection
        client.use(None)
        if connection is not None:
            connection.channel.close()

    # -- calls -------------------------------------------------------------------------------------

    @operation
    def check(self, number: int, path: str) -> None:
        """Check a call's client and method, before its parameters. Raises HostError."""
        client = self.clients[number]
        client.connected()
        client.method(path)

    @operation
    def duration_error(self, value: str | float) -> str:
        """Return what is wrong with a duration; "" if nothing is."""
        try:
            duration(value)
        except ValueError as error:
            return str(error)
        return ""

    @operation(blocking=True)
    def invoke(self, number: int, path: str, request: str, params: CallParams | None) -> Response:
        """Make a unary call, and return its response.

        Args:
            number: The client.
            path: The method, as the script writes it.
            request: The request as JSON.
            params: The call's parameters; None for none.

        Raises:
            HostError: The call could not be made, or its response is not JSON.
        """
        unary = self._calls.prepare(self.clients[number], path, request, params)
        self._calls.run(unary.call, unary.spec.connection)
        return unary.finish()

    @operation
    def begin(self, number: int, path: str, request: str, params: CallParams | None) -> int:
        """Begin a unary call, with the arguments of `invoke`.

        Returns:
            A handle, to whose listener [the error's text or None, the response] is posted.
        """
        unary = self._calls.prepare(self.clients[number], path, request, params)
        handle = self.vu.interpreter.new_handle()

        def ended() -> None:
            try:
                self.vu.interpreter.post(handle, [None, unary.finish()])
            except HostError as error:
                self.vu.interpreter.post(handle, [str(error), None])

        self._calls.begin(unary, ended)
        return handle

    @operation(blocking=True)
    def health_check(self, number: int, service: str) -> int:
        """Ask a server for its health; return the number of the serving status. Raises HostError."""
        return self._calls.check_health(service, self.clients[number].connected())

    def give_up(self) -> None:
        """End the calls of an iteration that has failed or was stopped; connections stay."""
        self._calls.stop()
