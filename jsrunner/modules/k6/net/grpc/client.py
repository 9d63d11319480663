"""A script's gRPC client: its schemas and its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.engine.errors import HostError
from jsrunner.options.numbers import quote
from jsrunner.proto.schema import Library

if TYPE_CHECKING:
    from jsrunner.modules.k6.net.grpc.connecting import GrpcConnection
    from jsrunner.modules.k6.net.grpc.specs import CallSpec
    from jsrunner.proto.schema import Method

_NOT_CONNECTED: Final = "no gRPC connection, you must call connect first"


class Client:
    """A `Client` of a script. It lives as long as its VU."""

    def __init__(self) -> None:
        #: The schemas that the script has loaded.
        self.library = Library()
        #: The connection; None while there is none.
        self.connection: GrpcConnection | None = None
        #: Specs of the connection's calls without parameters, by the method as the script writes it.
        self.plain_specs: dict[str, CallSpec] = {}

    def use(self, connection: GrpcConnection | None) -> None:
        """Replace the connection; None for none."""
        self.connection = connection
        self.plain_specs = {}

    def connected(self) -> GrpcConnection:
        """Return the connection. Raises HostError if there is none."""
        if self.connection is None:
            raise HostError(_NOT_CONNECTED)
        return self.connection

    def method(self, path: str) -> Method:
        """Return a loaded method by its path, e.g. `/package.Service/Method`. Raises HostError."""
        if not path:
            raise HostError("method to invoke cannot be empty")
        if not path.startswith("/"):
            path = f"/{path}"
        method = self.library.method(path)
        if method is None:
            raise HostError(f"method {quote(path)} not found in file descriptors")
        return method
