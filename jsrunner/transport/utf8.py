"""UTF-8 as Go reads it: each byte that is no part of a valid sequence is one U+FFFD."""

from __future__ import annotations

import re
from typing import Final

#: What `surrogateescape` makes of a byte that is no UTF-8.
_ESCAPED: Final = re.compile("[\udc80-\udcff]")


def decode(data: bytes | bytearray) -> str:
    """Return the text of `data` (RFC 3629). Python's own `replace` merges truncated sequences."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _ESCAPED.sub("\ufffd", data.decode("utf-8", "surrogateescape"))
