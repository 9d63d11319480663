"""Options of .proto files: options of descriptor.proto are set, custom options are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import text_encoding
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from jsrunner.proto.lexer import FLOAT, IDENT, INT, STRING

if TYPE_CHECKING:
    from jsrunner.proto.parsed import File, Option, Value

_SHOWN: Final = {
    STRING: "string", INT: "integer", FLOAT: "double", IDENT: "identifier",
    "message": "message", "list": "array",
}  # fmt: skip
_BOOLS: Final = {"true": True, "false": False}
_INTEGERS: Final[dict[int, tuple[str, int, int]]] = {
    FieldDescriptorProto.TYPE_INT32: ("int32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptorProto.TYPE_SINT32: ("sint32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptorProto.TYPE_SFIXED32: ("sfixed32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptorProto.TYPE_UINT32: ("uint32", 0, (1 << 32) - 1),
    FieldDescriptorProto.TYPE_FIXED32: ("fixed32", 0, (1 << 32) - 1),
    FieldDescriptorProto.TYPE_INT64: ("int64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptorProto.TYPE_SINT64: ("sint64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptorProto.TYPE_SFIXED64: ("sfixed64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptorProto.TYPE_UINT64: ("uint64", 0, (1 << 64) - 1),
    FieldDescriptorProto.TYPE_FIXED64: ("fixed64", 0, (1 << 64) - 1),
}
_FLOATS: Final[dict[int, str]] = {
    FieldDescriptorProto.TYPE_DOUBLE: "double",
    FieldDescriptorProto.TYPE_FLOAT: "float",
}
_WORDS: Final = ("inf", "nan", "-inf", "-nan")


def apply(file: File, option: Option, prefix: str) -> None:
    """Set an option on the descriptor that it belongs to. Raises SourceError.

    Args:
        file: The file that the option stands in, for the place in error texts.
        option: The option's name, value and owner.
        prefix: The beginning of error texts.
    """
    names = [name for name, _ in option.names]
    if names == ["default"] and isinstance(option.owner, FieldDescriptorProto):
        text = _default(file, option, option.owner.type, f"{prefix}option default: ")
        option.owner.default_value = text
        return
    if names == ["json_name"] and isinstance(option.owner, FieldDescriptorProto):
        _expect(file, option.value, f"{prefix}option json_name: ", "string", STRING)
        return
    if any(is_extension for _, is_extension in option.names):
        return
    if isinstance(option.owner, FieldDescriptorProto) and names == ["lazy"]:
        message_types = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP)
        if option.owner.type not in message_types:
            raise file.source.error(option.offset, "lazy option can only be used with message fields")
    shown = ".".join(names)
    target: Any = option.owner.options
    label = f"{prefix}option {shown}: "
    for position, name in enumerate(names):
        field = target.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            full = target.DESCRIPTOR.full_name
            raise file.source.error(option.offset, f"{label}field {name} of {full} does not exist")
        if position < len(names) - 1:
            target = getattr(target, name)
        else:
            _set(file, target, field, option.value, label)


def _set(file: File, target: Any, field: FieldDescriptor, value: Value, label: str) -> None:
    if value.kind == "list":
        for item in value.value:
            _set(file, target, field, item, label)
        return
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        _expect(file, value, label, "message", "message")
        message = getattr(target, field.name)
        if field.is_repeated:
            message = message.add()
        message.SetInParent()
        for name, item in value.value:
            inner = message.DESCRIPTOR.fields_by_name.get(name)
            if inner is not None:  # others are extensions of features, or unknown
                _set(file, message, inner, item, label)
        return
    made = _scalar(file, field, value, label)
    if field.is_repeated:
        getattr(target, field.name).append(made)
    else:
        setattr(target, field.name, made)


def _scalar(file: File, field: FieldDescriptor, value: Value, label: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BOOL:
        if value.kind != IDENT or value.value not in _BOOLS:
            raise file.source.error(value.offset, f"{label}expecting bool, got {_SHOWN[value.kind]}")
        return _BOOLS[value.value]
    if field.type == FieldDescriptor.TYPE_ENUM:
        _expect(file, value, label, "enum", IDENT)
        enum = field.enum_type
        assert enum is not None
        number = enum.values_by_name.get(value.value)
        if number is None:
            text = f"{label}enum {enum.full_name} has no value named {value.value}"
            raise file.source.error(value.offset, text)
        return number.number
    if field.type == FieldDescriptor.TYPE_STRING:
        _expect(file, value, label, "string", STRING)
        return value.value.decode("utf-8", "replace")
    if field.type == FieldDescriptor.TYPE_BYTES:
        _expect(file, value, label, "bytes", STRING)
        return value.value
    if field.type in _FLOATS:
        _expect(file, value, label, _FLOATS[field.type], INT, FLOAT)
        return float(value.value)
    return _integer(file, field.type, value, label)


def _expect(file: File, value: Value, label: str, wanted: str, *kinds: str) -> None:
    if value.kind not in kinds:
        raise file.source.error(value.offset, f"{label}expecting {wanted}, got {_SHOWN[value.kind]}")


def _integer(file: File, type_: int, value: Value, label: str) -> int:
    name, lowest, highest = _INTEGERS[type_]
    _expect(file, value, label, name, INT)
    if not lowest <= value.value <= highest:
        raise file.source.error(value.offset, f"{label}value {value.value} is out of range for {name}")
    return int(value.value)


def _default(file: File, option: Option, type_: int, label: str) -> str:
    """Return a default value in the form of descriptors, which is a text for all types."""
    value = option.value
    if type_ == FieldDescriptorProto.TYPE_STRING:
        _expect(file, value, label, "string", STRING)
        return str(value.value.decode("utf-8", "replace"))
    if type_ == FieldDescriptorProto.TYPE_BYTES:
        _expect(file, value, label, "bytes", STRING)
        return str(text_encoding.CEscape(value.value, as_utf8=False))
    if type_ == FieldDescriptorProto.TYPE_BOOL:
        if value.kind != IDENT or value.value not in _BOOLS:
            raise file.source.error(value.offset, f"{label}expecting bool, got {_SHOWN[value.kind]}")
        return str(value.value)
    if type_ == FieldDescriptorProto.TYPE_ENUM:
        _expect(file, value, label, "enum", IDENT)
        return str(value.value)
    if type_ in _FLOATS:
        if value.kind == IDENT and value.value in _WORDS:
            return str(value.value)
        _expect(file, value, label, _FLOATS[type_], INT, FLOAT)
        return repr(float(value.value))
    if type_ in _INTEGERS:
        return str(_integer(file, type_, value, label))
    raise file.source.error(option.offset, f"{label}message fields cannot have default values")
