"""Results of the parser of .proto files, for the linker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from typing import TypeAlias

    from google.protobuf import descriptor_pb2
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from jsrunner.proto.lexer import Source

    #: A descriptor that has options.
    Owner: TypeAlias = (
        FileDescriptorProto
        | descriptor_pb2.DescriptorProto
        | descriptor_pb2.DescriptorProto.ExtensionRange
        | descriptor_pb2.FieldDescriptorProto
        | descriptor_pb2.OneofDescriptorProto
        | descriptor_pb2.EnumDescriptorProto
        | descriptor_pb2.EnumValueDescriptorProto
        | descriptor_pb2.ServiceDescriptorProto
        | descriptor_pb2.MethodDescriptorProto
    )

PROTO2, PROTO3, EDITIONS = "proto2", "proto3", "editions"


class Value(Struct):
    """An option's value: its token's kind (`message` for `{...}`), and the value."""

    kind: str
    value: Any
    offset: int


class Option(Struct):
    """An option as a file writes it."""

    #: (name, whether it is an extension's), as in `(a.b).c`.
    names: list[tuple[str, bool]]
    value: Value
    offset: int
    #: The descriptor that it belongs to, and how error texts name that.
    owner: Owner
    label: str
    scope: str


class Reference(Struct):
    """A type's name that the linker replaces by its full name."""

    #: The descriptor, its attribute, and how error texts name it.
    owner: descriptor_pb2.FieldDescriptorProto | descriptor_pb2.MethodDescriptorProto
    attribute: str
    label: str
    scope: str
    offset: int


class Symbol(Struct):
    """A declaration: its full name, and what it is."""

    name: str
    kind: str
    offset: int
    descriptor: Any
    label: str
    #: Offset of the declaration's first token.
    start: int


class File(Struct):
    """A parsed file."""

    source: Source
    syntax: str
    descriptor: FileDescriptorProto
    imports: list[tuple[str, int, int]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    #: Offsets of tags, enum numbers and ranges, by the identity of their descriptors.
    number_offsets: dict[int, int] = field(default_factory=dict)
