"""JavaScript values as C's address space has them: what `operations` reads."""

from __future__ import annotations

import ctypes
import functools
from typing import Any, Final

from jsrunner.core.binding import engine_path

#: Tags of JSValue.
UNDEFINED, NULL, OBJECT, SYMBOL = 3, 2, -1, -8
_BIGINTS: Final = frozenset((-9, 7))
#: JSObject: where the number of the class is, and that of namespaces of modules.
_CLASS_OFFSET: Final = 6
_NAMESPACE_CLASS: Final = 11


def class_of(address: int) -> int:
    """Return the number of the class of an object, by the object's address."""
    return ctypes.c_uint16.from_address(address + _CLASS_OFFSET).value


class _JSValue(ctypes.Structure):
    _fields_ = (("payload", ctypes.c_uint64), ("tag", ctypes.c_int64))


@functools.cache
def library() -> Any:
    """Return QuickJS's functions: handles of our own, whose types nobody else sets."""
    pointer, value = ctypes.c_void_p, _JSValue
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "JS_AtomToCStringLen": (pointer, [pointer, pointer, ctypes.c_uint32]),
        "JS_FreeCString": (None, [pointer, pointer]),
        "JS_FreeValue": (None, [pointer, value]),
        "JS_GetException": (value, [pointer]),
        "JS_GetPropertyStr": (value, [pointer, value, ctypes.c_char_p]),
        "JS_GetProxyHandler": (value, [pointer, value]),
        "JS_GetProxyTarget": (value, [pointer, value]),
        "JS_GetTypedArrayType": (ctypes.c_int, [value]),
        "JS_HasProperty": (ctypes.c_int, [pointer, value, ctypes.c_uint32]),
        "JS_IsArray": (ctypes.c_bool, [value]),
        "JS_IsFunction": (ctypes.c_bool, [pointer, value]),
        "JS_IsProxy": (ctypes.c_bool, [value]),
        "JS_NewAtomLen": (ctypes.c_uint32, [pointer, ctypes.c_char_p, ctypes.c_size_t]),
        "JS_FreeAtom": (None, [pointer, ctypes.c_uint32]),
        "JS_ToCStringLen2": (pointer, [pointer, ctypes.POINTER(ctypes.c_size_t), value, ctypes.c_bool]),
        "JS_ToObject": (value, [pointer, value]),
    }
    loaded = ctypes.PyDLL(engine_path())
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def atom_text(context: int, atom: int) -> str:
    """Return the text of an atom: the name of a property, a variable or a file."""
    api = library()
    address = api.JS_AtomToCStringLen(context, None, atom)
    if not address:
        return ""
    try:
        return ctypes.string_at(address).decode("utf-8", "surrogatepass")
    finally:
        api.JS_FreeCString(context, address)


class Value:
    """A JavaScript value that an operation had. Valid while the operation's error is being made."""

    __slots__ = ("_context", "_raw")

    def __init__(self, context: int, payload: int = 0, tag: int = UNDEFINED) -> None:
        self._context = context
        self._raw = _JSValue(payload, tag)

    @property
    def is_undefined(self) -> bool:
        """Whether the value is undefined."""
        tag: int = self._raw.tag
        return tag == UNDEFINED

    @property
    def is_nullish(self) -> bool:
        """Whether the value is undefined or null."""
        return self._raw.tag in (UNDEFINED, NULL)

    @property
    def is_object(self) -> bool:
        """Whether the value is an object, functions included."""
        tag: int = self._raw.tag
        return tag == OBJECT

    @property
    def is_symbol(self) -> bool:
        """Whether the value is a symbol."""
        tag: int = self._raw.tag
        return tag == SYMBOL

    @property
    def is_function(self) -> bool:
        """Whether the value can be called."""
        return self.is_object and bool(library().JS_IsFunction(self._context, self._raw))

    @property
    def is_proxy(self) -> bool:
        """Whether the value is a Proxy."""
        return self.is_object and bool(library().JS_IsProxy(self._raw))

    @property
    def is_namespace(self) -> bool:
        """Whether the value is the namespace of a module."""
        return self.is_object and class_of(self._raw.payload) == _NAMESPACE_CLASS

    @property
    def is_array(self) -> bool:
        """Whether the value is an array."""
        return self.is_object and bool(library().JS_IsArray(self._raw))

    @property
    def is_typed_array(self) -> bool:
        """Whether the value is a typed array."""
        return self.is_object and bool(library().JS_GetTypedArrayType(self._raw) >= 0)

    @property
    def is_bigint(self) -> bool:
        """Whether the value is a BigInt."""
        return self._raw.tag in _BIGINTS

    def function_name(self) -> str:
        """Return the name of a function; "" for anything else."""
        return self._property("name") if self.is_function else ""

    def has(self, name: str) -> bool:
        """Return whether the value, or what it inherits from, has a property.

        Calls no trap of a Proxy: one that has a trap for reading has everything.
        """
        if self.is_nullish:
            return False
        api, context = library(), self._context
        if self.is_proxy:
            handler = Value.adopt(context, api.JS_GetProxyHandler(context, self._raw))
            target = Value.adopt(context, api.JS_GetProxyTarget(context, self._raw))
            found = handler.has("get") or target.has(name)
            handler.release()
            target.release()
            return found
        owner = api.JS_ToObject(context, self._raw)
        data = name.encode("utf-8", "surrogatepass")
        atom = api.JS_NewAtomLen(context, data, len(data))
        result: int = api.JS_HasProperty(context, owner, atom)
        api.JS_FreeAtom(context, atom)
        api.JS_FreeValue(context, owner)
        if result < 0:
            self._drop_exception()
        return result > 0

    @classmethod
    def adopt(cls, context: int, raw: _JSValue) -> Value:
        """Return a value that QuickJS has handed over; `release` is to be called."""
        return cls(context, raw.payload, raw.tag)

    def release(self) -> None:
        """Give a value back to QuickJS."""
        library().JS_FreeValue(self._context, self._raw)

    def kind(self) -> str:
        """Return what Object.prototype.toString makes of the value, for the usual kinds."""
        if not self.is_object:
            return {UNDEFINED: "[object Undefined]", NULL: "[object Null]"}.get(
                self._raw.tag, "[object Object]"
            )
        if self.is_array:
            return "[object Array]"
        return "[object Function]" if self.is_function else "[object Object]"

    def text(self) -> str:
        """Return the value as text; of a symbol, its description. Runs an object's `toString`."""
        return self._property("description") if self.is_symbol else self._string(self._raw)

    def property_text(self, name: str) -> str:
        """Return a property of an object as text; "undefined" for other values. Runs a getter."""
        return self._property(name) if self.is_object else "undefined"

    def __format__(self, spec: str) -> str:
        return self.kind() if spec == "kind" else self.text()

    def _property(self, name: str) -> str:
        api, context = library(), self._context
        value = api.JS_GetPropertyStr(context, self._raw, name.encode())
        try:
            return self._string(value)
        finally:
            api.JS_FreeValue(context, value)

    def _string(self, raw: _JSValue) -> str:
        api, context, size = library(), self._context, ctypes.c_size_t()
        address = api.JS_ToCStringLen2(context, ctypes.byref(size), raw, False)
        if not address:
            self._drop_exception()
            return ""
        try:
            return ctypes.string_at(address, size.value).decode("utf-8", "surrogatepass")
        finally:
            api.JS_FreeCString(context, address)

    def _drop_exception(self) -> None:
        api, context = library(), self._context
        api.JS_FreeValue(context, api.JS_GetException(context))


class Constant:
    """A constant of the script's text: a string or a whole number."""

    is_namespace = is_array = False

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        """Return the constant as text."""
        return self._text
