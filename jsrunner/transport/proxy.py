"""Proxies named by the environment, by the rules of Go's httpproxy; the tunnels through them."""

from __future__ import annotations

import base64
import ipaddress
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.transport.addresses import MOST_PORT, literal
from jsrunner.transport.errors import DialError
from jsrunner.transport.head import Malformed, parse_status_line, read_head
from jsrunner.transport.url import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.transport.addresses import Address
    from jsrunner.transport.connection import Connection

_PORTS: Final = {"socks5": 1080, "socks5h": 1080}
_RECEIVE_BYTES: Final = 4096
_SOCKS: Final = ("socks5", "socks5h")
#: RFC 1928, section 6, in Go's words.
_SOCKS_REPLIES: Final = (
    "succeeded", "general SOCKS server failure", "connection not allowed by ruleset",
    "network unreachable", "host unreachable", "connection refused", "TTL expired",
    "command not supported", "address type not supported",
)  # fmt: skip


class Proxy(Struct, frozen=True):
    """A proxy, as an environment variable names it."""

    url: str
    scheme: str
    host: str
    port: int
    #: None without credentials.
    user: str | None = None
    password: str = ""

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Parse a URL, or a host with its port. Raises ValueError."""
        text = text if "://" in text else f"http://{text}"
        url = parse(text)
        port = url.port or _PORTS.get(url.scheme, 80)
        if port > MOST_PORT:
            raise ValueError(f"the port {port} is greater than {MOST_PORT}")
        user, password = url.credentials
        return cls(text, url.scheme, url.host, port, None if url.user is None else user, password)

    @property
    def forwards(self) -> bool:
        """True if the proxy takes plain HTTP requests, which then need no tunnel."""
        return self.scheme not in _SOCKS

    @property
    def authorization(self) -> str:
        """The value of Proxy-Authorization, "" without credentials."""
        if self.user is None:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Proxies:
    """The proxies that the environment names, and the hosts that bypass them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._plain = _first(environment, "HTTP_PROXY")
        self._secure = _first(environment, "HTTPS_PROXY")
        self._except = [
            pattern.strip().lower()
            for pattern in _first(environment, "NO_PROXY").split(",")
            if pattern.strip()
        ]

    def proxy_for(self, host: str, port: int, *, secure: bool) -> Proxy | None:
        """Return the proxy; None for a direct connection. Raises DialError for an invalid proxy URL."""
        proxy = self._secure if secure else self._plain
        if not proxy:
            return None
        name = host.lower().rstrip(".")
        address = literal(name)
        if name == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(self._excepts(pattern, name, address, port) for pattern in self._except):
            return None
        try:
            return Proxy.parse(proxy)
        except ValueError as error:
            raise DialError(f"invalid proxy address {proxy!r}: {error}") from None

    @staticmethod
    def _excepts(rule: str, name: str, address: Address | None, port: int) -> bool:
        if rule == "*":
            return True
        if "/" in rule:
            try:
                return address is not None and address in ipaddress.ip_network(rule, strict=False)
            except ValueError:
                return False
        rule, colon, number = rule.partition(":") if rule.count(":") == 1 else (rule, "", "")
        if colon and number != str(port):
            return False
        if address is not None:
            return rule == str(address)
        rule = rule.removeprefix("*")
        return (
            name.endswith(rule) if rule.startswith(".") else (name == rule or name.endswith("." + rule))
        )


def _first(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower()) or ""


def tunnel(sock: Connection, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy at the other end for a connection to the host. Raises DialError, OSError."""
    if proxy.scheme in _SOCKS:
        _socks5(sock, proxy, host, port)
    else:
        _connect(sock, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _connect(sock: Connection, proxy: Proxy, target: str) -> None:
    """Open a tunnel by HTTP's CONNECT (RFC 9110, section 9.3.6)."""
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", "User-Agent: Go-http-client/1.1"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    try:
        answer, _ = read_head(lambda: sock.recv(_RECEIVE_BYTES), b"")
        _, status, text = parse_status_line(answer.split(b"\n")[0].removesuffix(b"\r"))
    except Malformed as error:
        raise DialError(str(error)) from None
    if status != 200:
        raise DialError(text.partition(" ")[2] or "unknown status code")


def _socks5(sock: Connection, proxy: Proxy, host: str, port: int) -> None:
    """Open a tunnel by SOCKS 5 (RFC 1928, RFC 1929); the proxy looks the name up."""
    sock.sendall(b"\5\1\0" if proxy.user is None else b"\5\2\0\2")
    version, method = _exactly(sock, 2)
    if version != 5:
        raise DialError(f"unexpected protocol version {version}")
    if method == 2 and proxy.user is not None:
        sock.sendall(b"\1" + _counted(proxy.user) + _counted(proxy.password))
        if _exactly(sock, 2)[1]:
            raise DialError("username/password authentication failed")
    elif method:
        raise DialError("no acceptable authentication methods")
    sock.sendall(b"\5\1\0" + _socks_address(host) + port.to_bytes(2, "big"))
    _, reply, _, kind = _exactly(sock, 4)
    if reply:
        known = reply < len(_SOCKS_REPLIES)
        reason = _SOCKS_REPLIES[reply] if known else f"unknown code: {reply}"
        raise DialError(f"socks connect tcp {proxy.host}:{proxy.port}->{host}:{port}: {reason}")
    _exactly(sock, {1: 4, 4: 16}.get(kind) or _exactly(sock, 1)[0])
    _exactly(sock, 2)


def _socks_address(host: str) -> bytes:
    address = literal(host)
    if address is None:
        return b"\3" + _counted(host)
    return (b"\1" if address.version == 4 else b"\4") + address.packed


def _counted(text: str) -> bytes:
    data = text.encode()[:255]
    return bytes((len(data),)) + data


def _exactly(sock: Connection, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise DialError("EOF")
        data += piece
    return data
