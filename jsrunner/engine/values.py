"""JavaScript values in C's address space, for `operations`.

This module never runs code of a script, which may wait and so must run on a fiber (see `Ask`).
"""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING, Any, Final

from jsrunner.core.binding import engine_path

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Tags of JSValue.
UNDEFINED, NULL, OBJECT, SYMBOL = 3, 2, -1, -8
_BIGINTS: Final = frozenset((-9, 7))
#: Offset of the class number in a JSObject, and the class number of module namespaces.
_CLASS_OFFSET: Final = 6
_NAMESPACE_CLASS: Final = 11
#: JSPropertyDescriptor: the flag of a getter or a setter.
_IS_ACCESSOR: Final = 1 << 4


def class_of(address: int) -> int:
    """Return the number of the class of an object, by the object's address."""
    return ctypes.c_uint16.from_address(address + _CLASS_OFFSET).value


class _JSValue(ctypes.Structure):
    _fields_ = (("payload", ctypes.c_uint64), ("tag", ctypes.c_int64))


class _PropertyDescriptor(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_int),
        ("value", _JSValue),
        ("getter", _JSValue),
        ("setter", _JSValue),
    )


class Ask(Exception):
    """A text is needed that only code of the script can make. JavaScript must return it."""

    def __init__(self, value: JSValue, name: str | None) -> None:
        super().__init__(name)
        self.value = value
        #: The property whose text is needed; None for the value's own.
        self.name = name


class Scene:
    """A JSContext, by its address, and the texts that JavaScript has returned for its values."""

    def __init__(self, context: int, value_texts: Sequence[str] = ()) -> None:
        self.context = context
        self._value_texts = iter(value_texts)

    def ask(self, value: JSValue, name: str | None = None) -> str:
        """Return the text that JavaScript has made of a value. Raises Ask if there is no such text yet.

        Each pass over the same scene asks for the same texts, in the same order.
        """
        text = next(self._value_texts, None)
        if text is None:
            raise Ask(value, name)
        return text


@functools.cache
def library() -> Any:
    """Return QuickJS's functions on a ctypes handle of their own: no other module sets their types."""
    pointer, value = ctypes.c_void_p, _JSValue
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "JS_AtomToCStringLen": (pointer, [pointer, pointer, ctypes.c_uint32]),
        "JS_FreeCString": (None, [pointer, pointer]),
        "JS_FreeValue": (None, [pointer, value]),
        "JS_GetException": (value, [pointer]),
        "JS_DupValue": (value, [pointer, value]),
        "JS_GetOwnProperty": (
            ctypes.c_int,
            [pointer, ctypes.POINTER(_PropertyDescriptor), value, ctypes.c_uint32],
        ),
        "JS_GetPrototype": (value, [pointer, value]),
        "JS_GetProxyHandler": (value, [pointer, value]),
        "JS_GetProxyTarget": (value, [pointer, value]),
        "JS_GetTypedArrayType": (ctypes.c_int, [value]),
        "JS_IsArray": (ctypes.c_bool, [value]),
        "JS_IsFunction": (ctypes.c_bool, [pointer, value]),
        "JS_IsProxy": (ctypes.c_bool, [value]),
        "JS_NewAtomLen": (ctypes.c_uint32, [pointer, ctypes.c_char_p, ctypes.c_size_t]),
        "JS_FreeAtom": (None, [pointer, ctypes.c_uint32]),
        "JS_SetPropertyStr": (ctypes.c_int, [pointer, value, ctypes.c_char_p, value]),
        "JS_ToCStringLen2": (pointer, [pointer, ctypes.POINTER(ctypes.c_size_t), value, ctypes.c_bool]),
        "JS_ToObject": (value, [pointer, value]),
    }
    loaded = ctypes.PyDLL(engine_path())
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def atom_text(scene: Scene, atom: int) -> str:
    """Return the text of an atom: the name of a property, a variable or a file."""
    api, context = library(), scene.context
    address = api.JS_AtomToCStringLen(context, None, atom)
    if not address:
        return ""
    try:
        return ctypes.string_at(address).decode("utf-8", "surrogatepass")
    finally:
        api.JS_FreeCString(context, address)


class JSValue:
    """A JavaScript operand of a failed operation. Valid while the text of the error is being made."""

    __slots__ = ("_raw", "_scene")

    def __init__(self, scene: Scene, payload: int = 0, tag: int = UNDEFINED) -> None:
        self._scene = scene
        self._raw = _JSValue(payload, tag)

    @property
    def is_undefined(self) -> bool:
        """True if the value is undefined."""
        tag: int = self._raw.tag
        return tag == UNDEFINED

    @property
    def is_nullish(self) -> bool:
        """True if the value is undefined or null."""
        return self._raw.tag in (UNDEFINED, NULL)

    @property
    def is_object(self) -> bool:
        """True if the value is an object, functions included."""
        tag: int = self._raw.tag
        return tag == OBJECT

    @property
    def is_symbol(self) -> bool:
        """True if the value is a symbol."""
        tag: int = self._raw.tag
        return tag == SYMBOL

    @property
    def is_function(self) -> bool:
        """True if the value can be called."""
        return self.is_object and bool(library().JS_IsFunction(self._scene.context, self._raw))

    @property
    def is_proxy(self) -> bool:
        """True if the value is a Proxy."""
        return self.is_object and bool(library().JS_IsProxy(self._raw))

    @property
    def is_namespace(self) -> bool:
        """True if the value is the namespace of a module."""
        return self.is_object and class_of(self._raw.payload) == _NAMESPACE_CLASS

    @property
    def is_array(self) -> bool:
        """True if the value is an array."""
        return self.is_object and bool(library().JS_IsArray(self._raw))

    @property
    def is_typed_array(self) -> bool:
        """True if the value is a typed array."""
        return self.is_object and bool(library().JS_GetTypedArrayType(self._raw) >= 0)

    @property
    def is_bigint(self) -> bool:
        """True if the value is a BigInt."""
        return self._raw.tag in _BIGINTS

    def function_name(self) -> str:
        """Return the name of a function; "" for anything else."""
        return (self._own_text("name") or "") if self.is_function else ""

    def has(self, name: str) -> bool:
        """Return True if the value or one of its prototypes has a property.

        Calls no trap of a Proxy: a Proxy with a trap for reading has every property.
        """
        if self.is_nullish:
            return False
        api, context = library(), self._scene.context
        data = name.encode("utf-8", "surrogatepass")
        atom = api.JS_NewAtomLen(context, data, len(data))
        owner = self._adopt(api.JS_ToObject(context, self._raw))
        try:
            return owner._has(atom)
        finally:
            owner._release()
            api.JS_FreeAtom(context, atom)

    def _has(self, atom: int) -> bool:
        """Return True if an object has or inherits the property named by `atom`."""
        api, context = library(), self._scene.context
        if self.is_proxy:
            handler = self._adopt(api.JS_GetProxyHandler(context, self._raw))
            target = self._adopt(api.JS_GetProxyTarget(context, self._raw))
            try:
                return handler.has("get") or (target.is_object and target._has(atom))
            finally:
                handler._release()
                target._release()
        if api.JS_GetOwnProperty(context, None, self._raw, atom) > 0:
            return True
        parent = self._adopt(api.JS_GetPrototype(context, self._raw))
        try:
            return parent.is_object and parent._has(atom)
        finally:
            parent._release()

    def _adopt(self, raw: _JSValue) -> JSValue:
        """Wrap a value of which QuickJS has passed a reference. The caller must release it."""
        return JSValue(self._scene, raw.payload, raw.tag)

    def _release(self) -> None:
        """Free a value that was adopted."""
        library().JS_FreeValue(self._scene.context, self._raw)

    def hand_over(self, holder: JSValue) -> None:
        """Set the property `value` of jsrunner's object `holder` to the value."""
        api, context = library(), self._scene.context
        api.JS_SetPropertyStr(context, holder._raw, b"value", api.JS_DupValue(context, self._raw))

    def kind(self) -> str:
        """Return the text of Object.prototype.toString for the common classes."""
        if not self.is_object:
            return {UNDEFINED: "[object Undefined]", NULL: "[object Null]"}.get(
                self._raw.tag, "[object Object]"
            )
        if self.is_array:
            return "[object Array]"
        return "[object Function]" if self.is_function else "[object Object]"

    def text(self) -> str:
        """Return the value as text; of a symbol, its description. Raises Ask."""
        return self._scene.ask(self) if self.is_object or self.is_symbol else self._string()

    def property_text(self, name: str) -> str:
        """Return a property of an object as text; "undefined" for other values. Raises Ask."""
        if not self.is_object:
            return "undefined"
        text = self._own_text(name)
        return self._scene.ask(self, name) if text is None else text

    def __format__(self, spec: str) -> str:
        return self.kind() if spec == "kind" else self.text()

    def _own_text(self, name: str) -> str | None:
        """Return the text of an own property that is neither an accessor nor an object."""
        if self.is_proxy:
            return None
        api, context, descriptor = library(), self._scene.context, _PropertyDescriptor()
        data = name.encode()
        atom = api.JS_NewAtomLen(context, data, len(data))
        status = api.JS_GetOwnProperty(context, ctypes.byref(descriptor), self._raw, atom)
        api.JS_FreeAtom(context, atom)
        if status <= 0:
            return None
        for accessor in (descriptor.getter, descriptor.setter):
            api.JS_FreeValue(context, accessor)
        value = self._adopt(descriptor.value)
        try:
            if descriptor.flags & _IS_ACCESSOR or value.is_object or value.is_symbol:
                return None
            return value._string()
        finally:
            value._release()

    def _string(self) -> str:
        """Return the text of a primitive value."""
        api, context, size = library(), self._scene.context, ctypes.c_size_t()
        address = api.JS_ToCStringLen2(context, ctypes.byref(size), self._raw, False)
        if not address:  # no memory
            api.JS_FreeValue(context, api.JS_GetException(context))
            return ""
        try:
            return ctypes.string_at(address, size.value).decode("utf-8", "surrogatepass")
        finally:
            api.JS_FreeCString(context, address)


class Constant:
    """A constant of the script's text: a string or a whole number."""

    is_namespace = is_array = False

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        """Return the constant as text."""
        return self._text
