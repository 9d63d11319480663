"""TCP and TLS connections on gevent's sockets, without monkey patching; errors in Go's words.

A literal address costs no look-up and no thread (30 us CPU); names are resolved by gevent's pool.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import socket as plain
import time
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent import socket

from jsrunner.options.duration import parse_duration
from jsrunner.transport.addresses import (
    LocalAddresses,
    Networks,
    Patterns,
    literal,
    split_port,
)
from jsrunner.transport.errors import (
    BlacklistedAddress,
    BlockedHostname,
    DialError,
    NoSuchHost,
)
from jsrunner.transport.proxy import Proxies, split, tunnel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.options.model import Options
    from jsrunner.transport.tls import TLS

#: Seconds for one TCP connect (k6: the same).
CONNECT_TIMEOUT: Final = 30.0

_REASONS: Final = {
    errno.ECONNREFUSED: "connect: connection refused",
    errno.ECONNRESET: "read: connection reset by peer",
    errno.ENETUNREACH: "connect: network is unreachable",
    errno.EHOSTUNREACH: "connect: no route to host",
    errno.ETIMEDOUT: "connect: connection timed out",
    errno.EADDRNOTAVAIL: "connect: cannot assign requested address",
    errno.EACCES: "connect: permission denied",
}


class Dialer:
    """Makes the connections of a process, by the run's options."""

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
        self._warn = warn
        self._told_of_limit = False
        dns = options.dns or {}
        ttl = dns.get("ttl") or "5m"
        self.ttl = float("inf") if ttl == "inf" else 0.0 if ttl == "0" else parse_duration(ttl)
        self._select = dns.get("select") or "random"
        self._policy = dns.get("policy") or "preferIPv4"
        self._resolved: dict[str, tuple[float, list[str]]] = {}
        self._turns: dict[str, int] = {}

    def dial(
        self,
        host: str,
        port: int,
        *,
        tls: bool,
        alpn: tuple[str, ...] = (),
        vu: int = 0,
    ) -> Any:
        """A connected gevent socket, through a proxy if the environment says so. Raises DialError."""
        proxy = self.proxies.proxy_for(host, port, secure=tls)
        if proxy is None:
            sock = self._connect(host, port, vu)
        else:
            proxy_host, proxy_port, authorization = split(proxy)
            sock = self._connect(proxy_host, proxy_port, vu)
            try:
                tunnel(sock, host, port, authorization)
            except BaseException:
                sock.close()
                raise
        return self._secure(sock, host, alpn) if tls else sock

    # -- addresses ---------------------------------------------------------------------------------

    def resolve(self, host: str, port: int) -> tuple[str, int]:
        """Where a connection to this host is to be made, by the run's options. Raises DialError."""
        address, port = self._address(host, port)
        blocked = self._blacklist.containing(address)
        if blocked:
            raise BlacklistedAddress(f"IP ({address}) is in a blacklisted range ({blocked})")
        return address, port

    def local_address(self, vu: int) -> str | None:
        """The client address of a VU by its number, if the option localIPs gives any."""
        return None if self._local is None else self._local.of(max(vu - 1, 0))

    def _connect(self, host: str, port: int, vu: int) -> Any:
        address, port = self.resolve(host, port)
        family = plain.AF_INET6 if ":" in address else plain.AF_INET
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        sock = None
        try:
            sock = socket.socket(family, plain.SOCK_STREAM)
            sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
            local = self.local_address(vu)
            if local is not None:
                sock.bind((local, 0))
            with gevent.Timeout(CONNECT_TIMEOUT, TimeoutError):
                _establish(sock, (address, port))
            return sock
        except TimeoutError:
            self._drop(sock)
            raise DialError(f"dial tcp {shown}: i/o timeout") from None
        except OSError as error:
            self._drop(sock)
            raise DialError(self._text(error, shown)) from None
        except BaseException:
            self._drop(sock)
            raise

    @staticmethod
    def _drop(sock: Any) -> None:
        if sock is not None:
            sock.close()

    def _text(self, error: OSError, shown: str) -> str:
        number = error.errno or 0
        if number in (errno.EMFILE, errno.ENFILE):
            if not self._told_of_limit:
                self._told_of_limit = True
                limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                self._warn(
                    "error",
                    f"too many open files: a worker process may have {limit}, raise the limit with "
                    "`ulimit -n` or take more --workers",
                )
            return f"dial tcp {shown}: socket: too many open files"
        reason = _REASONS.get(number, f"connect: {os.strerror(number).lower()}")
        return f"dial tcp {shown}: {reason}"

    def _address(self, host: str, port: int) -> tuple[str, int]:
        """Where to connect to: by `hosts`, as a literal address, or by name look-up."""
        if literal(host) is None:
            blocked = self._blocked.find(host)
            if blocked:
                raise BlockedHostname(f"hostname ({host}) is in a blocked pattern ({blocked[0]})")
        found = self._hosts.find(f"{host}:{port}") or self._hosts.find(host)
        if found:
            address, other = split_port(found[1])
            return address, other or port
        if literal(host) is not None:
            return host, port
        return self._pick(host or "localhost"), port

    def _pick(self, host: str) -> str:
        addresses = self._resolve(host)
        if self._select == "first":
            return addresses[0]
        if self._select == "roundRobin":
            turn = self._turns[host] = self._turns.get(host, -1) + 1
            return addresses[turn % len(addresses)]
        return random.choice(addresses)

    def _resolve(self, host: str) -> list[str]:
        known = self._resolved.get(host)
        if known and known[0] > time.monotonic():
            return known[1]
        missing = NoSuchHost(f"lookup {host}: no such host")
        if ".." in host or host.startswith("."):
            raise missing
        try:
            rows = socket.getaddrinfo(host, None, 0, plain.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise missing from None
        addresses = list(dict.fromkeys(row[4][0] for row in rows))
        four = [one for one in addresses if ":" not in one]
        six = [one for one in addresses if ":" in one]
        found = {
            "preferIPv4": four or six,
            "preferIPv6": six or four,
            "onlyIPv4": four,
            "onlyIPv6": six,
            "any": addresses,
        }[self._policy]
        if not found:
            raise missing
        self._resolved[host] = (time.monotonic() + self.ttl, found)
        return found

    # -- TLS ---------------------------------------------------------------------------------------

    def _secure(self, sock: Any, host: str, alpn: tuple[str, ...]) -> Any:
        # ssl is imported by the first connection that needs it.
        from jsrunner.transport.tls import TLS, error_text

        if self._tls is None:
            options = self._options
            self._tls = TLS(
                skip_verify=bool(options.insecure_skip_tls_verify),
                versions=options.tls_version,
                suites=options.tls_cipher_suites,
                certificates=options.tls_auth,
                environment=self._environment,
            )
        try:
            return self._tls.context(host, alpn).wrap_socket(sock, server_hostname=host)
        except OSError as error:
            sock.close()
            raise DialError(error_text(error, host)) from None
        except BaseException:
            sock.close()
            raise


def _establish(sock: Any, address: tuple[str, int]) -> None:
    """Connect; gevent's own `connect` makes three system calls more."""
    code = sock._sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        socket.wait_write(sock.fileno())
        code = sock.getsockopt(plain.SOL_SOCKET, plain.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
