"""Built-ins in which the engine differs from k6's: which of them a module's text uses.

QuickJS-NG 0.11 lacks some methods that k6 2.3 has, and formats dates and numbers otherwise. Each kind
of difference has a module in modules/globals/. Only modules of the script whose text contains one of
the words below import it, so that all other scripts pay nothing for it: neither time at the start nor
memory per VU. A text that contains the word by chance is not harmed.
"""

from __future__ import annotations

import re
from typing import Final

#: Specifier of a module of ours -> the words that stand in a text which needs the module.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "jsrunner:globals/bigint": ("asUintN",),
    "jsrunner:globals/collation": ("localeCompare",),
    "jsrunner:globals/date_setters": (
        "setDate", "setFullYear", "setHours", "setMilliseconds", "setMinutes", "setMonth", "setSeconds",
        "setUTC", "Date.prototype",
    ),
    "jsrunner:globals/dates": ("Date(",),
    "jsrunner:globals/locale": ("toLocale",),
    "jsrunner:globals/maths": (
        "acos", "asin", "atan", "cbrt", "hypot", "Math.cos", "Math.log", "Math.sin", "Math.tan",
        "} = Math",
    ),
    "jsrunner:globals/raw_json": ("rawJSON", "isRawJSON"),
    "jsrunner:globals/sorting": (".sort", "toSorted"),
    "jsrunner:globals/uint8array": (
        "fromBase64", "fromHex", "setFromBase64", "setFromHex", "toBase64", "toHex",
    ),
}  # fmt: skip


#: `toString` with an argument, if it is not one of those that the engine writes as k6's does.
_RADIX: Final = re.compile(r"\.toString\((?!\s*(?:2|8|10|16|32)?\s*\))")


def modules_for(text: str) -> tuple[str, ...]:
    """Return the specifiers of the modules that a text needs.

    Args:
        text: The JavaScript of one module of the script.

    Returns:
        Specifiers in a fixed order.
    """
    found = [specifier for specifier, words in _WORDS.items() if any(word in text for word in words)]
    if _RADIX.search(text):
        found.append("jsrunner:globals/radixes")
    return tuple(found)
