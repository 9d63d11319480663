"""Parameters of `connect`, and the connection that they make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypedDict

from msgspec import Struct, field
from msgspec.structs import replace

from jsrunner.engine.errors import HostError
from jsrunner.modules.k6.net.grpc import pem
from jsrunner.modules.k6.net.grpc.durations import duration
from jsrunner.transport.rpc import Channel, ChannelTarget, parse_target

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext
    from jsrunner.options.certificates import ClientCertificate
    from jsrunner.options.model import Options
    from jsrunner.transport.tls import TLS

_TIMEOUT: Final = 60.0
#: Default limits of a message in bytes, those of grpc-go.
_MAX_RECEIVE: Final = 4 << 20
_MAX_SEND: Final = (1 << 31) - 1
_AGENT: Final = "grpc-go/1.83.0"


class TLSParams(TypedDict, total=False):
    """The parameter `tls`: texts in PEM format."""

    cert: str
    key: str
    #: The key's password.
    password: str
    cacerts: list[str]


class ConnectParams(TypedDict, total=False):
    """Parameters of `client.connect`, as `connectParams` of params.js makes them."""

    plaintext: bool
    reflect: bool
    #: A duration as Go writes it, or milliseconds.
    timeout: str | float
    #: Bytes; 0 for the default.
    maxReceiveSize: int
    maxSendSize: int
    authority: str
    #: Name, value, name, value, ...; values of binary keys are bytes.
    reflectMetadata: list[str | bytes]
    tls: TLSParams


class ConnectSettings(Struct):
    """Parameters of `client.connect` with k6's defaults."""

    plaintext: bool = False
    reflects: bool = False
    timeout: float = _TIMEOUT
    max_receive: int = _MAX_RECEIVE
    max_send: int = _MAX_SEND
    authority: str = ""
    #: Name, value, name, value, ...
    reflect_metadata: list[str | bytes] = field(default_factory=list)
    tls: TLSParams = field(default_factory=TLSParams)

    def tls_contexts(self, options: Options) -> TLS | None:
        """Return the TLS contexts of the parameter `tls`; None if the parameter is empty."""
        if self.plaintext or not self.tls:
            return None
        from jsrunner.transport.tls import TLS

        try:
            authorities = [
                pem.checked_authority(number, text)
                for number, text in enumerate(self.tls.get("cacerts") or ())
            ]
            cert, key = self.tls.get("cert") or "", self.tls.get("key") or ""
            if self.tls.get("password"):
                key = pem.decrypted(key, self.tls["password"])
            # As in k6 authorities are looked at first, but a key is opened before.
            certificates: list[ClientCertificate] = []
            if cert and key:
                certificates.append({"cert": cert, "key": pem.checked_pair(cert, key)})
        except pem.PEMError as error:
            raise HostError(str(error)) from None
        return TLS(replace(options, tls_auth=certificates), os.environ, authorities)


def read_params(params: ConnectParams) -> ConnectSettings:
    """Return the parameters with k6's defaults. Raises HostError."""
    read = ConnectSettings(
        plaintext=params.get("plaintext", False),
        reflects=params.get("reflect", False),
        authority=params.get("authority", ""),
        reflect_metadata=params.get("reflectMetadata") or [],
        tls=params.get("tls") or TLSParams(),
    )
    read.max_receive = params.get("maxReceiveSize") or _MAX_RECEIVE
    read.max_send = params.get("maxSendSize") or _MAX_SEND
    if "timeout" in params:
        try:
            read.timeout = duration(params["timeout"])
        except ValueError as error:
            text = f"invalid grpc.connect() parameters: invalid timeout value: {error}"
            raise HostError(text) from None
    return read


class GrpcConnection:
    """A client's channel with the limits of its messages."""

    def __init__(
        self, vu: ModuleContext, address: str, params: ConnectSettings, tls: TLS | None
    ) -> None:
        """Make a connection that is not open yet.

        Args:
            vu: The VU, which counts the bytes.
            address: The server, as the script writes it.
            params: The parameters of the connect call.
            tls: Contexts that replace those of the run's options.

        Raises:
            ConnectFailure: The address is wrong.
        """
        process = vu.process
        self.address = address
        self.max_receive = params.max_receive
        self.max_send = params.max_send
        host, port, authority = parse_target(address)
        agent = process.options.user_agent
        target = ChannelTarget(
            address=address,
            host=host,
            port=port,
            authority=params.authority or authority,
            is_secure=not params.plaintext,
            tls=tls,
            user_agent=f"{agent} {_AGENT}" if agent else _AGENT,
        )
        self.channel = Channel(process.dialer, vu, target)
