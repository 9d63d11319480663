"""Selection of the modules that adapt JavaScript's built-ins, by the text of a script's module.

QuickJS-NG 0.11 lacks some methods that k6 2.3 has, and formats dates and numbers differently. Each
kind of difference has a module in modules/globals/. A module of the script imports it only if its text
contains one of the words below. Other scripts need neither start-up time nor memory per VU for it. A
text that contains a word by chance is not harmed.
"""

from __future__ import annotations

import re
from typing import Final

#: The words that a text contains if it needs a module, by the module's specifier.
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


#: `toString` with an argument for which the engine's result may differ from k6's.
_RADIX: Final = re.compile(r"\.toString\((?!\s*(?:2|8|10|16|32)?\s*\))")


def modules_for(text: str) -> tuple[str, ...]:
    """Return the specifiers of the modules that a text needs.

    Args:
        text: The JavaScript of one module of the script.

    Returns:
        Specifiers in a fixed order.
    """
    modules = [specifier for specifier, words in _WORDS.items() if any(word in text for word in words)]
    if _RADIX.search(text):
        modules.append("jsrunner:globals/radixes")
    return tuple(modules)
