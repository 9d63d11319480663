"""Declarations without fields: enums, services, and ranges of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from jsrunner.proto.cursor import Cursor
from jsrunner.proto.lexer import IDENT, INT, STRING, Token
from jsrunner.proto.parsed import Reference, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        MethodDescriptorProto,
        ServiceDescriptorProto,
    )
    from google.protobuf.message import Message

_Range = TypeVar("_Range", bound="Message")

MAX_TAG: Final = (1 << 29) - 1
_INT32: Final = range(-(1 << 31), 1 << 31)


class Declarations(Cursor):
    """Reads what the parser of messages needs besides fields."""

    def _declare(
        self, scope: str, name: Token, kind: str, descriptor: Message, label: str, start: int
    ) -> str:
        """Note a declaration; return its full name."""
        full = f"{scope}.{name.text}" if scope else name.text
        self._file.symbols.append(Symbol(full, kind, name.offset, descriptor, f"{label} {full}", start))
        return full

    def _numbered(self, descriptor: Message, offset: int) -> None:
        self._file.number_offsets[id(descriptor)] = offset
        self._kept.append(descriptor)  # so that its identity stays its own

    def _is_reserved_names(self) -> bool:
        return self._peek().kind == IDENT and (
            self._peek(2).is_symbol(",") or self._peek(2).is_symbol(";")
        )

    def _ranges(self, add: Callable[[int, int], _Range], top: int, low: int, bump: int) -> list[_Range]:
        """Read `1, 3 to 5, 9 to max`; `bump` is added to ends, which descriptors of tags exclude."""
        made = []
        while True:
            offset = self._token.offset
            start = self._signed()
            end = start
            if self._accept_word("to"):
                end = top - bump if self._accept_word("max") else self._signed()
            if not low <= start <= top - bump:
                limit = f"should be between {low} and {top - bump}"
                raise self._source.error(offset, f"range start {start} is out of range: {limit}")
            if not low <= end <= top - bump:
                limit = f"should be between {low} and {top - bump}"
                raise self._source.error(offset, f"range end {end} is out of range: {limit}")
            if start > end:
                text = f"range, {start} to {end}, is invalid: start must be <= end"
                raise self._source.error(offset, text)
            made.append(add(start, end + bump))
            self._numbered(made[-1], offset)
            if not self._accept(","):
                return made

    def _signed(self) -> int:
        is_negative = self._accept("-")
        value = int(self._integer().value)
        return -value if is_negative else value

    def _reserved(self, parent: DescriptorProto | EnumDescriptorProto, top: int, low: int) -> None:
        self._advance()
        if self._token.kind == STRING:
            while True:
                name = self._string().value
                assert isinstance(name, bytes)
                parent.reserved_name.append(name.decode("utf-8", "replace"))
                if not self._accept(","):
                    break
        else:
            bump = 1 if low == 1 else 0
            self._ranges(
                lambda start, end: parent.reserved_range.add(start=start, end=end), top, low, bump
            )
        self._semicolon()

    def _reserved_words(self, parent: DescriptorProto | EnumDescriptorProto) -> None:
        """Read reserved names of editions, which are no strings."""
        self._advance()
        while True:
            parent.reserved_name.append(self._identifier().text)
            if not self._accept(","):
                break
        self._semicolon()

    # -- enums, services ---------------------------------------------------------------------------

    def _enum(self, enum: EnumDescriptorProto, scope: str) -> None:
        start = self._advance().offset
        name = self._identifier()
        enum.name = name.text
        full = self._declare(scope, name, "an enum", enum, "enum", start)
        self._expect("{")
        while not self._accept("}"):
            token = self._token
            following = self._peek()
            if self._accept(";"):
                continue
            if token.is_word("option") and not following.is_symbol("="):
                self._option(enum, f"enum {full}", full)
            elif token.is_word("reserved") and (
                following.kind in (INT, STRING) or following.is_symbol("-")
            ):
                self._reserved(enum, _INT32.stop - 1, _INT32.start)
            elif token.is_word("reserved") and self._is_reserved_names():
                self._reserved_words(enum)
            elif token.kind == IDENT:
                self._enum_value(enum, scope)
            else:
                self._fail()

    def _enum_value(self, enum: EnumDescriptorProto, scope: str) -> None:
        name = self._identifier()
        value = enum.value.add(name=name.text)
        self._expect("=")
        offset = self._token.offset
        number = self._signed()
        if number not in _INT32:
            limit = f"should be between {_INT32.start} and {_INT32.stop - 1}"
            raise self._source.error(offset, f"value {number} is out of range: {limit}")
        value.number = number
        self._numbered(value, offset)
        # As in C++, a value's name stands beside its enum's.
        full = self._declare(scope, name, "an enum value", value, "enum value", name.offset)
        self._options(value, f"enum value {full}", scope)
        self._semicolon()

    def _service(self, service: ServiceDescriptorProto, scope: str) -> None:
        start = self._advance().offset
        name = self._identifier()
        service.name = name.text
        full = self._declare(scope, name, "a service", service, "service", start)
        self._expect("{")
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._token.is_word("option"):
                self._option(service, f"service {full}", full)
            elif self._token.is_word("rpc"):
                self._method(service.method.add(), full)
            else:
                self._fail()

    def _method(self, method: MethodDescriptorProto, scope: str) -> None:
        start = self._advance().offset
        name = self._identifier()
        method.name = name.text
        full = self._declare(scope, name, "a method", method, "method", start)
        label = f"method {full}"
        method.client_streaming = self._message_type(method, "input_type", label, scope)
        if not self._accept_word("returns"):
            self._fail('"returns"')
        method.server_streaming = self._message_type(method, "output_type", label, scope)
        if not method.client_streaming:
            method.ClearField("client_streaming")
        if not method.server_streaming:
            method.ClearField("server_streaming")
        if self._accept("{"):
            while not self._accept("}"):
                if self._accept(";"):
                    continue
                if not self._token.is_word("option"):
                    self._fail()
                self._option(method, label, full)
        else:
            self._semicolon()

    def _message_type(
        self, method: MethodDescriptorProto, attribute: str, label: str, scope: str
    ) -> bool:
        """Read `(stream a.B)`; return True if it streams."""
        self._expect("(")
        streams = self._token.is_word("stream") and not (
            self._peek().is_symbol(")") or self._peek().is_symbol(".")
        )
        if streams:
            self._advance()
        name = self._type_name()
        setattr(method, attribute, name.text)
        self._file.references.append(Reference(method, attribute, label, scope, name.offset))
        self._expect(")")
        return streams
