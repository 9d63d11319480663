"""Tokens of a .proto file (https://protobuf.dev/reference/protobuf/proto3-spec/#lexical_elements)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from jsrunner.proto.errors import SourceError

IDENT, INT, FLOAT, STRING, SYMBOL, END = "ident", "int", "float", "string", "symbol", "end"

_BLANK: Final = re.compile(r"[\s]*(?://[^\n]*(?:\n|\Z)|/\*.*?\*/|\s+)*", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"\.?[0-9](?:[eE][+-]|[A-Za-z0-9_.])*")
_INTEGER: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_FLOATING: Final = re.compile(r"(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TEXT: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'')
_ESCAPE: Final = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"
)
_PLAIN_ESCAPES: Final = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip
_SYMBOLS: Final = ";,.:=-+(){}[]<>/"
_TAB: Final = 8
_LARGEST: Final = (1 << 64) - 1

#: Words that error texts show in quotes, where others are identifiers.
KEYWORDS: Final = frozenset(
    (
        "syntax", "edition", "import", "weak", "public", "package", "option", "true", "false", "inf",
        "nan", "repeated", "optional", "required", "double", "float", "int32", "int64", "uint32",
        "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string",
        "bytes", "group", "oneof", "map", "extensions", "to", "max", "reserved", "enum", "message",
        "extend", "service", "rpc", "stream", "returns", "export", "local",
    )
)  # fmt: skip


class Token(NamedTuple):
    """One token: its kind, its text (of a string its bytes, of a number its value), and its place."""

    kind: str
    value: str | int | float | bytes
    offset: int

    def is_symbol(self, text: str) -> bool:
        """Return True if the token is this symbol, e.g. `{`."""
        return self.kind == SYMBOL and self.value == text

    def is_word(self, text: str) -> bool:
        """Return True if the token is this identifier or keyword."""
        return self.kind == IDENT and self.value == text

    @property
    def text(self) -> str:
        """A word, or the content of a string literal."""
        value = self.value
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    @property
    def shown(self) -> str:
        """The token as syntax errors name it."""
        if self.kind == END:
            return "$end"
        if self.kind == SYMBOL:
            return f"'{self.text}'"
        if self.kind == IDENT:
            return f'"{self.text}"' if self.value in KEYWORDS else "identifier"
        return f"{self.kind} literal"


class Source:
    """A file's text with its tokens, read once."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text.removeprefix("\ufeff")
        self.tokens = self._read()

    def place(self, offset: int) -> tuple[int, int]:
        """Return (line, column) of an offset, both from 1; a tab reaches the next multiple of 8."""
        start = self.text.rfind("\n", 0, offset) + 1
        column = 0
        for character in self.text[start:offset]:
            column += _TAB - column % _TAB if character == "\t" else len(character.encode())
        return self.text.count("\n", 0, offset) + 1, column + 1

    def error(self, offset: int, text: str) -> SourceError:
        """Return an error at an offset."""
        return SourceError(self.path, self.place(offset), text)

    def _read(self) -> list[Token]:
        text, tokens, offset = self.text, list[Token](), 0
        while True:
            blank = _BLANK.match(text, offset)
            assert blank is not None
            offset = blank.end()
            if offset == len(text):
                tokens.append(Token(END, "", offset))
                return tokens
            token, offset = self._next(offset)
            tokens.append(token)

    def _next(self, offset: int) -> tuple[Token, int]:
        text = self.text
        character = text[offset]
        match = _WORD.match(text, offset)
        if match:
            return Token(IDENT, match[0], offset), match.end()
        match = _NUMBER.match(text, offset)
        if match:
            return self._number(match[0], offset), match.end()
        if character in "\"'":
            match = _TEXT.match(text, offset)
            if match is None:
                end = text.find("\n", offset)
                raise self.error(
                    offset,
                    "unexpected EOF"
                    if end < 0
                    else "encountered end-of-line before end of string literal",
                )
            content = match[1] if match[1] is not None else match[2]
            return Token(STRING, _unescaped(content), offset), match.end()
        if text.startswith("/*", offset):
            raise self.error(offset, "block comment never terminates, unexpected EOF")
        if character not in _SYMBOLS:
            is_control = ord(character) < 32 or ord(character) == 127
            raise self.error(offset, "invalid control character" if is_control else "invalid character")
        return Token(SYMBOL, character, offset), offset + 1

    def _number(self, text: str, offset: int) -> Token:
        if _INTEGER.fullmatch(text):
            base = 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" else 10
            value = int(text, base)
            return (
                Token(INT, value, offset) if value <= _LARGEST else Token(FLOAT, float(value), offset)
            )
        if _FLOATING.fullmatch(text) and not text.startswith("0x"):
            return Token(FLOAT, float(text), offset)
        if "." in text or (("e" in text or "E" in text) and text[:2] not in ("0x", "0X")):
            kind = "float"
        else:
            kind = {"0x": "hexadecimal", "0X": "hexadecimal"}.get(
                text[:2], "octal integer" if text[0] == "0" else "integer"
            )
        raise self.error(offset, f"invalid syntax in {kind} value: {text}")


def _unescaped(text: str) -> bytes:
    """Return the bytes that a string literal means."""
    data = text.encode()
    if b"\\" not in data:
        return data

    def character(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, short, long, plain = match.groups()
        if octal is not None:
            return bytes([int(octal, 8) & 0xFF])
        if hexadecimal is not None:
            return bytes([int(hexadecimal, 16)])
        if short is not None or long is not None:
            return chr(int(short or long, 16)).encode("utf-8", "replace")
        return _PLAIN_ESCAPES.get(plain, plain)

    return _ESCAPE.sub(character, data)
