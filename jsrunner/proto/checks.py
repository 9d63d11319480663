"""Rules of one .proto file: tags, ranges, enums and JSON names."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from jsrunner.proto.lexer import IDENT
from jsrunner.proto.names import json_name
from jsrunner.proto.parsed import PROTO3

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import EnumValueDescriptorProto, FieldDescriptorProto

    from jsrunner.proto.parsed import File, Option, Symbol


def check_file(file: File) -> None:
    """Check what is known without other files. Raises SourceError."""
    starts: dict[str, int] = {}
    for path, _, start in file.imports:
        if path in starts:
            line, column = file.source.place(starts[path])
            text = f'"{path}" was already imported at {file.source.path}:{line}:{column}'
            raise file.source.error(start, text)
        starts[path] = start
    for symbol in sorted(file.symbols, key=lambda symbol: symbol.start):
        if symbol.kind == "a message":
            _check_message(file, symbol)
        elif symbol.kind == "an enum":
            _check_enum(file, symbol)
        elif symbol.kind in ("a field", "an extension"):
            _check_field(file, symbol)


def _options_of(file: File, owner: object, name: str) -> list[Option]:
    return [
        option for option in file.options if option.owner is owner and option.names == [(name, False)]
    ]


def _check_field(file: File, symbol: Symbol) -> None:
    if file.syntax != PROTO3:
        return
    for option in _options_of(file, symbol.descriptor, "default"):
        text = f"field {symbol.name}: default values are not allowed in proto3"
        raise file.source.error(option.offset, text)


def _check_message(file: File, symbol: Symbol) -> None:
    message, label = symbol.descriptor, symbol.label
    offset_of = file.number_offsets
    ranges = sorted(message.reserved_range, key=lambda reserved: reserved.start)
    for before, after in itertools.pairwise(ranges):
        if after.start < before.end:
            text = f"{before.start} to {before.end - 1} and {after.start} to {after.end - 1}"
            offset = offset_of.get(id(after), symbol.offset)
            raise file.source.error(offset, f"{label}: reserved ranges overlap: {text}")
    names = set(message.reserved_name)
    tags: dict[int, str] = {}
    for field in message.field:
        offset = offset_of.get(id(field), symbol.offset)
        if field.name in names:
            offset = next(
                (
                    field_symbol.offset
                    for field_symbol in file.symbols
                    if field_symbol.descriptor is field
                ),
                symbol.offset,
            )
            text = f"{label}: field {field.name} is using a reserved name"
            raise file.source.error(offset, text)
        if field.number in tags:
            text = f"fields {tags[field.number]} and {field.name} both have the same tag {field.number}"
            raise file.source.error(offset, f"{label}: {text}")
        tags[field.number] = field.name
        for kind, kept in (("reserved", ranges), ("extension", message.extension_range)):
            for tag_range in kept:
                if tag_range.start <= field.number < tag_range.end:
                    where = f"{kind} range {tag_range.start} to {tag_range.end - 1}"
                    text = f"field {field.name} is using tag {field.number} which is in {where}"
                    raise file.source.error(offset, f"{label}: {text}")


def _check_enum(file: File, symbol: Symbol) -> None:
    enum, label = symbol.descriptor, symbol.label
    if not enum.value:
        raise file.source.error(symbol.start, f"{label}: enums must define at least one value")
    offset_of = file.number_offsets
    if file.syntax == PROTO3 and enum.value[0].number != 0:
        text = f"{label}: proto3 requires that first value of enum have numeric value zero"
        raise file.source.error(offset_of[id(enum.value[0])], text)
    options = _options_of(file, enum, "allow_alias")
    aliases = [option for option in options if option.value.kind == IDENT]
    allows_alias = any(option.value.value == "true" for option in aliases)
    has_alias = False
    names: dict[int, str] = {}
    for value in enum.value:
        offset = offset_of[id(value)]
        if value.number in names:
            has_alias = True
            if not allows_alias:
                text = (
                    f"values {names[value.number]} and {value.name} both have the same numeric value "
                    f"{value.number}; use allow_alias option if intentional"
                )
                raise file.source.error(offset, f"{label}: {text}")
        names[value.number] = value.name
        if value.name in enum.reserved_name:
            text = f"{label}: value {value.name} is using a reserved name"
            raise file.source.error(offset, text)
        for reserved in enum.reserved_range:
            if reserved.start <= value.number <= reserved.end:
                where = f"reserved range {reserved.start} to {reserved.end}"
                text = f"value {value.name} is using number {value.number} which is in {where}"
                raise file.source.error(offset, f"{label}: {text}")
    if allows_alias and not has_alias:
        text = f"{label}: allow_alias is true but no values are aliases"
        raise file.source.error(aliases[0].value.offset, text)


def check_json_names(file: File) -> None:
    """Check that no two fields of a message, nor values of an enum, have the same name as JSON."""
    if file.syntax == "proto2":
        return
    by_owner = {id(symbol.descriptor): symbol for symbol in file.symbols}
    for symbol in file.symbols:
        if symbol.kind == "a message":
            _check_field_names(file, symbol, by_owner)
        elif symbol.kind == "an enum":
            _check_value_names(file, symbol, by_owner)


def _check_field_names(file: File, message: Symbol, symbols: dict[int, Symbol]) -> None:
    known: dict[str, FieldDescriptorProto] = {}
    for field in message.descriptor.field:
        other = known.setdefault(field.json_name, field)
        if other is not field:
            line, column = file.source.place(symbols[id(other)].start)
            text = (
                f"field {symbols[id(field)].name}: {_origin(field)} JSON name "
                f'"{field.json_name}" conflicts with {_origin(other)} JSON name of field {other.name}, '
                f"defined at {file.source.path}:{line}:{column}"
            )
            raise file.source.error(symbols[id(field)].start, text)


def _origin(field: FieldDescriptorProto) -> str:
    return "default" if field.json_name == json_name(field.name) else "custom"


def _check_value_names(file: File, enum: Symbol, symbols: dict[int, Symbol]) -> None:
    prefix = enum.descriptor.name.replace("_", "").lower()
    known: dict[str, EnumValueDescriptorProto] = {}
    for value in enum.descriptor.value:
        name = _camel_case(value.name, prefix)
        other = known.setdefault(name, value)
        if other is not value and other.number != value.number:
            line, column = file.source.place(symbols[id(other)].offset)
            text = (
                f"enum value {enum.name}.{value.name}: camel-case name (with optional enum name "
                f'prefix removed) "{name}" conflicts with camel-case name of enum value {other.name}, '
                f"defined at {file.source.path}:{line}:{column}"
            )
            raise file.source.error(symbols[id(value)].offset, text)


def _camel_case(name: str, prefix: str) -> str:
    """Return an enum value's name in camel case, without the enum's name at its begin."""
    position, rest = 0, prefix
    while rest and position < len(name):
        if name[position] != "_":
            if name[position].lower() != rest[0]:
                break
            rest = rest[1:]
        position += 1
    stripped = name[position:].lstrip("_") if not rest else ""
    words = (stripped or name).split("_")
    return "".join(word[:1].upper() + word[1:].lower() for word in words)
