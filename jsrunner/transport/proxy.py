"""Proxies named by the environment, by the rules of Go's httpproxy; the tunnel through them."""

from __future__ import annotations

import base64
import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from jsrunner.transport.addresses import literal
from jsrunner.transport.errors import DialError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Proxies:
    """Which proxy a connection takes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._plain = _first(environment, "HTTP_PROXY")
        self._secure = _first(environment, "HTTPS_PROXY")
        self._except = [
            one.strip().lower() for one in _first(environment, "NO_PROXY").split(",") if one.strip()
        ]

    def proxy_for(self, host: str, port: int, *, secure: bool) -> str | None:
        """The proxy's URL, None for a direct connection."""
        proxy = self._secure if secure else self._plain
        if not proxy:
            return None
        name = host.lower().rstrip(".")
        address = literal(name)
        if name == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(self._excepts(one, name, address, port) for one in self._except):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    @staticmethod
    def _excepts(rule: str, name: str, address: Any, port: int) -> bool:
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


def split(proxy: str) -> tuple[str, int, str]:
    """(host, port, value of Proxy-Authorization or "") of a proxy's URL."""
    parts = urlsplit(proxy)
    host = parts.hostname or ""
    port = parts.port or {"https": 443, "socks5": 1080, "socks5h": 1080}.get(parts.scheme, 80)
    if parts.username is None:
        return host, port, ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return host, port, "Basic " + base64.b64encode(pair.encode()).decode()


def tunnel(sock: Any, host: str, port: int, authorization: str) -> None:
    """Ask the proxy at the other end for a connection. Raises DialError with its reason phrase."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if authorization:
        lines.append(f"Proxy-Authorization: {authorization}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = sock.recv(4096)
        if not piece:
            raise DialError("unexpected EOF")
        answer += piece
    _, _, status = answer.split(b"\r\n")[0].decode("latin-1").partition(" ")
    code, _, reason = status.partition(" ")
    if code != "200":
        raise DialError(reason.partition(" ")[0] if reason else code)
