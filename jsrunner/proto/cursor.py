"""The parser's place in a file: tokens, and options, which all declarations have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from jsrunner.proto.lexer import END, FLOAT, IDENT, INT, STRING, Source, Token
from jsrunner.proto.parsed import PROTO2, File, Option, Value

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from jsrunner.proto.parsed import Owner


class Cursor:
    """Reads tokens, names and options of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = source.tokens
        self._position = 0
        self._file = File(source, PROTO2, FileDescriptorProto(name=source.path))
        self._kept: list[Message] = []

    # -- tokens ------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _peek(self, ahead: int = 1) -> Token:
        return self._tokens[min(self._position + ahead, len(self._tokens) - 1)]

    def _advance(self) -> Token:
        token = self._token
        if token.kind != END:
            self._position += 1
        return token

    def _fail(self, expecting: str = "") -> NoReturn:
        token = self._token
        text = f"syntax error: unexpected {token.shown}" + (
            f", expecting {expecting}" if expecting else ""
        )
        raise self._source.error(token.offset, text)

    def _accept(self, symbol: str) -> bool:
        if self._token.is_symbol(symbol):
            self._position += 1
            return True
        return False

    def _accept_word(self, word: str) -> bool:
        if self._token.is_word(word):
            self._position += 1
            return True
        return False

    def _expect(self, symbol: str) -> Token:
        if not self._token.is_symbol(symbol):
            self._fail(f"'{symbol}'")
        return self._advance()

    def _semicolon(self) -> None:
        if not self._accept(";"):
            raise self._source.error(self._token.offset, "syntax error: expecting ';'")

    def _identifier(self, expecting: str = "") -> Token:
        if self._token.kind != IDENT:
            self._fail(expecting)
        return self._advance()

    def _integer(self) -> Token:
        if self._token.kind != INT:
            self._fail("int literal")
        return self._advance()

    def _string(self) -> Token:
        """Return a token of adjacent string literals, joined."""
        if self._token.kind != STRING:
            self._fail("string literal")
        first = self._advance()
        value = first.value
        assert isinstance(value, bytes)
        while self._token.kind == STRING:
            more = self._advance().value
            assert isinstance(more, bytes)
            value += more
        return Token(STRING, value, first.offset)

    def _type_name(self) -> Token:
        """Return a token of a name with dots."""
        offset = self._token.offset
        text = "." if self._accept(".") else ""
        text += self._identifier().text
        while self._accept("."):
            text += f".{self._identifier().text}"
        return Token(IDENT, text, offset)

    # -- options -----------------------------------------------------------------------------------

    def _option(self, owner: Owner, label: str, scope: str) -> None:
        self._advance()
        self._option_body(owner, label, scope)
        self._semicolon()

    def _options(self, owner: Owner, label: str, scope: str) -> None:
        """Read `[a = 1, (b).c = 2]`, if it is there."""
        if not self._accept("["):
            return
        while True:
            self._option_body(owner, label, scope)
            if self._accept("]"):
                return
            if not self._accept(","):
                self._fail("',' or ']'")

    def _option_body(self, owner: Owner, label: str, scope: str) -> None:
        offset = self._token.offset
        names = []
        while True:
            if self._accept("("):
                names.append((self._type_name().text, True))
                self._expect(")")
            else:
                names.append((self._identifier().text, False))
            if not self._accept("."):
                break
        self._expect("=")
        value = self._value()
        self._file.options.append(Option(names, value, offset, owner, label, scope))
        is_json_name = names == [("json_name", False)] and value.kind == STRING
        if is_json_name and isinstance(owner, FieldDescriptorProto):
            owner.json_name = value.value.decode("utf-8", "replace")

    def _value(self) -> Value:
        token = self._token
        if token.is_symbol("{"):
            self._advance()
            return Value("message", self._aggregate("}"), token.offset)
        if token.kind == STRING:
            return Value(STRING, self._string().value, token.offset)
        is_negative = self._accept("-")
        if not is_negative:
            self._accept("+")
        token = self._token
        if token.kind in (INT, FLOAT):
            self._advance()
            number = token.value
            assert isinstance(number, (int, float))
            return Value(token.kind, -number if is_negative else number, token.offset)
        if token.kind == IDENT:
            self._advance()
            return Value(IDENT, f"-{token.text}" if is_negative else token.value, token.offset)
        self._fail()

    def _aggregate(self, closing: str) -> list[tuple[str, Value]]:
        """Read a message in text format up to its closing brace: its fields."""
        fields: list[tuple[str, Value]] = []
        while not self._accept(closing):
            if self._accept(",") or self._accept(";"):
                continue
            if self._accept("["):
                name = self._type_name().text
                while self._accept("/"):
                    name += f"/{self._type_name().text}"
                self._expect("]")
            else:
                name = self._identifier().text
            has_colon = self._accept(":")
            fields.append((name, self._aggregate_value(has_colon=has_colon)))
        return fields

    def _aggregate_value(self, *, has_colon: bool) -> Value:
        offset = self._token.offset
        if self._accept("{"):
            return Value("message", self._aggregate("}"), offset)
        if self._accept("<"):
            return Value("message", self._aggregate(">"), offset)
        if self._accept("["):
            items = []
            while not self._accept("]"):
                items.append(self._aggregate_value(has_colon=True))
                self._accept(",")
            return Value("list", items, offset)
        if not has_colon:
            self._fail("':'")
        return self._value()
