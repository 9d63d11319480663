"""Errors for JSON values of a wrong type, with the texts of Go's encoding/json."""

from __future__ import annotations

from typing import Any


def _json_type(value: object) -> str:
    """Return Go's name of a decoded value's JSON type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return {"str": "string", "list": "array", "dict": "object"}.get(type(value).__name__, "null")


class Mismatch(ValueError):
    """A JSON value whose type differs from the type of the Go field in k6.

    Args:
        shown: The JSON value's type or the value, e.g. `object` or `number 1.5`.
        go_type: The Go field's type.
        path: The fields that lead to the value, e.g. `Options.stages`; "" for the value itself.
    """

    def __init__(self, shown: str, go_type: str, path: str = "") -> None:
        place = f"struct field {path}" if path else "value"
        super().__init__(f"json: cannot unmarshal {shown} into Go {place} of type {go_type}")
        self._shown, self._go_type, self._path = shown, go_type, path

    def within(self, field: str) -> Mismatch:
        """Return this error with a field of Go's put in front of the path."""
        path = f"{field}.{self._path}" if self._path else field
        return Mismatch(self._shown, self._go_type, path)


def mismatch(value: object, go_type: str) -> Mismatch:
    """Make the error for a decoded JSON value that should be of a Go type."""
    return Mismatch(_json_type(value), go_type)


def null_mismatch(value: object, go_type: str) -> ValueError:
    """Make the error for a decoded JSON value that should be of one of k6's nullable Go types.

    Those types decode their JSON themselves, so that the text names no field.
    """
    name = {"number": "float64", "array": "", "object": ""}.get(_json_type(value), _json_type(value))
    return ValueError(f"json: cannot unmarshal {name} into Go value of type {go_type}")


def nullable(value: dict[str, Any], field: str, wanted: type, go_type: str) -> Any:
    """Decode a JSON object with the fields of Go's SQL null types: k6 takes `{Int64: 5}` for 5.

    Args:
        value: The JSON object. Other fields than `field` and `Valid` are ignored.
        field: Go's name of the field, e.g. `Int64`. Its case does not matter.
        wanted: The Python type of the field's value.
        go_type: Go's name of that type.

    Returns:
        The field's value; the type's zero if the field is missing or null.

    Raises:
        Mismatch: The field, or `Valid`, is of another type.
    """
    result = wanted()
    for key, item in value.items():
        for name, expected, expected_go in ((field, wanted, go_type), ("Valid", bool, "bool")):
            if key.lower() == name.lower() and item is not None:
                if type(item) is not expected:
                    raise Mismatch(_json_type(item), expected_go, f"Null{field}.{name}")
                result = item if name == field else result
    return result
