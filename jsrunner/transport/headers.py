"""Header fields by Go's rules (net/textproto, golang.org/x/net/http/httpguts)."""

from __future__ import annotations

import functools
import re
from typing import Final

from jsrunner.transport.names import to_ascii

#: A token (RFC 9110, section 5.6.2), as a regular expression.
TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TOKEN = re.compile(rf"{TOKEN}\Z")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: The characters of a host (RFC 3986, section 3.2.2), its port and its brackets.
_HOST = re.compile(r"[0-9A-Za-z!$%&()*+,\-.:;=\['\]_~]*\Z")


@functools.lru_cache(1024)
def canonical(name: str) -> str:
    """Return a header name as Go writes it: `x-request-ID` becomes `X-Request-Id`."""
    if not _TOKEN.match(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def is_name(text: str) -> bool:
    """Return True if a text is a field name: a token (RFC 9110, section 5.6.2)."""
    return bool(_TOKEN.match(text))


def is_value(text: str) -> bool:
    """Return True if a text can be a field's value: it has no control characters but tabs."""
    return not _BAD_VALUE.search(text)


def host_value(text: str) -> str:
    """Return the value of the field `Host` for a text: in ASCII, and empty if it can be no host."""
    host, colon, port = text.partition(":")
    value = to_ascii(host) + colon + port
    return value if _HOST.match(value) else ""
