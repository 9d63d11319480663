"""k6's error texts for regular expressions that cannot be compiled.

k6's engine compiles most with Go's regexp package (RE2), whose message is part of the text.
"""

from __future__ import annotations

import re
from typing import Final

_REPEATED: Final = re.compile(r"[*+?]{2,}|\{\d+,?\d*\}[*+]")
_PAIR: Final = re.compile(r"[^\[\]\\^]-[^\[\]\\]")


def describe(message: str, pattern: str) -> str | None:
    """Return k6's text of the SyntaxError.

    Args:
        message: QuickJS's text.
        pattern: The regular expression without slashes and flags.

    Returns:
        The text, or None if it is not known.
    """
    if message == "expecting ')'" or (message == "invalid group" and pattern.endswith("(?")):
        return "Unterminated group"
    if message == "extraneous characters at the end":
        return "Unmatched ')'"
    if message == "unexpected end" and not pattern.endswith("\\"):
        return "Unterminated character class"
    cause = _cause(message, pattern)
    return None if cause is None else f"Invalid regular expression (re2): {pattern} ({cause})"


def _cause(message: str, pattern: str) -> str | None:
    """Return RE2's message."""
    prefix = "error parsing regexp: "
    if message == "unexpected end":
        return f"{prefix}trailing backslash at end of expression: ``"
    if message == "nothing to repeat":
        repeated = _REPEATED.search(pattern)
        if repeated:
            return f"{prefix}invalid nested repetition operator: `{repeated[0]}`"
        operator = re.search(r"[*+?]", pattern)
        return f"{prefix}missing argument to repetition operator: `{operator[0] if operator else ''}`"
    if message == "invalid class range":
        wrong = next((pair for pair in _PAIR.findall(pattern) if pair[0] > pair[2]), None)
        if wrong is not None:
            return f"{prefix}invalid character class range: `{wrong}`"
    return None
