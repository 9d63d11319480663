"""Channels of gRPC: a client's connection to a server, which is made anew when it was lost.

Errors of connecting have grpc-go's texts, which scripts see.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import gevent
from gevent import get_hub
from gevent.lock import BoundedSemaphore
from msgspec import Struct

from jsrunner.options.numbers import parse_int, quote
from jsrunner.transport.addresses import MOST_PORT
from jsrunner.transport.errors import (
    BlacklistedAddress,
    BlockedHostname,
    DialError,
    DialTimeout,
    TLSAlert,
)
from jsrunner.transport.rpc_status import (
    CANCELED,
    DEADLINE_EXCEEDED,
    DEADLINE_TEXT,
    UNAVAILABLE,
    RPCError,
    Status,
    timeout_field,
)
from jsrunner.transport.rpc_wire import Wire
from jsrunner.transport.stream import Stream

if TYPE_CHECKING:
    from jsrunner.transport.connection import Connection
    from jsrunner.transport.dial import Dialer
    from jsrunner.transport.rpc_call import Call
    from jsrunner.transport.stream import Meter
    from jsrunner.transport.tls import TLS
    from jsrunner.transport.tls_socket import TLSSocket

_CLOSING: Final = Status(CANCELED, "grpc: the client connection is closing")
#: Seconds between attempts to connect: the first, the factor, the most, and how far chance moves them.
_BACKOFF: Final = (1.0, 1.6, 120.0, 0.2)
#: Seconds of one attempt.
_ATTEMPT: Final = 20.0
_NO_ALPN: Final = (
    "credentials: cannot check peer: missing selected ALPN property. If you upgraded from a grpc-go "
    "version earlier than 1.67, your TLS connections may have stopped working due to ALPN enforcement. "
    "For more details, see: https://github.com/grpc/grpc-go/issues/434"
)


class ChannelTarget(Struct, frozen=True):
    """The destination of a channel, and its security."""

    #: Address as the script writes it.
    address: str
    host: str
    port: int
    #: The value of `:authority`.
    authority: str
    is_secure: bool
    #: Contexts other than those of the run's options.
    tls: TLS | None
    user_agent: str


class ConnectFailure(Exception):
    """A connection could not be made; `is_final` is true if another attempt cannot help."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(f"connection error: desc = {quote(text)}")
        self.is_final = is_final


def parse_target(address: str) -> tuple[str, int, str]:
    """Return (host, port, authority) of an address. Raises ConnectFailure."""
    name = address
    default = ""
    for scheme in ("dns:///", "passthrough:///"):
        if name.startswith(scheme):
            name = name.removeprefix(scheme)
            default = "443" if scheme == "dns:///" else ""
    host, port = _split(name, default)
    try:
        number = parse_int(port) if port else 0
    except ValueError:
        text = f"strconv.Atoi: parsing {quote(port)}: invalid syntax"
        raise _dialing(text, is_final=False) from None
    if not 0 <= number <= MOST_PORT:
        raise _dialing(f"dial tcp: address {port}: invalid port")
    return host, number, name


def _dialing(text: str, *, is_final: bool = True) -> ConnectFailure:
    return ConnectFailure(f"transport: error while dialing: {text}", is_final=is_final)


def _split(name: str, default: str) -> tuple[str, str]:
    if not name:
        raise _dialing("missing port in address")
    if name.startswith("["):
        host, bracket, rest = name[1:].partition("]")
        if not bracket:
            raise _dialing(f"address {name}: missing ']' in address")
        if not rest and default:
            return host, default
        if not rest.startswith(":"):
            raise _dialing(f"address {name}: missing port in address")
        return host, rest[1:]
    if name.count(":") > 1:
        raise _dialing(f"address {name}: too many colons in address")
    host, colon, port = name.partition(":")
    if not colon:
        if default:
            return host, default
        raise _dialing(f"address {name}: missing port in address")
    return host, port


class Channel:
    """A connection as a client has it. Used by one VU."""

    def __init__(self, dialer: Dialer, meter: Meter, target: ChannelTarget) -> None:
        self._dialer = dialer
        self._meter = meter
        self.target = target
        self._wire: Wire | None = None
        self._is_closed = False
        self._lock = BoundedSemaphore()
        #: Failed attempts in a row, and until when (time.monotonic) the last one's error stands.
        self._failures = 0
        self._failed_until = 0.0
        self._failure: ConnectFailure | None = None
        self._restarting: set[gevent.Greenlet[[Call], None]] = set()
        scheme = b"https" if target.is_secure else b"http"
        self._fields = (
            (b":method", b"POST"),
            (b":scheme", scheme),
            (b":authority", target.authority.encode()),
        )
        self._more_fields = (
            (b"content-type", b"application/grpc"),
            (b"user-agent", target.user_agent.encode()),
            (b"te", b"trailers"),
            (b"grpc-accept-encoding", b"gzip"),
        )
        #: The fields of requests but for their metadata.
        self._fields_by_path: dict[str, tuple[tuple[bytes, bytes], ...]] = {}

    # -- connecting --------------------------------------------------------------------------------

    def connect(self, seconds: float) -> None:
        """Connect, with as many attempts as fit into so many seconds.

        Raises:
            ConnectFailure: the first attempt has failed for good.
            TimeoutError: none has succeeded in time; the text is Go's.
        """
        deadline = time.monotonic() + seconds
        failure: ConnectFailure | None = None
        attempts = 0
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._wire = self._open(min(left, _ATTEMPT))
                return
            except ConnectFailure as error:
                if error.is_final:
                    raise
                failure = error
            except TimeoutError:
                pass
            attempts += 1
            gevent.sleep(max(min(_pause(attempts), deadline - time.monotonic()), 0))
        raise TimeoutError(f"{DEADLINE_TEXT}: {failure}" if failure else DEADLINE_TEXT)

    def _open(self, seconds: float) -> Wire:
        """Return a connection that the server has greeted. Raises ConnectFailure, TimeoutError."""
        # A timeout of gevent's own is no OSError, which layers below explain.
        timeout = gevent.Timeout(seconds)
        timeout.start()
        try:
            return self._attempt()
        except gevent.Timeout as error:
            if error is not timeout:
                raise
            raise TimeoutError from None
        finally:
            timeout.close()

    def _attempt(self) -> Wire:
        target = self.target
        try:
            # As in k6, proxies of the environment are not for gRPC.
            sock: Connection = self._dialer.connect_directly(target.host, target.port, self._meter.id)
        except DialError as error:
            is_retried = isinstance(error, (BlacklistedAddress, BlockedHostname, DialTimeout))
            text = f"transport: error while dialing: {error}"
            raise ConnectFailure(text, is_final=not is_retried) from None
        stream = None
        try:
            if target.is_secure:
                sock = self._secure(sock)
            stream = Stream(sock, self._meter)
            return self._greeted(stream)
        except BaseException:
            if stream is not None:
                stream.close()
            else:
                sock.close()
            raise

    def _secure(self, sock: Connection) -> TLSSocket:
        target, prefix = self.target, "transport: authentication handshake failed: "
        name = _split(target.authority, "443")[0]
        try:
            secure = self._dialer.secure(
                sock, target.host, target.port, ("h2",), self._meter.id, tls=target.tls, name=name
            )
        except DialError as error:
            raise ConnectFailure(f"{prefix}{error}", is_final=isinstance(error, TLSAlert)) from None
        if secure.selected_alpn_protocol() != "h2":
            secure.close()
            raise ConnectFailure(f"{prefix}{_NO_ALPN}")
        return secure

    def _greeted(self, stream: Stream) -> Wire:
        wire = Wire(stream, self._restart)
        if not wire.is_ready and not stream.is_closed:
            waiter = gevent.getcurrent()
            wire.on_ready = waiter.switch
            try:
                get_hub().switch()
            finally:
                wire.on_ready = lambda: None
        if not wire.is_ready:
            raise ConnectFailure(f"error reading server preface: {wire.end_text}")
        return wire

    # -- calls -------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """True if a call can begin at once."""
        return self._wire is not None and self._wire.is_usable

    def begin(self, call: Call) -> None:
        """Begin a call; the connection is made anew if it was lost. May block.

        Its outcome comes by the call's `on_end`.
        """
        wire = self._wire
        try:
            if wire is None or not wire.is_usable:
                wire = self._reconnected(call)
        except RPCError as error:
            call.finish(error.status)
            return
        if call.status is None:
            self._start(wire, call)

    def begin_aside(self, call: Call) -> None:
        """Begin a call without blocking."""
        if self.is_connected:
            self.begin(call)
        else:
            self._restart(call)

    def _start(self, wire: Wire, call: Call) -> None:
        fields = self._fields_by_path.get(call.path)
        if fields is None:
            path = (b":path", call.path.encode())
            fields = self._fields_by_path[call.path] = (*self._fields, path, *self._more_fields)
        if call.deadline is not None:
            timeout = timeout_field(call.deadline - time.monotonic())
            fields = (*fields, (b"grpc-timeout", timeout))
        wire.start(call, (*fields, *call.fields) if call.fields else fields)

    def _restart(self, call: Call) -> None:
        """Begin a call in a greenlet of its own."""
        greenlet = gevent.spawn(self.begin, call)
        self._restarting.add(greenlet)
        greenlet.rawlink(self._restarting.discard)

    def _reconnected(self, call: Call) -> Wire:
        """Return a usable connection. Raises RPCError."""
        if self._is_closed:
            raise RPCError(_CLOSING)
        left = _ATTEMPT
        if call.deadline is not None:
            left = min(call.deadline - time.monotonic(), _ATTEMPT)
        waiting = f"{DEADLINE_TEXT} while waiting for connections to become ready"
        if left <= 0 or not self._lock.acquire(timeout=left):
            raise RPCError(Status(DEADLINE_EXCEEDED, waiting))
        try:
            if self._wire is not None and self._wire.is_usable:
                return self._wire
            now = time.monotonic()
            if self._failure is not None and now < self._failed_until:
                raise RPCError(Status(UNAVAILABLE, str(self._failure)))
            try:
                wire = self._open(max(left, 0.001))
            except ConnectFailure as error:
                self._failures += 1
                self._failure, self._failed_until = error, now + _pause(self._failures)
                raise RPCError(Status(UNAVAILABLE, str(error))) from None
            except TimeoutError:
                raise RPCError(Status(DEADLINE_EXCEEDED, waiting)) from None
            if self._is_closed:
                wire.close(_CLOSING)
                raise RPCError(_CLOSING)
            self._failures, self._failure, self._wire = 0, None, wire
            return wire
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the channel: calls under way are canceled."""
        self._is_closed = True
        gevent.killall(list(self._restarting), block=False)
        if self._wire is not None:
            self._wire.close(_CLOSING)


def _pause(failures: int) -> float:
    """Return the seconds between two attempts to connect."""
    first, factor, most, jitter = _BACKOFF
    return min(first * factor ** (failures - 1), most) * (1 + jitter * random.uniform(-1, 1))
