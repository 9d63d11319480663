"""TCP and TLS connections on gevent's sockets, without monkey patching; errors in Go's words.

A literal address costs no look-up and no thread (30 us CPU); names are resolved by gevent's pool.
"""

from __future__ import annotations

import errno
import os
import resource
import socket as plain
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import gevent
from gevent import socket
from msgspec.structs import replace

from jsrunner.core.binding import CONNECT_TIMEOUT
from jsrunner.options.duration import parse_duration
from jsrunner.transport.addresses import (
    MOST_PORT,
    LocalAddresses,
    Networks,
    Patterns,
    literal,
    split_port,
)
from jsrunner.transport.errors import (
    BlacklistedAddress,
    BlockedHostname,
    ConnectError,
    DialError,
    DialTimeout,
    InvalidPort,
    NoSuchHost,
    ProxyError,
)
from jsrunner.transport.failures import dial_error
from jsrunner.transport.names import can_be_looked_up
from jsrunner.transport.proxy import Proxies, Proxy, tunnel
from jsrunner.transport.wire import ends_of, socket_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gevent.lock import RLock

    from jsrunner.core.binding import TLSTarget
    from jsrunner.options.model import Options
    from jsrunner.transport.aia import Issuers
    from jsrunner.transport.connection import Connection
    from jsrunner.transport.tls import TLS
    from jsrunner.transport.tls_socket import TLSSocket, Untrusted

_NO_NAME: Final = (
    "tlsAIAFetch: cannot verify hostname for IP-literal target (SNI is not sent for IP addresses); "
    "use a hostname, or disable tlsAIAFetch"
)
_STILL_INCOMPLETE: Final = (
    "AIA: certificate chain incomplete after fetching intermediates; verify that the AIA endpoint is "
    "reachable and returns a valid certificate"
)
_MOST_INT: Final = (1 << 63) - 1


class Direct(NamedTuple):
    """The destination of a connection that needs no look-up and no proxy."""

    ip: str
    port: int
    #: The local address, None for any.
    local: str | None
    #: Moment (time.monotonic) until which it holds for all VUs; None for this connection only.
    until: float | None


def _nothing() -> None:
    pass


class Dialer:
    """The maker of a process's connections, by the run's options."""

    def __init__(
        self,
        options: Options,
        environment: Mapping[str, str],
        warn: Callable[[str, str], None] = lambda level, text: None,
    ) -> None:
        self._hosts = Patterns(options.hosts or {})
        self._blocked = Patterns(dict.fromkeys(options.block_hostnames or (), ""))
        self._blacklist = Networks(options.blacklist_ips or ())
        self._local = LocalAddresses(options.local_ips) if options.local_ips else None
        self.proxies = Proxies(environment)
        self._options = options
        self._environment = environment
        self._tls: TLS | None = None
        self._issuers: Issuers | None = None
        self._fetching: RLock | None = None
        self._chains: dict[tuple[str, int], list[bytes]] = {}
        self._warn = warn
        self._has_warned_of_limit = False
        dns = options.dns or {}
        ttl = dns.get("ttl") or "5m"
        self._ttl = float("inf") if ttl == "inf" else 0.0 if ttl == "0" else parse_duration(ttl)
        self._select = dns.get("select") or "random"
        self._policy = dns.get("policy") or "preferIPv4"
        self._resolved: dict[str, tuple[float, list[str]]] = {}
        #: Positions of the option dns' select "roundRobin", by host.
        self._positions: dict[str, int] = {}

    def dial(self, host: str, port: int, vu: int, *, secure: bool) -> plain.socket:
        """Return a connected gevent socket, by a proxy's tunnel if there is one, for the core to use.

        Args:
            host: Name or address of the server.
            port: The server's port.
            vu: The VU's number, for the option localIPs.
            secure: True for a connection with TLS: its proxy is that of HTTPS_PROXY.

        Raises:
            DialError: There is no connection.
        """
        return _plain(self.connect(host, port, vu, secure=secure))

    def connect_directly(self, host: str, port: int, vu: int) -> plain.socket:
        """Return a gevent socket that is connected to the host by no proxy. Raises DialError."""
        return self._connect(host, port, vu, _nothing)

    def connect(
        self, host: str, port: int, vu: int, *, secure: bool, begin: Callable[[], None] = _nothing
    ) -> Connection:
        """Return a gevent socket that is connected to the host, by a proxy's tunnel if there is one.

        Args:
            host: Name or address of the server.
            port: The server's port.
            vu: The VU's number, for the option localIPs.
            secure: True for a connection with TLS: its proxy is that of HTTPS_PROXY.
            begin: Called when the address is known and TCP begins.

        Raises:
            DialError: There is no connection.
        """
        proxy = self.proxies.proxy_for(host, port, secure=secure)
        if proxy is None:
            return self._connect(host, port, vu, begin)
        sock = self.connect_proxy(proxy, vu, begin)
        try:
            tunnel(sock, proxy, host, port)
        except BaseException:
            sock.close()
            raise
        return sock

    def connect_proxy(self, proxy: Proxy, vu: int, begin: Callable[[], None] = _nothing) -> Connection:
        """Return a gevent socket that is connected to the proxy. Raises DialError."""
        try:
            sock = self._connect(proxy.host, proxy.port, vu, begin)
        except ConnectError as error:
            raise ProxyError(str(error)) from None
        return self.secure(sock, proxy.host, proxy.port, (), vu) if proxy.scheme == "https" else sock

    def direct(self, host: str, port: int, vu: int, *, secure: bool) -> Direct | None:
        """Return the destination of a connection; None if it needs a proxy or a look-up.

        Args:
            host: Name or address of the server.
            port: The server's port.
            vu: The VU's number, for the option localIPs.
            secure: True for a connection with TLS: its proxy is that of HTTPS_PROXY.

        Raises:
            DialError: The options forbid the connection.
        """
        if self.proxies.proxy_for(host, port, secure=secure) is not None:
            return None
        until: float | None = float("inf")
        is_name = literal(host) is None
        if is_name and not (self._hosts.find(f"{host}:{port}") or self._hosts.find(host)):
            known = self._resolved.get(host)
            if known is None or known[0] <= time.monotonic():
                return None
            until = known[0] if len(known[1]) == 1 else None
        address, port = self._resolve(host, port)
        if self._local is None:
            return Direct(address, port, None, until)
        return Direct(address, port, self._local.of(max(vu - 1, 0)), None)

    # -- addresses ---------------------------------------------------------------------------------

    def _connect(self, host: str, port: int, vu: int, begin: Callable[[], None]) -> plain.socket:
        address, port = self._resolve(host, port)
        begin()
        family = plain.AF_INET6 if ":" in address else plain.AF_INET
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        sock = None
        try:
            sock = socket.socket(family, plain.SOCK_STREAM)
            sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
            if self._local is not None:
                sock.bind((self._local.of(max(vu - 1, 0)), 0))
            with gevent.Timeout(CONNECT_TIMEOUT, TimeoutError):
                _establish(sock, (address, port))
            return sock
        except TimeoutError:
            self._drop(sock)
            raise DialTimeout(f"dial tcp {shown}: i/o timeout") from None
        except OSError as error:
            self._drop(sock)
            raise self.connect_error(error, shown) from None
        except BaseException:
            self._drop(sock)
            raise

    @staticmethod
    def _drop(sock: plain.socket | None) -> None:
        if sock is not None:
            sock.close()

    def connect_error(self, error: OSError, shown: str) -> ConnectError:
        """Return the error of a failed TCP connect; `shown` is the address as Go shows it."""
        number = error.errno or 0
        call = "connect"
        if number in (errno.EMFILE, errno.ENFILE):
            call = "socket"
            if not self._has_warned_of_limit:
                self._has_warned_of_limit = True
                limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                self._warn(
                    "error",
                    f"too many open files: a worker process may have {limit}, raise the limit with "
                    "`ulimit -n` or take more --workers",
                )
        return ConnectError(f"dial tcp {shown}: {call}: {os.strerror(number).lower()}", number)

    def _resolve(self, host: str, port: int) -> tuple[str, int]:
        """Return the address and port for a host, by the run's options. Raises DialError."""
        address, port = self._address(host, port)
        blocked = self._blacklist.containing(address)
        if blocked:
            raise BlacklistedAddress(f"IP ({address}) is in a blacklisted range ({blocked})")
        if port > _MOST_INT:
            short = "value out of range"
            raise DialError(f'strconv.Atoi: parsing "{port}": {short}', short)
        if port > MOST_PORT:
            raise InvalidPort(f"dial tcp: address {port}: invalid port")
        return address, port

    def _address(self, host: str, port: int) -> tuple[str, int]:
        """Return the address and port for a host: by `hosts`, as a literal address, or by look-up."""
        host = host.partition("%")[0] if ":" in host else host  # without a zone
        if literal(host) is None:
            blocked = self._blocked.find(host)
            if blocked:
                raise BlockedHostname(f"hostname ({host}) is in a blocked pattern ({blocked[0]})")
        mapping = self._hosts.find(f"{host}:{port}") or self._hosts.find(host)
        if mapping:
            address, other = split_port(mapping[1])
            return address, other or port
        if literal(host) is not None:
            return host, port
        return self._pick(host), port

    def _pick(self, host: str) -> str:
        addresses = self._look_up(host)
        if self._select == "first":
            return addresses[0]
        if self._select == "roundRobin":
            position = self._positions[host] = self._positions.get(host, -1) + 1
            return addresses[position % len(addresses)]
        import random  # 0.6 ms, and many tests name addresses

        return random.choice(addresses)

    def _look_up(self, host: str) -> list[str]:
        known = self._resolved.get(host)
        if known and known[0] > time.monotonic():
            return known[1]
        missing = NoSuchHost(f"lookup {host}: no such host")
        if not can_be_looked_up(host):
            raise missing
        try:
            rows = socket.getaddrinfo(host.encode(), None, 0, plain.SOCK_STREAM)
        except OSError:
            raise missing from None
        addresses = list(dict.fromkeys(str(row[4][0]) for row in rows))
        four = [address for address in addresses if ":" not in address]
        six = [address for address in addresses if ":" in address]
        chosen = {
            "preferIPv4": four or six,
            "preferIPv6": six or four,
            "onlyIPv4": four,
            "onlyIPv6": six,
            "any": addresses,
        }[self._policy]
        if not chosen:
            raise missing
        self._resolved[host] = (time.monotonic() + self._ttl, chosen)
        return chosen

    # -- TLS ---------------------------------------------------------------------------------------

    def secure(
        self,
        sock: Connection,
        host: str,
        port: int,
        alpn: tuple[str, ...],
        vu: int,
        *,
        tls: TLS | None = None,
        name: str = "",
    ) -> TLSSocket:
        """Return a TLS socket on top of a connection to the host.

        Args:
            sock: The connection, which is closed if the handshake fails.
            host: Name or address of the server.
            port: The server's port, for further connections.
            alpn: Protocols to offer in the TLS handshake.
            vu: The VU's number, for the option localIPs.
            tls: Contexts that replace those of the run's options.
            name: The name that the certificate must have, if it is not the host.

        Raises:
            DialError: The handshake has failed, or the certificate is not trusted.
        """
        # OpenSSL is imported by the first connection that needs it.
        from jsrunner.transport.tls_socket import Untrusted

        contexts, name = tls or self._contexts(), name or host
        while True:
            known = self._contexts().intermediate_count
            try:
                secure = self._shake_hands(contexts, sock, name, alpn)
                break
            except Untrusted as error:
                self.settle(error, host, port, vu, known, name=name)
                contexts.take_intermediates(self._contexts())
            sock = self.connect(host, port, vu, secure=True)
        try:
            self.check_name(host)
        except DialError:
            secure.close()
            raise
        return secure

    def _contexts(self) -> TLS:
        """Return the contexts of the run's options."""
        if self._tls is None:
            from jsrunner.transport.tls import TLS

            self._tls = TLS(self._options, self._environment)
        return self._tls

    @property
    def _fetches(self) -> bool:
        return bool(self._options.tls_aia_fetch) and not self._options.insecure_skip_tls_verify

    def tls_target(self, host: str, alpn: tuple[str, ...]) -> tuple[TLSTarget, int]:
        """Return the core's parameters for TLS with a host, and the count of known intermediates.

        Raises:
            DialError: No server can have the name, or a client certificate cannot be loaded.
        """
        contexts = self._contexts()
        try:
            return contexts.target(host, alpn), contexts.intermediate_count
        except OSError as error:  # of SSLKEYLOGFILE
            raise dial_error(error, "") from None

    def check_name(self, host: str) -> None:
        """Refuse an address, after the handshake, if issuers may be fetched. Raises DialError."""
        if self._fetches and literal(host) is not None:
            raise DialError(_NO_NAME)

    def settle(
        self, error: Untrusted, host: str, port: int, vu: int, known: int, *, name: str = ""
    ) -> None:
        """Return if another handshake may succeed, because missing issuers were fetched.

        Args:
            error: The refusal of the server's certificate.
            host: Name or address of the server.
            port: The server's port, for further connections.
            vu: The VU's number, for the option localIPs.
            known: Count of the intermediates that were known to the handshake.
            name: The name that the certificate must have, if it is not the host.

        Raises:
            DialError: The certificate is not trusted.
        """
        from jsrunner.transport.certificates import UNKNOWN_AUTHORITY

        is_incomplete = self._fetches and error.code in UNKNOWN_AUTHORITY
        if not is_incomplete or self._fetch_issuers(host, port, vu) == known:
            raise self._refusal(error, host, port, vu, name or host)

    def _fetch_issuers(self, host: str, port: int, vu: int) -> int:
        """Fetch the missing issuers of a server's chain; return the count of known intermediates."""
        from jsrunner.transport.aia import Issuers

        assert self._tls is not None
        if self._fetching is None:
            from gevent.lock import RLock  # 3 ms, with logging

            self._fetching = RLock()
        with self._fetching:
            if self._issuers is None:
                options = replace(self._options, tls_aia_fetch=None)
                dialer = Dialer(options, self._environment, self._warn)
                self._issuers = Issuers(options, dialer, self._environment)
            self._tls.add_intermediates(self._issuers.of(self._chain(host, port, vu)))
        return self._tls.intermediate_count

    @staticmethod
    def _shake_hands(
        tls: TLS, sock: Connection, host: str, alpn: tuple[str, ...], *, verify: bool = True
    ) -> TLSSocket:
        below, ends = _plain(sock), ""
        try:
            ends = ends_of(below)
            return tls.handshake(below, host, alpn, verify=verify)
        except OSError as error:
            below.close()
            raise dial_error(error, ends) from None

    def _refusal(self, error: Untrusted, host: str, port: int, vu: int, name: str) -> DialError:
        """Return the error of a certificate that was not trusted."""
        from jsrunner.transport import certificates

        is_of_issuer = error.code in certificates.UNKNOWN_AUTHORITY
        chain = [] if is_of_issuer else self._chain(host, port, vu)
        if not self._options.tls_aia_fetch:
            return certificates.refusal(error.code, error.detail, name, chain)
        if is_of_issuer:
            self._warn("warning", _STILL_INCOMPLETE)
        # k6 verifies by itself then, and Go's prefix is missing.
        return certificates.refusal(error.code, error.detail, name, chain, prefix="")

    def _chain(self, host: str, port: int, vu: int) -> list[bytes]:
        """Return the server's certificates as DER; none if they cannot be fetched.

        OpenSSL does not hand out what it has refused, so this is another connection, once per host.
        """
        known = self._chains.get((host, port))
        if known is None:
            assert self._tls is not None
            try:
                sock = self.connect(host, port, vu, secure=True)
                secure = self._shake_hands(self._tls, sock, host, (), verify=False)
                known = secure.chain()
                secure.close()
            except DialError:
                known = []
            self._chains[host, port] = known
        return known


def _plain(connection: Connection) -> plain.socket:
    """Return a connection if it has no TLS; else close it and raise DialError."""
    if hasattr(connection, "shake_hands"):
        connection.close()
        raise DialError("TLS goes through http:// and socks5:// proxies, not through an https:// one")
    return connection


def _establish(sock: plain.socket, address: tuple[str, int]) -> None:
    """Connect; gevent's own `connect` makes three system calls more."""
    code = socket_below(sock).connect_ex(address)
    if code == errno.EINPROGRESS:
        socket.wait_write(sock.fileno())
        code = sock.getsockopt(plain.SOL_SOCKET, plain.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
