"""Kinds of the options about hosts, addresses and TLS. See `kinds` for the contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from jsrunner.options.certificates import check_pair
from jsrunner.options.duration import parse_duration
from jsrunner.options.kinds import Base, Text, TextMap, Texts
from jsrunner.options.mismatch import mismatch, null_mismatch
from jsrunner.options.numbers import quote

if TYPE_CHECKING:
    from jsrunner.options.certificates import ClientCertificate

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOSTNAME = rf"(?:\*\.?)?(?:{_LABEL}(?:\.{_LABEL})*)?"
_HOSTNAMES = rf"(?ia){_HOSTNAME}\Z"
_HOSTS = rf"(?ia){_HOSTNAME}(?::[0-9]{{1,5}})?\Z"

_TLS_VERSIONS: Final = ("tls1.0", "tls1.1", "tls1.2", "tls1.3")


class TLSVersion(Base):
    """The lowest and the highest TLS version: one version, or {min, max}, in JSON."""

    go_type = "lib.TLSVersions"

    def from_json(self, value: object) -> tuple[str | None, str | None]:
        if isinstance(value, str):
            if value not in (*_TLS_VERSIONS, ""):
                raise mismatch(value, "lib.tlsVersionsFields")
            value = {"min": value, "max": value}
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        for key, version in value.items():
            if key not in ("min", "max"):
                raise ValueError(f"json: unknown field {quote(key)}")
            if version not in (*_TLS_VERSIONS, "", None):
                raise ValueError(f"unknown TLS version '{version}'")
        return value.get("min") or None, value.get("max") or None

    def to_json(self, value: tuple[str | None, str | None]) -> dict[str, str]:
        return {"min": value[0] or "", "max": value[1] or ""}


class TLSAuth(Base):
    """Client certificates: a list of {cert, key, password, domains}; cert and key are PEM texts."""

    go_type = "[]*lib.TLSAuth"
    _fields: ClassVar = {"cert": str, "key": str, "password": str, "domains": list}

    def from_json(self, value: object) -> list[ClientCertificate]:
        if not isinstance(value, list):
            raise mismatch(value, self.go_type)
        for entry in value:
            if not isinstance(entry, dict):
                raise mismatch(entry, "lib.TLSAuthFields")
            for key, item in entry.items():
                if key not in self._fields:
                    raise ValueError(f"json: unknown field {quote(key)}")
                if item is not None and not isinstance(item, self._fields[key]):
                    raise mismatch(item, "[]string" if key == "domains" else "string")
            for domain in entry.get("domains") or ():
                if not isinstance(domain, str):
                    raise mismatch(domain, "string")
            check_pair(entry.get("cert") or "", entry.get("key") or "", entry.get("password") or None)
        return value


class CipherSuites(Texts):
    """Go's names of the cipher suites that k6 knows."""

    go_type = "*lib.TLSCipherSuites"
    #: The suites' IANA numbers by Go's names.
    known: Final = {
        "TLS_RSA_WITH_RC4_128_SHA": 0x0005,
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA": 0x000A,
        "TLS_RSA_WITH_AES_128_CBC_SHA": 0x002F,
        "TLS_RSA_WITH_AES_256_CBC_SHA": 0x0035,
        "TLS_RSA_WITH_AES_128_CBC_SHA256": 0x003C,
        "TLS_RSA_WITH_AES_128_GCM_SHA256": 0x009C,
        "TLS_RSA_WITH_AES_256_GCM_SHA384": 0x009D,
        "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": 0xC007,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": 0xC009,
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": 0xC00A,
        "TLS_ECDHE_RSA_WITH_RC4_128_SHA": 0xC011,
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": 0xC012,
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": 0xC013,
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": 0xC014,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": 0xC023,
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": 0xC027,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": 0xC02C,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 0xC02F,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": 0xC030,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": 0xCCA8,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": 0xCCA9,
        "TLS_AES_128_GCM_SHA256": 0x1301,
        "TLS_AES_256_GCM_SHA384": 0x1302,
        "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
    }

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for name in values:
            if name not in self.known:
                raise ValueError(f"unknown cipher suite '{name}'")
        return values

    def from_env(self, text: str) -> tuple[str, ...]:
        """Parse IANA numbers: k6's environment variable takes no names."""
        names = {number: name for name, number in self.known.items()}
        suites = []
        for part in text.split(","):
            if not re.fullmatch("[0-9]+", part):
                raise ValueError(f"strconv.ParseUint: parsing {quote(part)}: invalid syntax")
            number = int(part[:9])
            if number not in names:
                raise ValueError(f"unknown cipher suite id '{part}'")
            suites.append(names[number])
        return tuple(suites)


class CIDRs(Texts):
    """Networks in CIDR notation, such as `10.0.0.0/8`."""

    word = "ip range"
    go_type = "[]*lib.IPNet"

    def from_json(self, value: object) -> tuple[str, ...]:
        if isinstance(value, list):  # k6 names a wrong text before an item of another type
            self.check(tuple(item for item in value if isinstance(item, str)))
        return super().from_json(value)

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for cidr in values:
            if reason := self._error(cidr):
                raise ValueError(f"failed to parse CIDR '{cidr}': {reason}")
        return values

    def from_text(self, text: str) -> tuple[str, ...]:
        values = tuple(text.split(",")) if text else ()
        for cidr in values:
            if reason := self._error(cidr):
                raise ValueError(f"error parsing blacklist-ip '{cidr}': {reason}")
        return values

    def from_env(self, text: str) -> tuple[str, ...]:
        return self.check(tuple(text.split(",")))

    def to_json(self, value: tuple[str, ...]) -> list[str]:
        import ipaddress  # here, because few tests need it

        return [str(ipaddress.ip_network(cidr, strict=False)) for cidr in value]

    @staticmethod
    def _error(text: str) -> str:
        """Return Go's error text for a network; "" if it is valid."""
        import ipaddress  # here, because few tests need it

        _, _, bits = text.partition("/")
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            bits = ""
        return "" if bits.isdecimal() else f"invalid CIDR address: {text}"


class Hostnames(Texts):
    """Patterns of host names: each is a name, or `*` and a suffix."""

    word = "pattern"
    go_type = "types.NullHostnameTrie"

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in values:
            if not re.match(_HOSTNAMES, pattern):
                raise ValueError(f"invalid hostname pattern '{pattern}'")
        return values


class Hosts(TextMap):
    """Addresses by host: {name[:port]: ip[:port]}.

    A wrong address is an error only of the connection that asks for its name, as in k6.
    """

    go_type = "types.NullHosts"

    def from_json(self, value: object) -> dict[str, str]:
        hosts = super().from_json(value)
        for name, address in hosts.items():
            _, colon, port = address.rpartition(":")
            if colon and (address.count(":") == 1 or "]:" in address) and not port.isdecimal():
                raise ValueError(f"strconv.Atoi: parsing {quote(port)}: invalid syntax")
            if not re.match(_HOSTS, name):
                raise ValueError(f"invalid host pattern '{name}'")
        return hosts


class AddressRanges(Text):
    """Addresses, ranges `a-b` and networks in CIDR notation, with commas between them."""

    go_type = "types.NullIPPool"

    def from_text(self, text: str) -> str:
        import ipaddress  # here, because few tests need it

        for part in text.split(","):
            if "-" in part:
                self._check_range(part)
            elif "/" in part:
                try:
                    ipaddress.ip_network(part, strict=False)
                except ValueError:
                    raise ValueError(
                        f"parseCIDR() failed parsing {part}: invalid CIDR address: {part}"
                    ) from None
            else:
                try:
                    ipaddress.ip_address(part)
                except ValueError:
                    raise ValueError(f"{part} is not a valid IP, IP range or CIDR") from None
        return text

    @staticmethod
    def _check_range(text: str) -> None:
        import ipaddress  # here, because few tests need it

        first, _, last = text.partition("-")
        try:
            begin, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
        except ValueError:
            raise ValueError(f"wrong IP range format: {text}") from None
        if begin.version != end.version:
            raise ValueError(f"mixed IP range format: {text}")
        if int(begin) > int(end):
            raise ValueError(f"negative IP range: {text}")


class DNS(Base):
    """Settings of name resolution: {ttl, select, policy} in JSON, `ttl=5m,select=first` as a text."""

    go_type = "types.DNSConfig"
    _choices: ClassVar = {
        "select": ("DNSSelect", ("first", "random", "roundRobin")),
        "policy": (
            "DNSPolicy",
            ("preferIPv4", "preferIPv6", "onlyIPv4", "onlyIPv6", "any"),
        ),
    }

    def from_json(self, value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise mismatch(value, self.go_type)
        settings = {}
        for key in ("ttl", *self._choices):
            item = value.get(key)
            if item is None:
                continue
            if not isinstance(item, str):
                raise null_mismatch(item, "null.String") if key == "ttl" else mismatch(item, "string")
            settings[key] = item
        return self.check(settings)

    def from_text(self, text: str) -> dict[str, str]:
        settings = {}
        for pair in text.split(","):
            key, _, value = pair.partition("=")
            if not value:
                raise ValueError(f"no value for key {pair}")
            if key not in ("ttl", *self._choices):
                raise ValueError(f"unknown DNS configuration field: {key}")
            settings[key] = value
        return self.check(settings)

    def check(self, settings: dict[str, str]) -> dict[str, str]:
        """Return the settings after a check of `select` and `policy`; `check_ttl` checks the ttl later.

        Raises:
            ValueError: A word is unknown.
        """
        for key, (name, choices) in sorted(self._choices.items()):  # in the order of k6's JSON
            if key in settings and settings[key] not in choices:
                raise ValueError(f"{settings[key]} does not belong to {name} values")
        return settings

    @staticmethod
    def check_ttl(text: str) -> None:
        """Check the time for which resolved names are kept.

        Raises:
            ValueError: The text is neither `inf` nor a duration.
        """
        if text in ("inf", ""):
            return
        try:
            wrong = parse_duration(text) < 0
        except ValueError:
            wrong = True
        if wrong:
            raise ValueError(f"invalid DNS TTL: {text}")

    def to_json(self, value: dict[str, str]) -> dict[str, str | None]:
        return {"ttl": None, "select": None, "policy": None} | value
