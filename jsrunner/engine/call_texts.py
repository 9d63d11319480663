"""k6's texts of errors that functions of the language throw (see `error_texts`).

Tables have QuickJS's text on the left and k6's on the right. There `{0}`, `{1}`, `{2}` are the
function's arguments, `{this}` is what it was called on, `{function}` is its name, and `{this:kind}` is
the value as Object.prototype.toString shows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from jsrunner.engine import expression_texts, json_texts
from jsrunner.engine.instruction_texts import NULLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.engine.operations import NativeCall
    from jsrunner.engine.values import JSValue


class CallFailure(Struct, frozen=True):
    """A call of a function of the language that has thrown."""

    call: NativeCall
    #: The function's name; an accessor's begins with "get " or "set ".
    function: str
    #: QuickJS's text.
    message: str

    @property
    def this(self) -> JSValue:
        """Return `this` of the call."""
        return self.call.receiver()

    def argument(self, index: int) -> JSValue:
        """Return an argument, undefined if there are not so many."""
        return self.call.argument(index)


if TYPE_CHECKING:
    #: A template, or a function that makes a template of a failure.
    Rule: TypeAlias = str | Callable[[CallFailure], str | None]


def explain(failure: CallFailure) -> str | None:
    """Return k6's text of an error of a function of the language; None keeps QuickJS's text."""
    rule: Rule | None
    if failure.function == "parse" and not failure.message.startswith("cannot convert"):
        rule = _json
    else:
        rule = _OF_FUNCTIONS.get(f"{failure.function}: {failure.message}") or _OF_ALL.get(
            failure.message
        )
    if rule is None:
        rule = next((rule for pattern, rule in _PATTERNS if pattern.fullmatch(failure.message)), None)
    text = rule(failure) if callable(rule) else rule
    if text is None or ("{" not in text and "}" not in text):
        return text
    arguments = [failure.argument(index) for index in range(3)]
    return text.format(*arguments, this=failure.this, function=failure.function)


# -- rules that look at the call -------------------------------------------------------------------

_NOT_COERCIBLE: Final = "Value is not object coercible"
_NO_OBJECT: Final = "Value is not an object: {0}"
_NO_PROTOTYPE: Final = "Object prototype may only be an Object or null: "


def _literally(text: str) -> str:
    """Return a template that shows the text literally."""
    return text.replace("{", "{{").replace("}", "}}")


def _no_function(subject: str, value: JSValue) -> str:
    """Return the usual template for an argument, or a `this`, that is no function."""
    return f"Value is not {'callable' if value.is_object else 'an object'}: {{{subject}}}"


def _callback(failure: CallFailure) -> str:
    return _no_function("0", failure.argument(0))


def _array_callback(failure: CallFailure) -> str:
    if failure.this.is_typed_array:
        return _callback(failure)
    return NULLISH if failure.argument(0).is_nullish else "{0} is not a function"


def _comparator(failure: CallFailure) -> str:
    if failure.function == "sort" and failure.this.is_typed_array:
        return _callback(failure)
    return "The comparison function must be either a function or undefined"


def _mapper(failure: CallFailure) -> str:
    """Return the template for the mapping function of Array.from and TypedArray.from."""
    if failure.this.function_name() == "Array":
        return "{1} is not a function"
    return _no_function("1", failure.argument(1))


def _this_function(failure: CallFailure) -> str:
    """Return the template for methods of functions, and for Reflect.apply."""
    if failure.function == "apply" and failure.call.arity == _REFLECT_APPLY_ARITY:
        return _callback(failure)
    if failure.function == "toString" and failure.this.is_object:
        return "Function.prototype.toString requires that 'this' be a Function"
    return _no_function("this", failure.this)


_REFLECT_APPLY_ARITY: Final = 3


def _argument_list(failure: CallFailure) -> str:
    """Return the template for Function.prototype.apply, Reflect.apply and Reflect.construct.

    Their list of arguments is no list.
    """
    if failure.function == "construct":
        return "Value is not a constructor" if failure.argument(0).is_object else _NO_OBJECT
    index = 2 if failure.call.arity == _REFLECT_APPLY_ARITY else 1
    return f"Value is not an object: {{{index}}}"


def _prototype(failure: CallFailure) -> str:
    """Return the template for Object.setPrototypeOf and Reflect.setPrototypeOf."""
    if not failure.this.is_function:
        return "Value is not an object: {1}" if failure.argument(0).is_object else _NO_OBJECT
    return _NOT_COERCIBLE if failure.argument(0).is_nullish else _NO_PROTOTYPE + "{1}"


def _unless_reflect(text: str) -> Rule:
    """Return a rule with this text for functions of Object, which Reflect has too."""
    return lambda failure: text if failure.this.is_function else _NO_OBJECT


def _accessor(failure: CallFailure) -> str | None:
    """Return the template for Object.defineProperty with a getter or setter that is no function."""
    name = "get" if failure.message.startswith("Getter") else "set"
    return f"Value is not an object: {_literally(failure.argument(2).property_text(name))}"


def _pushed(failure: CallFailure) -> str:
    return f"Cannot add property {failure.this.property_text('length')}, object is not extensible"


def _undeletable(failure: CallFailure) -> str:
    length = failure.this.property_text("length")
    last = int(length) - 1 if failure.function == "pop" and length.isdigit() else 0
    return f"Cannot delete property '{last}' of {{this}}"


def _code_point(failure: CallFailure) -> str:
    text = failure.argument(0).text()
    try:
        float(text)
    except ValueError:
        text = "NaN"
    return f"Invalid code point {text}"


def _radix(failure: CallFailure) -> str | None:
    """Return the template for BigInt.prototype.toString; numbers keep QuickJS's text."""
    return "radix must be an integer between 2 and 36" if failure.this.is_bigint else None


def _without_new(failure: CallFailure) -> str:
    if failure.function.endswith("Array"):
        return "Constructor TypedArray requires 'new'"
    return "Constructor {function} requires 'new'"


_ELEMENT_BYTES: Final[Mapping[str, int]] = {
    "Int16Array": 2, "Uint16Array": 2, "Int32Array": 4, "Uint32Array": 4, "Float32Array": 4,
    "Float64Array": 8, "BigInt64Array": 8, "BigUint64Array": 8,
}  # fmt: skip


def _view_offset(failure: CallFailure) -> str:
    """Return the template for a typed array that cannot begin at this offset of its buffer."""
    size = _ELEMENT_BYTES.get(failure.function, 1)
    offset = failure.argument(1).text()
    if offset.isdigit() and int(offset) % size:
        return f"Start offset of {{function}} should be a multiple of {size}"
    return "Start offset {1} is outside the bounds of the buffer"


def _view_length(failure: CallFailure) -> str:
    if failure.argument(2).is_undefined:
        size = _ELEMENT_BYTES.get(failure.function, 1)
        return f"Byte length of {{function}} should be a multiple of {size}"
    return "Invalid typed array length: {2}"


def _index(failure: CallFailure) -> str:
    if failure.function.endswith("Array") and failure.argument(0).is_object:
        return "Invalid index {1}"
    if failure.function == "with" and failure.this.is_typed_array:
        return "Invalid typed array index"
    return "Invalid index {0}"


def _source_offset(failure: CallFailure) -> str:
    """Return the template for TypedArray.prototype.set."""
    negative = failure.argument(1).text().startswith("-")
    return "offset should be >= 0" if negative else "Source is too large"


_EXPECTED: Final = re.compile(
    r"(?P<kind>[\w ]+) object expected|not a (?P<other>Date|TypedArray)(?: object)?"
)


def _incompatible(failure: CallFailure) -> str | None:
    """Return the template for a method or getter that was called on a value of another kind."""
    match = _EXPECTED.fullmatch(failure.message)
    if match is None:
        return None
    kind = match["kind"] or match["other"]
    accessor, _, name = failure.function.rpartition(" ")
    if accessor == "get" and kind == "RegExp":
        return f"Method RegExp.prototype.{name} getter called on incompatible receiver"
    if accessor == "get" and kind != "ArrayBuffer":
        return f"Method get {kind}.prototype.{name} called on incompatible receiver {{this}}"
    if not failure.this.is_object:
        return "Value is not an object: {this}"
    if kind == "Date":
        return "Method Date.prototype.{function} is called on incompatible receiver"
    if kind == "ArrayBuffer":
        return "Object is not ArrayBuffer: {this}"
    if kind in ("Map", "Set") and name in ("keys", "values", "entries"):
        return f"Object is not a {kind}"
    shown = "{this:kind}" if kind == "TypedArray" and name != "join" else "{this}"
    return f"Method {kind}.prototype.{{function}} called on incompatible receiver {shown}"


def _json(failure: CallFailure) -> str:
    """Return the template for JSON.parse."""
    return _literally(json_texts.describe(failure.argument(0).text()))


def _expression(failure: CallFailure) -> str | None:
    """Return the template for a pattern that cannot be compiled.

    RegExp and the methods of strings that make a regular expression throw it.
    """
    text = expression_texts.describe(failure.message, failure.argument(0).text())
    return None if text is None else _literally(text)


# -- tables ----------------------------------------------------------------------------------------

#: Texts of all functions.
_OF_ALL: Final[Mapping[str, Rule]] = {
    # calls
    "not a function": _callback,
    "not an object": _NO_OBJECT,
    "not a object": _argument_list,
    "not a constructor": "Value is not a constructor",
    "must be called with new": _without_new,
    "constructor requires 'new'": _without_new,
    "class constructors must be invoked with 'new'": (
        "Class constructor cannot be invoked without 'new'"
    ),
    "invalid property access": (
        "'caller', 'callee', and 'arguments' properties may not be accessed on strict mode "
        "functions or the arguments objects for calls to them"
    ),
    "operand 'prototype' property is not an object": "prototype is not an object",
    # conversions
    "Cannot convert undefined or null to object": NULLISH,
    "null or undefined are forbidden": _NOT_COERCIBLE,
    "cannot convert to object": _NOT_COERCIBLE,
    "toPrimitive": "Cannot convert object to primitive value",
    "cannot convert symbol to string": "Cannot convert a Symbol value to a string",
    "cannot convert symbol to number": "Cannot convert a Symbol value to a number",
    "cannot convert BigInt to number": "Cannot convert a BigInt value to a number",
    "cannot convert to BigInt": "Cannot convert {0} to a BigInt",
    "cannot convert to BigInt: not an integer": "Cannot convert {0} to a BigInt",
    "cannot convert NaN or Infinity to BigInt": "Cannot convert {0} to a BigInt",
    "invalid BigInt literal": "Cannot convert {0} to a BigInt",
    "cannot convert to bigint": "Cannot convert {1} to a BigInt",
    # objects
    "object prototype may only be an Object or null": _NO_PROTOTYPE + "{0}",
    "circular prototype chain": "Cyclic __proto__ value",
    "'Immutable prototype object 'Object.prototype' cannot have their prototype set'": (
        "Cyclic __proto__ value"
    ),
    "property is not configurable": "Cannot redefine property: {1}",
    "object is not extensible": "Cannot define property {1}, object is not extensible",
    "Property description must be an object": "Property description must be an object: {2}",
    "Object.defineProperties called on non-object": _NO_OBJECT,
    "Getter must be a function": _accessor,
    "Setter must be a function": _accessor,
    "could not delete property": _undeletable,
    # iterables, lists, buffers
    "value is not iterable": "object is not iterable",
    "empty array": "No initial value",
    "invalid array length": "Invalid array length",
    "Array loo long": "Invalid array length",
    "Array too long": "Invalid array length",
    "invalid array index": _index,
    "invalid array buffer length": "Invalid index {0}",
    "invalid offset": _view_offset,
    "invalid length": _view_length,
    "invalid byteOffset": "Start offset {1} is outside the bounds of the buffer",
    "invalid byteLength": "Invalid DataView length {2}",
    "out of bound": "Index {0} is out of bounds",
    "out-of-bound index in typed array": "Invalid typed array index",
    "invalid descriptor flags": "Cannot redefine property: {1}",
    "cannot be called": "Abstract class TypedArray not directly constructable",
    "invalid value used as WeakMap key": _NO_OBJECT,
    "invalid value used as WeakSet key": _NO_OBJECT,
    # numbers, strings, dates, symbols
    "not a number": "Value is not a number: {this}",
    "not a BigInt": "requires that 'this' be a BigInt",
    "not a boolean": "Method Boolean.prototype.{function} is called on incompatible receiver",
    "not a string": "String.prototype.{function} is called on incompatible receiver",
    "toString() radix argument must be between 2 and 36": _radix,
    "invalid repeat count": "Invalid count value",
    "invalid code point": _code_point,
    "bad normalization form": "The normalization form should be one of NFC, NFD, NFKC, NFKD",
    "regexp not supported": (
        "First argument to String.prototype.{function} must not be a regular expression"
    ),
    "Date value is NaN": "Invalid time value",
    "invalid hint": "Invalid hint: {0}",
    "object needs toISOString method": "toISOString is not a function",
    # JSON
    "circular reference": "Converting circular structure to JSON",
    "BigInt are forbidden in JSON.stringify": "Do not know how to serialize a BigInt",
    # URIs
    "expecting hex digit": "Malformed URI",
    "expecting %": "Malformed URI",
    "expecting surrogate pair": "Malformed URI",
    "invalid character": "Malformed URI",
    "malformed UTF-8": "Malformed URI",
    # generators and proxies
    "not a generator": "Method [Generator].prototype.{function} called on incompatible receiver",
    "cannot invoke a running generator": "Illegal generator state",
    "revoked proxy": "Proxy already revoked",
    "proxy: defineProperty exception": "'defineProperty' on proxy: trap returned falsish",
    "proxy preventExtensions handler returned false": (
        "'preventExtensions' on proxy: trap returned falsish"
    ),
    "proxy: bad prototype": "'setPrototypeOf' on proxy: trap returned falsish",
    "proxy: duplicate property": "'ownKeys' on proxy: trap returned duplicate entries",
    "proxy: property not present in target were returned by non extensible proxy": (
        "'ownKeys' on proxy: trap returned extra keys but proxy target is non-extensible"
    ),
    "proxy: inconsistent getOwnPropertyDescriptor": (
        "'getOwnPropertyDescriptor' on proxy: trap returned neither object nor undefined for "
        "property '{1}'"
    ),
    "proxy: inconsistent isExtensible": (
        "'isExtensible' on proxy: trap result does not reflect extensibility of proxy target "
        "(which is 'true')"
    ),
}

#: Texts of single functions, which come first: the function and QuickJS's text.
_OF_FUNCTIONS: Final[Mapping[str, Rule]] = {
    "filter: not a function": _array_callback,
    "reduce: not a function": _array_callback,
    "reduceRight: not a function": _array_callback,
    "sort: not a function": _comparator,
    "toSorted: not a function": _comparator,
    "from: not a function": _mapper,
    "call: not a function": _this_function,
    "apply: not a function": _this_function,
    "bind: not a function": _this_function,
    "toString: not a function": _this_function,
    "catch: not a function": "Value is not an object: undefined",
    "finally: not a function": "Value is not an object: undefined",
    "Symbol: not a constructor": "Symbol is not a constructor",
    "BigInt: not a constructor": "BigInt is not a constructor",
    "Proxy: not an object": "Cannot create proxy with a non-object as target or handler",
    "toString: not an object": "Value is not an object: {this}",
    "finally: not an object": "Value is not an object: {this}",
    "resolve: not an object": "Value is not an object: {this}",
    "reject: not an object": "Value is not an object: {this}",
    "all: not an object": "Value is not an object: {this}",
    "defineProperty: not an object": _unless_reflect("Object.defineProperty called on non-object"),
    "getPrototypeOf: not an object": _unless_reflect(NULLISH),
    "setPrototypeOf: not an object": _prototype,
    "setPrototypeOf: object is not extensible": "{0:kind} is not extensible",
    "set __proto__: object is not extensible": "{this:kind} is not extensible",
    "push: object is not extensible": _pushed,
    "unshift: object is not extensible": _pushed,
    "fromEntries: cannot read property 'Symbol.iterator' of undefined": _NOT_COERCIBLE,
    "fromEntries: cannot read property 'Symbol.iterator' of null": _NOT_COERCIBLE,
    "freeze: invalid descriptor flags": "Cannot redefine property: 0",
    "set: invalid array length": _source_offset,
    "DataView: ArrayBuffer object expected": (
        "First argument to DataView constructor must be an ArrayBuffer"
    ),
    "toFixed: invalid number of digits": "toFixed() precision must be between 0 and 100",
    "toPrecision: invalid number of digits": "toPrecision() precision must be between 1 and 100",
    "toExponential: invalid number of digits": "toExponential() precision must be between 0 and 100",
    "toString: not a number": "Value is not a number",
    "toLocaleString: not a number": "Value is not a number",
    "keyFor: not a symbol": "{0} is not a symbol",
    "toString: not a symbol": "Method Symbol.prototype.toString is called on incompatible receiver",
    "valueOf: not a symbol": "Symbol.prototype.valueOf requires that 'this' be a Symbol",
    "get description: not a symbol": "Value is not a Symbol",
    "matchAll: regexp must have the 'g' flag": "RegExp doesn't have global flag set",
    "replaceAll: regexp must have the 'g' flag": (
        "String.prototype.replaceAll called with a non-global RegExp argument"
    ),
    "RegExp: invalid regular expression flags": "Invalid flags supplied to RegExp constructor '{1}'",
    "isArray: revoked proxy": "Cannot perform 'IsArray' on a proxy that has been revoked",
}

_PATTERNS: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = (
    (_EXPECTED, _incompatible),
    (re.compile("cannot read property '.*' of (?:undefined|null)", re.DOTALL), NULLISH),
    (re.compile("invalid array index: .*"), _index),
    (re.compile(".* is not a constructor", re.DOTALL), "Value is not a constructor"),
    (re.compile("'.*' is read-only", re.DOTALL), ""),
    (
        re.compile(
            "expecting '\\)'|invalid group|extraneous characters at the end|unexpected end"
            "|nothing to repeat|invalid class range"
        ),
        _expression,
    ),
)
