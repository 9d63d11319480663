"""JSON of another type than an option wants, in Go's words."""

from __future__ import annotations

from typing import Any


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return {"str": "string", "list": "array", "dict": "object"}.get(type(value).__name__, "null")


class Mismatch(ValueError):
    """JSON of another type than Go wants.

    Args:
        shown: What the JSON is, e.g. `object` or `number 1.5`.
        go_type: What Go wants.
        path: Fields that lead to the value, e.g. `Options.stages`; "" for the value itself.
    """

    def __init__(self, shown: str, go_type: str, path: str = "") -> None:
        place = f"struct field {path}" if path else "value"
        super().__init__(f"json: cannot unmarshal {shown} into Go {place} of type {go_type}")
        self._shown, self._go_type, self._path = shown, go_type, path

    def within(self, field: str) -> Mismatch:
        """Return the same of a value that is, or is in, this field."""
        path = f"{field}.{self._path}" if self._path else field
        return Mismatch(self._shown, self._go_type, path)


def mismatch(value: object, go_type: str) -> Mismatch:
    return Mismatch(_json_type(value), go_type)


def null_mismatch(value: object, go_type: str) -> ValueError:
    """The same of a type that reads its JSON itself."""
    name = {"number": "float64", "array": "", "object": ""}.get(_json_type(value), _json_type(value))
    return ValueError(f"json: cannot unmarshal {name} into Go value of type {go_type}")


def nullable(value: dict[str, Any], field: str, wanted: type, go_type: str) -> Any:
    """Return the value that the fields of a SQL null stand for: k6 takes `{Int64: 5}` for 5.

    Args:
        value: The JSON object; other fields than `field` say nothing.
        field: Go's name of the field, e.g. `Int64`; its case does not matter.
        wanted: The type of the field's value. A field that is missing or null has its zero.
        go_type: Go's name of that type.

    Raises:
        Mismatch: The field, or `Valid`, is of another type.
    """
    found = wanted()
    for key, item in value.items():
        for name, kind, text in ((field, wanted, go_type), ("Valid", bool, "bool")):
            if key.lower() == name.lower() and item is not None:
                if type(item) is not kind:
                    raise Mismatch(_json_type(item), text, f"Null{field}.{name}")
                found = item if name == field else found
    return found
