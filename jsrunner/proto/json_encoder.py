"""Messages as plain values that become JavaScript objects, in the shape of protojson's JSON.

All fields are there, with zero values too, as protojson's EmitUnpopulated has it. Numbers of 64 bits
are texts, bytes are base64.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from jsrunner.proto import well_known
from jsrunner.proto.errors import MappingError
from jsrunner.proto.messages import CONTAINERS, LONG, WRAPPERS
from jsrunner.proto.scalars import shown_float

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.proto.messages import Field, MessageType
    from jsrunner.proto.schema import Library

#: Kinds whose values are shown as they are.
_PLAIN: Final = frozenset(("bool", "string", "int32", "sint32", "sfixed32", "uint32", "fixed32"))


def encode(type_: MessageType, message: Any, library: Library) -> object:
    """Return a message's value. Raises MappingError, without Go's prefix `proto: `."""
    if type_.well_known:
        return _well_known(type_, message, library)
    return _fields(type_, message, library, {})


def encode_any(message: Any, library: Library) -> object:
    """Return the value of a google.protobuf.Any of whatever pool. Raises MappingError."""
    return _any(message, library)


def _fields(
    type_: MessageType, message: Any, library: Library, shown: dict[str, object]
) -> dict[str, object]:
    for field in type_.fields:
        if field.has_presence and not message.HasField(field.name):
            if field.oneof is None:
                shown[field.json_name] = None
            continue
        value = getattr(message, field.name)
        if field.is_list:
            if field.kind in _PLAIN:
                shown[field.json_name] = list(value)
            else:
                shown[field.json_name] = [_value(field, item, library) for item in value]
        elif field.is_map:
            assert field.value is not None
            shown[field.json_name] = {
                _key(key): _value(field.value, value[key], library) for key in value
            }
        elif field.kind in _PLAIN:
            shown[field.json_name] = value
        else:
            shown[field.json_name] = _value(field, value, library)
    return shown


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def _value(field: Field, value: Any, library: Library) -> object:
    kind = field.kind
    if kind in _PLAIN:
        return value
    if kind in CONTAINERS:
        return encode(field.type, value, library)
    if kind in LONG:
        return str(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "enum":
        return None if field.is_null else field.names.get(value, value)
    return shown_float(value, is_double=kind == "double")


# -- well-known types ----------------------------------------------------------------------------------


def _well_known(type_: MessageType, message: Any, library: Library) -> object:
    name = type_.well_known
    if name in WRAPPERS:
        return _value(type_.fields[0], message.value, library)
    if name == "google.protobuf.Any":
        return _any(message, library)
    return _SHOWN[name](type_, message, library)


def _any(message: Any, library: Library) -> object:
    url, prefix = message.type_url, "google.protobuf.Any: "
    if not url:
        if message.value:
            raise MappingError(f"{prefix}type_url is not set")
        return {}
    try:
        inner_type = library.by_url(url)
    except MappingError as error:
        raise MappingError(f'{prefix}unable to resolve "{url}": {error}') from None
    try:
        inner = inner_type.make.FromString(message.value)
    except DecodeError:
        text = "proto: cannot parse invalid wire-format data"
        raise MappingError(f'{prefix}unable to unmarshal "{url}": {text}') from None
    if inner_type.well_known:
        return {"@type": url, "value": _well_known(inner_type, inner, library)}
    return _fields(inner_type, inner, library, {"@type": url})


def _timestamp(type_: MessageType, message: Any, library: Library) -> object:
    return well_known.show_timestamp(message.seconds, message.nanos)


def _duration(type_: MessageType, message: Any, library: Library) -> object:
    return well_known.show_duration(message.seconds, message.nanos)


def _mask(type_: MessageType, message: Any, library: Library) -> object:
    return well_known.show_mask(list(message.paths))


def _struct(type_: MessageType, message: Any, library: Library) -> object:
    value = type_.by_name["fields"].value
    assert value is not None
    return {key: _value(value, message.fields[key], library) for key in message.fields}


def _list(type_: MessageType, message: Any, library: Library) -> object:
    field = type_.by_name["values"]
    return [_value(field, item, library) for item in message.values]


def _json_value(type_: MessageType, message: Any, library: Library) -> object:
    kind = message.WhichOneof("kind")
    if kind is None:
        raise MappingError("google.protobuf.Value: none of the oneof fields is set")
    if kind == "number_value" and not math.isfinite(message.number_value):
        number = message.number_value
        shown = "NaN" if number != number else "+Inf" if number > 0 else "-Inf"
        raise MappingError(f"google.protobuf.Value.number_value: invalid {shown} value")
    field = next(field for field in type_.fields if field.name == kind)
    return _value(field, getattr(message, kind), library)


def _empty(type_: MessageType, message: Any, library: Library) -> object:
    return {}


_SHOWN: Final[dict[str, Callable[[MessageType, Any, Library], object]]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _mask,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Value": _json_value,
    "google.protobuf.Empty": _empty,
}
