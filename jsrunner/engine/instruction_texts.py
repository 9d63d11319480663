"""k6's texts of errors that instructions of the script throw (see `error_texts`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from jsrunner.engine.values import Constant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.engine.operations import Instruction

    Describe: TypeAlias = Callable[[Instruction, re.Match[str]], str | None]


def explain(failed: Instruction, message: str) -> str | None:
    """Return k6's text of an instruction's error; None keeps QuickJS's text.

    Args:
        failed: The instruction.
        message: QuickJS's text.
    """
    text = _PLAIN.get(message)
    if text is not None:
        return text
    for pattern, describe in _DESCRIBED:
        if match := pattern.fullmatch(message):
            return describe(failed, match)
    return None


#: k6's text of an operation on undefined or null.
NULLISH: Final = "Cannot convert undefined or null to object"

#: k6's texts by QuickJS's, where nothing else decides.
_PLAIN: Final[Mapping[str, str]] = {
    "value is not iterable": "object is not iterable",
    "class constructors must be invoked with 'new'": (
        "Class constructor cannot be invoked without 'new'"
    ),
    "derived class constructor must return an object or undefined": (
        "Derived constructors may only return object or undefined"
    ),
    "'this' can be initialized only once": "Super constructor may only be called once",
    "parent class must be constructor": "Class extends value is not a constructor or null",
    "parent prototype must be an object or null": (
        "Class extends value does not have valid prototype property"
    ),
    "operand 'prototype' property is not an object": "prototype is not an object",
    "cannot convert BigInt to number": "Cannot mix BigInt and other types, use explicit conversions",
    "BigInt division by zero": "Division by zero",
    "BigInt negative exponent": "exponent must be positive",
    "BigInt operands are forbidden for >>>": "BigInts have no unsigned right shift, use >> instead",
    "bigint argument with unary +": "Cannot convert a BigInt value to a number",
    "cannot convert symbol to string": "Cannot convert a Symbol value to a string",
    "cannot convert symbol to number": "Cannot convert a Symbol value to a number",
    "toPrimitive": "Cannot convert object to primitive value",
    "invalid array length": "Invalid array length",
    "property is not configurable": "Cannot redefine property: prototype",
    "iterator must return an object": "Value is not an object",
    "revoked proxy": "Proxy already revoked",
    "cannot invoke a running generator": "Illegal generator state",
    "invalid property access": (
        "'caller', 'callee', and 'arguments' properties may not be accessed on strict mode "
        "functions or the arguments objects for calls to them"
    ),
    "iterator does not have a throw method": "The iterator does not provide a 'throw' method",
    "unsupported reference to 'super'": "Unsupported reference to 'super'",
}

_WRITES: Final = frozenset(("put_field", "put_array_el", "put_super_value", "put_ref_value"))
_PRIVATE: Final = frozenset(("get_private_field", "put_private_field"))
_ITERATES: Final = frozenset(
    (
        "for_of_start", "for_await_of_start", "for_of_next", "append", "iterator_next",
        "iterator_call", "yield_star",
    )
)  # fmt: skip


def _uncallable(failed: Instruction, _: re.Match[str]) -> str | None:
    if not failed.is_call:
        return "iterator.next is missing or not a function" if failed.name in _ITERATES else None
    callee = failed.callee()
    if callee.is_function:
        return None  # a function called by the callee has failed
    member = failed.member() if callee.is_undefined else None
    if member is not None and (member.owner is None or not member.owner.has(member.name)):
        return f"Object has no member '{member.name}'"
    if callee.is_proxy:
        return "proxy target is not a function"
    if callee.is_symbol:
        return "Cannot convert a Symbol value to a string"
    return f"Not a function: {callee}" if callee.is_object else f"Value is not an object: {callee}"


def _unconstructable(failed: Instruction, _: re.Match[str]) -> str:
    if failed.name == "init_ctor" or failed.calls_super:
        return "Super constructor is not a constructor"
    return "Value is not a constructor"


def _unreadable(failed: Instruction, match: re.Match[str]) -> str:
    if not failed.reads_property:  # by an iteration
        return NULLISH
    name = failed.property_name()
    indexed = name is not None and name.isdigit()
    end = " or null" if failed.gets_callee and not indexed else ""
    return f"Cannot read property '{match['name'] if name is None else name}' of undefined{end}"


def _unwritable(failed: Instruction, match: re.Match[str]) -> str:
    name = match["name"]
    if failed.name not in _WRITES:
        if name.startswith("#"):
            if failed.follows("insert2"):  # `owner.#name = value`
                return f"Private method '{name}' is not writable"
            return f"'{name}' was defined without a getter"
        if failed.name in ("put_var", "put_var_strict"):
            return f"Cannot assign to read only property '{name}'"
        return "Assignment to constant variable."
    owner = failed.owner()
    if owner is not None and owner.is_namespace:
        return f"Cannot add property {name}, object is not extensible"
    if owner is not None and owner.is_array:
        return "length is not writable" if name == "length" else ""
    return f"Cannot assign to read only property '{name}'"


def _uninitialized(failed: Instruction, match: re.Match[str]) -> str:
    if match[0] != "this is not initialized":
        return "Cannot access a variable before initialization"
    returns = failed.name == "get_loc_check" and failed.precedes("return")
    action = "returning from derived constructor" if returns else "accessing 'this'"
    return f"Must call super constructor in derived class before {action}"


def _unextendable(failed: Instruction, _: re.Match[str]) -> str | None:
    name = failed.property_name()
    return None if name is None else f"Cannot add property {name}, object is not extensible"


def _unsettable(failed: Instruction, _: re.Match[str]) -> str | None:
    name = failed.property_name()
    return None if name is None else f"Cannot assign to read only property '{name}'"


def _no_owner(failed: Instruction, _: re.Match[str]) -> str:
    if failed.name == "check_brand":
        return f"Value is not an object: {failed.operand(0)}"
    owner = failed.owner() if failed.name in _WRITES or failed.name in _PRIVATE else None
    if owner is None:
        return "Value is not an object"
    if failed.name in _PRIVATE:
        return f"Value is not an object: {owner.text()}"
    name = failed.property_name()
    if isinstance(owner, Constant) and name is not None and name.isdigit():
        return f"Cannot assign to read only property '{name}'"
    return f"Receiver is not an object: {owner.text()}"


def _no_container(failed: Instruction, _: re.Match[str]) -> str:
    return f"Value is not an object: {failed.operand(0 if failed.name == 'private_in' else 1)}"


def _no_class(failed: Instruction, _: re.Match[str]) -> str:
    right = failed.operand(1)
    if right.is_object:
        return f"Expecting a function in instanceof check, but got {right}"
    return f"Value is not an object: {right}"


def _uncoercible(failed: Instruction, _: re.Match[str]) -> str:
    return "Value is not object coercible" if failed.name == "to_object" else NULLISH


def _undeletable(failed: Instruction, _: re.Match[str]) -> str | None:
    if failed.name != "delete":
        return None
    owner, name = failed.operand(0), failed.operand(1)
    if owner.is_proxy:
        return f"'deleteProperty' on proxy: trap returned falsish for property '{name}'"
    return f"Cannot delete property '{name}' of {owner:kind}"


def _undeclared(failed: Instruction, match: re.Match[str]) -> str:
    verb = "write" if failed.name == "put_private_field" else "read"
    return f"Cannot {verb} private member {match['name']} from an object whose class did not declare it"


def _foreign(failed: Instruction, _: re.Match[str]) -> str:
    """Return the text for a private member of another class. QuickJS names a setter `#name<set>`."""
    variable = failed.outer_variable_name(1)
    name = variable.removesuffix("<set>")
    verb = "read" if name == variable else "write"
    return f"Cannot {verb} private member {name} from an object whose class did not declare it"


def _unkeyed(failed: Instruction, _: re.Match[str]) -> str:
    return f"Cannot read property '{failed.operand(1)}' of undefined"


def _unset(failed: Instruction, _: re.Match[str]) -> str:
    return f"'set' on proxy: trap returned falsish for property '{failed.property_name()}'"


#: Patterns of QuickJS's texts, and the functions that make k6's of the instruction.
_DESCRIBED: Final[tuple[tuple[re.Pattern[str], Describe], ...]] = tuple(
    (re.compile(text, re.DOTALL), describe)
    for text, describe in (
        ("not a function", _uncallable),
        ("cannot read property '(?P<name>.*)' of (?:undefined|null)", _unreadable),
        ("(?:not|.* is not) a constructor", _unconstructable),
        ("'(?P<name>.*)' is read-only", _unwritable),
        (".* is not initialized", _uninitialized),
        ("cannot set property '.*' of (?:undefined|null)", lambda failed, match: NULLISH),
        ("object is not extensible", _unextendable),
        ("no setter for property", _unsettable),
        ("not an object", _no_owner),
        ("invalid 'in' operand", _no_container),
        ("invalid 'instanceof' right operand", _no_class),
        ("Cannot convert undefined or null to object", _uncoercible),
        ("could not delete property", _undeletable),
        ("private class field '(?P<name>.*)' does not exist", _undeclared),
        ("invalid brand on object", _foreign),
        ("value has no property", _unkeyed),
        ("proxy: cannot set property", _unset),
    )
)
