"""Errors of connections. Their texts are Go's, because scripts compare them."""

from __future__ import annotations


class DialError(Exception):
    """A connection could not be made: address, proxy, TCP, TLS, or an answer that is no HTTP.

    `short` is the text of the innermost error, as Go would unwrap it.
    """

    def __init__(self, text: str, short: str | None = None) -> None:
        super().__init__(text)
        self.short = text if short is None else short


class NoSuchHost(DialError):
    """A name has no address."""


class BlockedHostname(DialError):
    """The option blockHostnames forbids the name."""


class BlacklistedAddress(DialError):
    """The option blacklistIPs forbids the address."""


class InvalidPort(DialError):
    """A port has more than 16 bits."""


class ConnectError(DialError):
    """TCP could not connect; `number` is the errno."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number


class Disconnected(DialError):
    """The peer has reset the connection while it was being made; `number` is the errno."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number


class DialTimeout(DialError):
    """TCP has not connected in time."""


class ProxyError(DialError):
    """A proxy cannot be reached."""


class TLSRecordError(DialError):
    """The server does not answer with TLS. `is_http` is true if it answers with HTTP."""

    def __init__(self, text: str, *, is_http: bool = False) -> None:
        super().__init__(text)
        self.is_http = is_http


class TLSAlert(DialError):
    """The server or this end has ended a TLS connection with an alert."""


class UnknownAuthority(DialError):
    """No trusted authority has signed the certificate."""


class HostMismatch(DialError):
    """A certificate is for other names."""


class ProtocolViolation(Exception):
    """The peer sent frames that RFC 6455 forbids."""


class MessageTooBig(Exception):
    """The peer sent a message that no script could hold."""
