"""Tables of host names and addresses for the options hosts, blacklistIPs, blockHostnames and localIPs.

The tables are pure: they look no name up.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The greatest number of a port.
MOST_PORT: Final = 65535


@functools.lru_cache(1024)
def literal(host: str) -> Address | None:
    """Return the address that `host` spells; None if it is a name."""
    if not host or (host[-1] not in "0123456789" and ":" not in host):
        return None  # the usual name, without the cost of an exception
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def split_port(text: str) -> tuple[str, int | None]:
    """Split `1.2.3.4:80`, `[::1]:80` or an address alone into the address and the port."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, int(port)
    return text, None


class Patterns:
    """Values by host name; a name may begin with `*`, and the longest such pattern wins."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._exact = {key.lower(): value for key, value in patterns.items() if "*" not in key}
        self._wild = sorted(
            ((key.lower()[1:], key, value) for key, value in patterns.items() if key[:1] == "*"),
            key=lambda item: -len(item[0]),
        )

    def find(self, name: str) -> tuple[str, str] | None:
        """Return (pattern, value) of the longest pattern that matches a name."""
        name = name.lower()
        if name in self._exact:
            return name, self._exact[name]
        for suffix, pattern, value in self._wild:
            if name.endswith(suffix):
                return pattern, value
        return None


class Networks:
    """Ranges of addresses."""

    def __init__(self, ranges: Sequence[str]) -> None:
        self._networks = [(ipaddress.ip_network(text, strict=False), text) for text in ranges]

    def containing(self, address: str) -> str | None:
        """Return the text of the first range that contains the address."""
        if not self._networks:
            return None
        parsed = ipaddress.ip_address(address)
        mapped = getattr(parsed, "ipv4_mapped", None)
        return next(
            (
                str(network)
                for network, _ in self._networks
                if (mapped or parsed) in network or parsed in network
            ),
            None,
        )


class LocalAddresses:
    """Client addresses, given as IPs, ranges a-b, or CIDRs; VUs take them in turn."""

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[Address, int]] = []
        for part in text.split(","):
            first, dash, last = part.partition("-")
            if dash:
                begin, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
                self._parts.append((begin, int(end) - int(begin) + 1))
            elif "/" in part:
                network = ipaddress.ip_network(part, strict=False)
                hosts = network.num_addresses - (2 if network.num_addresses > 2 else 0)
                begin = network.network_address + (1 if network.num_addresses > 2 else 0)
                self._parts.append((begin, hosts))
            else:
                self._parts.append((ipaddress.ip_address(part), 1))
        self._count = sum(count for _, count in self._parts)

    def of(self, number: int) -> str:
        """Return the address of the VU with a number, from 0: the VUs take turns."""
        number %= self._count
        for begin, count in self._parts:
            if number < count:
                return str(begin + number)
            number -= count
        raise AssertionError
