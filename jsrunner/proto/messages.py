"""Message types as the JSON mapping reads them: fields by their names, and what each takes.

The rules are https://protobuf.dev/programming-guides/json/ as Go's protojson has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

_KINDS: Final = {
    FieldDescriptor.TYPE_BOOL: "bool", FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes", FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_DOUBLE: "double", FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32", FieldDescriptor.TYPE_SINT32: "sint32",
    FieldDescriptor.TYPE_SFIXED32: "sfixed32", FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_FIXED32: "fixed32", FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_SINT64: "sint64", FieldDescriptor.TYPE_SFIXED64: "sfixed64",
    FieldDescriptor.TYPE_UINT64: "uint64", FieldDescriptor.TYPE_FIXED64: "fixed64",
    FieldDescriptor.TYPE_MESSAGE: "message", FieldDescriptor.TYPE_GROUP: "group",
}  # fmt: skip
_INT32: Final = (-(1 << 31), (1 << 31) - 1)
_INT64: Final = (-(1 << 63), (1 << 63) - 1)
_UINT32: Final = (0, (1 << 32) - 1)
_UINT64: Final = (0, (1 << 64) - 1)
#: The least and the greatest number of whole kinds.
LIMITS: Final = {
    "int32": _INT32, "sint32": _INT32, "sfixed32": _INT32, "uint32": _UINT32, "fixed32": _UINT32,
    "int64": _INT64, "sint64": _INT64, "sfixed64": _INT64, "uint64": _UINT64, "fixed64": _UINT64,
}  # fmt: skip
#: Kinds of fields that have fields of their own.
CONTAINERS: Final = ("message", "group")
#: Kinds whose numbers JSON has as texts.
LONG: Final = frozenset(("int64", "sint64", "sfixed64", "uint64", "fixed64"))

NULL_VALUE: Final = "google.protobuf.NullValue"
VALUE: Final = "google.protobuf.Value"
_WRAPPED: Final = (
    "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
)  # fmt: skip
WRAPPERS: Final = frozenset(f"google.protobuf.{name}Value" for name in _WRAPPED)
#: Types with a JSON form of their own.
WELL_KNOWN: Final = WRAPPERS | frozenset(
    f"google.protobuf.{name}"
    for name in ("Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Empty")
)


class Field:
    """A field of a message type."""

    __slots__ = (
        "_message_descriptor", "_type", "full_name", "has_presence", "is_list", "is_map",
        "is_required", "json_name", "key", "kind", "limits", "name", "names", "number", "numbers",
        "oneof", "takes_null", "value",
    )  # fmt: skip

    def __init__(self, descriptor: FieldDescriptor) -> None:
        self.name: str = descriptor.name
        self.number: int = descriptor.number
        self.full_name: str = descriptor.full_name
        self.json_name: str = descriptor.json_name
        self.kind = _KINDS[descriptor.type]
        self.limits = LIMITS.get(self.kind, (0, 0))
        message, enum = descriptor.message_type, descriptor.enum_type
        is_map = message is not None and message.GetOptions().map_entry
        self.is_map = is_map and descriptor.is_repeated
        self.is_list = descriptor.is_repeated and not is_map
        self.is_required: bool = descriptor.is_required
        self.has_presence: bool = descriptor.has_presence
        #: The name of the oneof that it belongs to, which may be one of its own; None for none.
        self.oneof: str | None = (
            None if descriptor.containing_oneof is None else descriptor.containing_oneof.full_name
        )
        #: An enum's numbers by name, and its names by number: the first one of each number.
        self.numbers: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.takes_null = message is not None and message.full_name == VALUE
        if enum is not None:
            self.takes_null = enum.full_name == NULL_VALUE
            for value in enum.values:
                self.numbers[value.name] = value.number
                self.names.setdefault(value.number, value.name)
        #: The fields of a map's entries.
        self.key: Field | None = None
        self.value: Field | None = None
        if self.is_map:
            assert message is not None
            self.key = Field(message.fields_by_name["key"])
            self.value = Field(message.fields_by_name["value"])
        self._message_descriptor = message
        self._type: MessageType | None = None

    @property
    def is_null(self) -> bool:
        """True for a field of the enum google.protobuf.NullValue."""
        return self.takes_null and self.kind == "enum"

    @property
    def type(self) -> MessageType:
        """The type of a field that holds messages."""
        if self._type is None:
            assert self._message_descriptor is not None
            self._type = message_type(self._message_descriptor)
        return self._type


class MessageType:
    """A message type: made once for each descriptor in a process."""

    __slots__ = ("by_name", "fields", "full_name", "make", "well_known")

    def __init__(self, descriptor: Descriptor) -> None:
        self.full_name: str = descriptor.full_name
        #: The class of its messages.
        self.make: Any = GetMessageClass(descriptor)
        self.well_known = self.full_name if self.full_name in WELL_KNOWN else ""
        self.fields = tuple(Field(field) for field in descriptor.fields)
        #: Fields by the names that JSON may have for them: the JSON name, then the name in text format.
        self.by_name: dict[str, Field] = {}
        for field, field_descriptor in zip(self.fields, descriptor.fields, strict=True):
            self.by_name.setdefault(_text_name(field_descriptor), field)
        self.by_name.update((field.json_name, field) for field in self.fields)

    def empty(self) -> Message:
        """Return a message without anything in it."""
        message: Message = self.make()
        return message


def _text_name(descriptor: FieldDescriptor) -> str:
    """Return a field's name in text format: a group's is that of its type."""
    message = descriptor.message_type
    if (
        message is not None
        and descriptor.type == FieldDescriptor.TYPE_GROUP
        and message.name.lower() == descriptor.name
        and message.containing_type is descriptor.containing_type
    ):
        return str(message.name)
    return str(descriptor.name)


_types: dict[Descriptor, MessageType] = {}


def message_type(descriptor: Descriptor) -> MessageType:
    """Return the message type of a descriptor."""
    known = _types.get(descriptor)
    if known is None:
        known = _types[descriptor] = MessageType(descriptor)
    return known
