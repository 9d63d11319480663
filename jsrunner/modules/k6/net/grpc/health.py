"""One call of the health protocol.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.proto.scalars import varint
from jsrunner.transport.rpc_call import Call

if TYPE_CHECKING:
    from jsrunner.modules.k6.net.grpc.connecting import GrpcConnection

_PATH: Final = "/grpc.health.v1.Health/Check"
#: HealthCheckRequest.service and HealthCheckResponse.status.
_SERVICE, _STATUS = 1 << 3 | 2, 1 << 3


def new_call(service: str, connection: GrpcConnection) -> Call:
    """Return a call for a service's health ("" is the whole server); its message is the status."""
    call = Call(_PATH, (), decode=_status, streams=False, max_receive=connection.max_receive)
    name = service.encode()
    request = bytes([_SERVICE]) + varint(len(name)) + name if name else b""
    call.send(request, end=True)
    return call


def _status(data: bytes) -> int:
    if not data:
        return 0
    if len(data) != 2 or data[0] != _STATUS:
        raise ValueError("grpc: failed to unmarshal the received message: proto: cannot parse it")
    return data[1]
