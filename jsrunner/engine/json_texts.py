"""k6's error texts for `JSON.parse`.

k6's engine reads the text token by token with Go's encoding/json. So the error text of a mistake
differs from that of `response.json()`.
"""

from __future__ import annotations

from typing import Final

import orjson

from jsrunner.engine.json_scanner import InvalidJSON, quote, scan_scalar, scan_string, skip_space

_END: Final = "Unexpected end of JSON input (EOF)"

#: Go's json.Decoder by states: the tokens that may come next, and the text for any other token.
_TOP, _ARRAY_START, _ARRAY_VALUE, _ARRAY_COMMA = "top", "array start", "array value", "array comma"
_OBJECT_START, _OBJECT_KEY, _OBJECT_COLON = "object start", "object key", "object colon"
_OBJECT_VALUE, _OBJECT_COMMA = "object value", "object comma"
_CONTEXTS: Final = {
    _TOP: " looking for beginning of value",
    _ARRAY_START: " looking for beginning of value",
    _ARRAY_VALUE: " looking for beginning of value",
    _ARRAY_COMMA: " after array element",
    _OBJECT_START: "",
    _OBJECT_KEY: " looking for beginning of object key string",
    _OBJECT_COLON: " after object key",
    _OBJECT_VALUE: " looking for beginning of value",
    _OBJECT_COMMA: " after object key:value pair",
}
_VALUE_ALLOWED: Final = frozenset((_TOP, _ARRAY_START, _ARRAY_VALUE, _OBJECT_VALUE))


class _Text(Exception):
    """The text of the error."""


def describe(text: str) -> str:
    """Return the text of the SyntaxError for a text that is no JSON.

    Half a surrogate pair in it counts as U+FFFD, as in Go.
    """
    data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    try:
        position = skip_space(data, _value(data))
        return _surplus(data, position) if position < len(data) else _END
    except _Text as told:
        return str(told)


def _value(data: bytes) -> int:
    """Return the position behind the first value. Raises _Text."""
    inside: list[str] = []
    state, position = _TOP, 0
    while True:
        position = skip_space(data, position)
        if position == len(data):
            raise _Text(_END)
        first = data[position]
        if first in b"[{" and state in _VALUE_ALLOWED:
            inside.append(state)
            state = _ARRAY_START if first == 0x5B else _OBJECT_START
            position += 1
            continue
        if (first == 0x5D and state in (_ARRAY_START, _ARRAY_COMMA)) or (
            first == 0x7D and state in (_OBJECT_START, _OBJECT_COMMA)
        ):
            state = inside.pop()
            position += 1
        elif first == 0x3A and state == _OBJECT_COLON:
            state, position = _OBJECT_VALUE, position + 1
            continue
        elif first == 0x2C and state in (_ARRAY_COMMA, _OBJECT_COMMA):
            state = _ARRAY_VALUE if state == _ARRAY_COMMA else _OBJECT_KEY
            position += 1
            continue
        elif first == 0x22 and state in (_OBJECT_START, _OBJECT_KEY):
            state, position = _OBJECT_COLON, _scalar(data, position)
            continue
        elif state in _VALUE_ALLOWED and first not in b"]}:,":
            position = _scalar(data, position)
        else:
            raise _Text(f"invalid character {quote(first)}{_CONTEXTS[state]}")
        if state == _TOP:
            return position
        state = _ARRAY_COMMA if state in (_ARRAY_START, _ARRAY_VALUE) else _OBJECT_COMMA


def _scalar(data: bytes, position: int) -> int:
    """Return the position behind a scalar. Raises _Text."""
    try:
        if data[position] == 0x22:
            return scan_string(data, position + 1)
        return scan_scalar(data, position)
    except InvalidJSON as wrong:
        if wrong.position >= len(data):
            raise _Text("unexpected EOF") from None
        shown = quote(data[wrong.position])
        raise _Text(f"invalid character {shown} {wrong.context}") from None


def _surplus(data: bytes, position: int) -> str:
    """Return the token behind the value as Go prints it; <nil> if it is no token."""
    shown = "<nil>"
    if data[position] in b"[{":
        shown = chr(data[position])
    else:
        try:
            scalar = data[position : scan_scalar(data, position)]
            token = float(scalar) if scalar[0] in b"-0123456789" else orjson.loads(scalar)
        except (InvalidJSON, orjson.JSONDecodeError):
            token = None
        if isinstance(token, bool):
            shown = "true" if token else "false"
        elif isinstance(token, str):
            shown = token
        elif token is not None:
            shown = _go_float(token)
    return f"Unexpected token at the end: {shown}"


def _go_float(number: float) -> str:
    """Return a number as Go's `%v` prints it: with an exponent below -4 or above 5."""
    text = _shortest(number)
    exponent = int(text.partition("e")[2])
    return text if number and not -4 <= exponent < 6 else repr(number).removesuffix(".0")


def _shortest(number: float) -> str:
    """Return the shortest digits of the number, with an exponent of at least two digits."""
    for precision in range(17):
        text = f"{number:.{precision}e}"
        if float(text) == number:
            return text
    return f"{number:.16e}"
