"""The grammar of .proto files: proto2, proto3 and editions.

The parser makes a FileDescriptorProto in which types are named as the file names them. It notes what
the linker resolves and checks later: references, options, and the places of declarations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FieldDescriptorProto,
)

from jsrunner.proto.declarations import MAX_TAG, Declarations
from jsrunner.proto.lexer import END, IDENT, INT, STRING, Source, Token
from jsrunner.proto.names import entry_name, json_name, synthetic_oneof_name
from jsrunner.proto.parsed import EDITIONS, PROTO2, PROTO3, File, Reference

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

_SCALARS: Final = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in (
        "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes",
        "uint32", "sfixed32", "sfixed64", "sint32", "sint64",
    )
}  # fmt: skip
_KEY_TYPES: Final = frozenset(_SCALARS) - {"double", "float", "bytes"}
_LABELS: Final = {
    "optional": FieldDescriptorProto.LABEL_OPTIONAL,
    "required": FieldDescriptorProto.LABEL_REQUIRED,
    "repeated": FieldDescriptorProto.LABEL_REPEATED,
}
_EDITIONS: Final = {"2023": Edition.EDITION_2023}
#: Tags that the encoding keeps for itself.
_RESERVED_TAGS: Final = range(19000, 20000)


class Parser(Declarations):
    """Reads the declarations of one file. Made and used up by `parse`."""

    # -- the file ----------------------------------------------------------------------------------

    def parse(self) -> File:
        """Return the parsed file. Raises SourceError."""
        file, descriptor = self._file, self._file.descriptor
        self._syntax()
        has_package = False
        while self._token.kind != END:
            token = self._token
            word = token.value if token.kind == IDENT else ""
            if self._accept(";"):
                continue
            if word == "import":
                self._import()
            elif word == "package":
                self._advance()
                name = self._type_name()
                self._semicolon()
                if has_package:
                    raise self._source.error(
                        token.offset, "files should have only one package declaration"
                    )
                has_package, descriptor.package = True, name.text
            elif word == "option":
                self._option(descriptor, "", descriptor.package)
            elif word == "message":
                self._message(descriptor.message_type.add(), descriptor.package)
            elif word == "enum":
                self._enum(descriptor.enum_type.add(), descriptor.package)
            elif word == "extend":
                self._extend(descriptor, descriptor.package)
            elif word == "service":
                self._service(descriptor.service.add(), descriptor.package)
            else:
                self._fail()
        return file

    def _syntax(self) -> None:
        file, descriptor = self._file, self._file.descriptor
        is_edition = self._token.is_word("edition")
        if not is_edition and not self._token.is_word("syntax"):
            return
        self._advance()
        self._expect("=")
        value = self._string()
        if not self._accept(";"):
            self._fail("string literal or ';'")
        assert isinstance(value.value, bytes)
        text = value.value.decode("utf-8", "replace")
        if is_edition:
            if text not in _EDITIONS:
                raise self._source.error(
                    value.offset, f'edition value "{text}" not recognized; should be one of ["2023"]'
                )
            file.syntax, descriptor.syntax, descriptor.edition = EDITIONS, EDITIONS, _EDITIONS[text]
        elif text not in (PROTO2, PROTO3):
            raise self._source.error(value.offset, 'syntax value must be "proto2" or "proto3"')
        else:
            file.syntax = text
            if text == PROTO3:
                descriptor.syntax = text

    def _import(self) -> None:
        descriptor = self._file.descriptor
        start = self._advance().offset
        is_public, is_weak = self._accept_word("public"), self._accept_word("weak")
        path = self._string()
        assert isinstance(path.value, bytes)
        self._semicolon()
        index = len(descriptor.dependency)
        name = path.value.decode("utf-8", "replace")
        descriptor.dependency.append(name)
        if is_public:
            descriptor.public_dependency.append(index)
        if is_weak:
            descriptor.weak_dependency.append(index)
        self._file.imports.append((name, path.offset, start))

    # -- messages ----------------------------------------------------------------------------------

    def _message(self, message: DescriptorProto, scope: str) -> None:
        start = self._advance().offset
        name = self._identifier()
        message.name = name.text
        full = self._declare(scope, name, "a message", message, "message", start)
        self._expect("{")
        self._message_body(message, full)

    def _message_body(self, message: DescriptorProto, full: str) -> None:
        label = f"message {full}"
        while not self._accept("}"):
            token = self._token
            word = token.text if token.kind == IDENT else ""
            following = self._peek()
            if self._accept(";"):
                continue
            if word == "message" and following.kind == IDENT:
                self._message(message.nested_type.add(), full)
            elif word == "enum" and following.kind == IDENT:
                self._enum(message.enum_type.add(), full)
            elif word == "oneof" and following.kind == IDENT:
                self._oneof(message, full)
            elif word == "map" and following.is_symbol("<"):
                self._map(message, full)
            elif word == "option" and not following.is_symbol("."):
                self._option(message, label, full)
            elif word == "extend" and following.kind == IDENT:
                self._extend(message, full)
            elif word == "extensions" and following.kind == INT:
                self._extensions(message, label, full)
            elif word == "reserved" and following.kind in (INT, STRING):
                self._reserved(message, MAX_TAG + 1, 1)
            elif word == "reserved" and self._is_reserved_names():
                self._reserved_words(message)
            elif token.kind == IDENT or token.is_symbol("."):
                self._field(message.field, message.nested_type, full)
            else:
                self._fail()
        _add_synthetic_oneofs(message)

    def _field(
        self,
        fields: RepeatedCompositeFieldContainer[FieldDescriptorProto],
        nested: RepeatedCompositeFieldContainer[DescriptorProto],
        scope: str,
        extendee: Token | None = None,
        oneof: int | None = None,
    ) -> None:
        """Read a field or a group of a message, an extension or a oneof."""
        start = self._token.offset
        descriptor = fields.add()
        word = self._token.value if self._token.kind == IDENT else ""
        has_label = word in _LABELS and not self._peek().is_symbol(".")
        if has_label and oneof is not None:
            self._fail()
        syntax = self._file.syntax
        descriptor.label = FieldDescriptorProto.LABEL_OPTIONAL
        if has_label:
            descriptor.label = _LABELS[str(word)]
            self._advance()
            if self._token.kind != IDENT and not self._token.is_symbol("."):
                self._fail()
        if oneof is not None:
            descriptor.oneof_index = oneof
        if self._token.is_word("group") and self._peek().kind == IDENT:
            if syntax != PROTO2:
                self._fail()
            self._group(descriptor, nested, scope, extendee, start)
            return
        type_name = self._type_name()
        name = self._identifier()
        descriptor.name = name.text
        kind = "extension" if extendee else "field"
        full = f"{scope}.{name.text}" if scope else name.text
        self._set_type(descriptor, type_name, f"{kind} {full}", scope)
        self._tag(descriptor)
        label = f"{kind} {full}"
        self._options(descriptor, label, scope)
        self._semicolon()
        self._declare(scope, name, "an extension" if extendee else "a field", descriptor, kind, start)
        self._check_label(
            descriptor, full, start, name.offset, has_label=has_label, is_member=oneof is not None
        )
        if extendee is not None:
            self._refer_extendee(descriptor, extendee, scope)
        elif syntax == PROTO3 and has_label and word == "optional":
            descriptor.proto3_optional = True
        if not descriptor.HasField("json_name"):
            descriptor.json_name = json_name(descriptor.name)

    def _check_label(
        self,
        descriptor: FieldDescriptorProto,
        full: str,
        start: int,
        name: int,
        *,
        has_label: bool,
        is_member: bool,
    ) -> None:
        syntax, error = self._file.syntax, self._source.error
        if syntax == PROTO2:
            if not has_label and not is_member:
                text = f"field {full}: field has no label; proto2 requires explicit 'optional' label"
                raise error(name, text)
        elif descriptor.label == FieldDescriptorProto.LABEL_REQUIRED:
            raise error(start, f"field {full}: label 'required' is not allowed in proto3 or editions")
        elif (
            syntax == EDITIONS and has_label and descriptor.label == FieldDescriptorProto.LABEL_OPTIONAL
        ):
            text = f"field {full}: label 'optional' is not allowed in editions; use option "
            raise error(start, f"{text}features.field_presence instead")

    def _refer_extendee(self, descriptor: FieldDescriptorProto, extendee: Token, scope: str) -> None:
        descriptor.extendee = extendee.text
        self._file.references.append(Reference(descriptor, "extendee", "", scope, extendee.offset))

    def _set_type(
        self, descriptor: FieldDescriptorProto, type_name: Token, label: str, scope: str
    ) -> None:
        scalar = _SCALARS.get(type_name.text)
        if scalar is not None:
            descriptor.type = scalar
        else:
            descriptor.type_name = type_name.text
            self._file.references.append(
                Reference(descriptor, "type_name", label, scope, type_name.offset)
            )

    def _tag(self, descriptor: FieldDescriptorProto) -> None:
        if not self._token.is_symbol("="):
            raise self._source.error(self._token.offset, "syntax error: expecting ';'")
        self._advance()
        tag = self._integer()
        number = int(tag.value)
        if number == 0:
            raise self._source.error(tag.offset, "tag number 0 must be greater than zero")
        if number > MAX_TAG:
            text = f"tag number {number} is higher than max allowed tag number ({MAX_TAG})"
            raise self._source.error(tag.offset, text)
        if number in _RESERVED_TAGS:
            text = f"tag number {number} is in disallowed reserved range 19000-19999"
            raise self._source.error(tag.offset, text)
        descriptor.number = number
        self._numbered(descriptor, tag.offset)

    def _group(
        self,
        descriptor: FieldDescriptorProto,
        nested: RepeatedCompositeFieldContainer[DescriptorProto],
        scope: str,
        extendee: Token | None,
        start: int,
    ) -> None:
        self._advance()
        name = self._identifier()
        text = name.text
        if not text[0].isupper():
            raise self._source.error(
                name.offset, f"group {text} should have a name that starts with a capital letter"
            )
        message = nested.add(name=text)
        full = self._declare(scope, name, "a message", message, "message", start)
        lower = Token(IDENT, text.lower(), name.offset)
        kind = "extension" if extendee else "field"
        field_name = self._declare(
            scope, lower, "an extension" if extendee else "a field", descriptor, kind, start
        )
        descriptor.name, descriptor.json_name = text.lower(), json_name(text.lower())
        descriptor.type, descriptor.type_name = FieldDescriptorProto.TYPE_GROUP, f".{full}"
        self._tag(descriptor)
        self._options(descriptor, f"{kind} {field_name}", scope)
        if extendee is not None:
            self._refer_extendee(descriptor, extendee, scope)
        self._expect("{")
        self._message_body(message, full)

    def _map(self, message: DescriptorProto, scope: str) -> None:
        start = self._advance().offset
        self._expect("<")
        if self._token.value not in _KEY_TYPES:
            self._fail()
        key = self._advance()
        self._expect(",")
        value = self._type_name()
        self._expect(">")
        name = self._identifier()
        descriptor = message.field.add(
            name=name.text,
            label=FieldDescriptorProto.LABEL_REPEATED,
            json_name=json_name(name.text),
        )
        entry = message.nested_type.add(name=entry_name(descriptor.name))
        entry.options.map_entry = True
        full = f"{scope}.{entry.name}"
        descriptor.type, descriptor.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{full}"
        optional = FieldDescriptorProto.LABEL_OPTIONAL
        entry.field.add(name="key", number=1, label=optional, json_name="key", type=_SCALARS[key.text])
        content = entry.field.add(name="value", number=2, label=optional, json_name="value")
        self._set_type(content, value, f"field {full}.value", scope)
        self._tag(descriptor)
        field_name = self._declare(scope, name, "a field", descriptor, "field", start)
        self._options(descriptor, f"field {field_name}", scope)
        self._semicolon()
        entry_token = Token(IDENT, entry.name, name.offset)
        self._declare(scope, entry_token, "a synthetic map entry", entry, "message", start)

    def _oneof(self, message: DescriptorProto, scope: str) -> None:
        start = self._advance().offset
        name = self._identifier()
        oneof = message.oneof_decl.add(name=name.text)
        full = self._declare(scope, name, "a oneof", oneof, "oneof", start)
        index, count = len(message.oneof_decl) - 1, len(message.field)
        self._expect("{")
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._token.is_word("option") and not self._peek().is_symbol("."):
                self._option(oneof, f"oneof {full}", scope)
            elif self._token.kind == IDENT or self._token.is_symbol("."):
                self._field(message.field, message.nested_type, scope, oneof=index)
            else:
                self._fail()
        if len(message.field) == count:
            raise self._source.error(start, "oneof must contain at least one field")

    def _extend(self, parent: DescriptorProto | FileDescriptorProto, scope: str) -> None:
        start = self._advance().offset
        extendee = self._type_name()
        self._expect("{")
        count = len(parent.extension)
        nested = parent.nested_type if isinstance(parent, DescriptorProto) else parent.message_type
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._token.kind != IDENT and not self._token.is_symbol("."):
                self._fail()
            self._field(parent.extension, nested, scope, extendee)
        if len(parent.extension) == count:
            raise self._source.error(start, "extend sections must define at least one extension")

    def _extensions(self, message: DescriptorProto, label: str, scope: str) -> None:
        self._advance()
        if self._file.syntax == PROTO3:
            text = f"{label}: extension ranges are not allowed in proto3"
            raise self._source.error(self._token.offset, text)
        ranges = self._ranges(
            lambda start, end: message.extension_range.add(start=start, end=end), MAX_TAG + 1, 1, 1
        )
        if self._token.is_symbol("["):
            self._options(ranges[0], label, scope)
        self._semicolon()


def _add_synthetic_oneofs(message: DescriptorProto) -> None:
    """Give each `optional` of proto3 a oneof of its own, after the others, as protoc does."""
    names = {oneof.name for oneof in message.oneof_decl} | {field.name for field in message.field}
    for field in message.field:
        if field.proto3_optional and not field.HasField("oneof_index"):
            name = synthetic_oneof_name(field.name, names)
            names.add(name)
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=name)


def parse(path: str, text: str) -> File:
    """Return a file's declarations. Raises SourceError."""
    return Parser(Source(path, text)).parse()
