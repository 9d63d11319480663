"""Host names: the rules for names that a resolver takes, and the ASCII form of others (RFC 5890)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Names that Go looks up: labels of up to 63 letters, digits, `-` and `_`; not only digits.
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"(?=[^A-Za-z_-]*[A-Za-z_-]){_LABEL}(?:\.{_LABEL})*\.?\Z")
_MOST_CHARACTERS: Final = 254
#: Names that the C library takes for addresses, and Go does not: `0x7f000001`.
_NUMERIC: Final = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)(?:\.(?:0[xX][0-9A-Fa-f]*|[0-9]+))*\.?\Z")
#: Characters that vanish from names (RFC 5891 by way of UTS #46).
_IGNORED: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))


def can_be_looked_up(host: str) -> bool:
    """Return True if a resolver is asked for the name."""
    return (
        len(host) <= _MOST_CHARACTERS and bool(_NAME.match(host)) and not _NUMERIC.match(host)
    )  # fmt: skip


def to_ascii(host: str) -> str:
    """Return the name in ASCII, e.g. `xn--gre-6ka8i.test`; unchanged if it has no such form."""
    if host.isascii() or "\ufffd" in host:
        return host
    mapped = unicodedata.normalize("NFKC", host.translate(_IGNORED).lower())
    labels = [
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in mapped.replace("。", ".").split(".")
    ]
    spelled = ".".join(labels)
    return spelled if all(labels) and can_be_looked_up(spelled) else host
