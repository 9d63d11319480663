"""The usual values of JSON for a message's fields, the short way; the exact one is `json_decoder`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsrunner.proto import scalars
from jsrunner.proto.messages import LIMITS

if TYPE_CHECKING:
    from jsrunner.proto.messages import Field, MessageType


class Unusual(Exception):
    """A value that `quick_values` does not know."""


def quick_values(type_: MessageType, data: Any) -> dict[str, Any]:
    """Return what a message's class takes for its fields. Raises Unusual."""
    if type(data) is not dict:
        raise Unusual
    by_name, values = type_.by_name, {}
    oneofs = set()
    for name, value in data.items():
        field = by_name.get(name)
        if field is None or field.name in values or field.takes_null:
            raise Unusual
        if value is None or field.is_map:
            raise Unusual
        if field.is_list:
            if type(value) is not list:
                raise Unusual
            values[field.name] = [_quick_value(field, item) for item in value]
            continue
        if field.oneof is not None:
            if field.oneof in oneofs:
                raise Unusual
            oneofs.add(field.oneof)
        values[field.name] = _quick_value(field, value)
    return values


def _quick_value(field: Field, value: Any) -> Any:
    kind, type_ = field.kind, type(value)
    if type_ is str:
        if kind == "string":
            return value
        if kind == "enum":
            number = field.numbers.get(value)
            if number is not None:
                return number
        if kind == "bytes":
            data = scalars.bytes_in(value)
            if data is not None:
                return data
    elif type_ is int:
        if kind in LIMITS:
            limits = field.limits
            if limits[0] <= value <= limits[1]:
                return value
        elif kind == "double":
            return value
    elif type_ is bool:
        if kind == "bool":
            return value
    elif type_ is float:
        if kind == "double":
            return value
    elif type_ is dict and kind == "message" and not field.type.well_known:
        return quick_values(field.type, value)
    raise Unusual
