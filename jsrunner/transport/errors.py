"""What can go wrong below a module: the text is Go's, because scripts compare it."""

from __future__ import annotations


class DialError(Exception):
    """A connection could not be made: address, proxy, TCP, TLS, or an answer that is no HTTP."""


class NoSuchHost(DialError):
    """A name has no address."""


class BlockedHostname(DialError):
    """The option blockHostnames forbids the name."""


class BlacklistedAddress(DialError):
    """The option blacklistIPs forbids the address."""


class ProtocolViolation(Exception):
    """The peer sent frames that RFC 6455 forbids."""


class MessageTooBig(Exception):
    """The peer sent a message that no script could hold."""
