"""Columns as an Arrow stream, by the Arrow C data interface: nothing is copied, no library is needed.

https://arrow.apache.org/docs/format/CDataInterface.html,
https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
"""

from __future__ import annotations

import ctypes
from array import array
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_NULLABLE: Final = 2
_NAME: Final = b"arrow_array_stream"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. With `dictionary` its data are 32-bit indices into these texts."""

    name: str
    #: Arrow's format string of the data, e.g. `g` for 64-bit floats.
    format: str
    data: bytes | array[int]
    #: One bit per row, 0 for a row without value; None if each row has one.
    validity: bytes | None = None
    nulls: int = 0
    dictionary: Sequence[str] | None = None


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))
_ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))
_ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))
_GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))
_GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))
_GetLastError = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))

_Schema._fields_ = (
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", _ReleaseSchema),
    ("private_data", ctypes.c_void_p),
)
_Array._fields_ = (
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", _ReleaseArray),
    ("private_data", ctypes.c_void_p),
)
_Stream._fields_ = (
    ("get_schema", _GetSchema),
    ("get_next", _GetNext),
    ("get_last_error", _GetLastError),
    ("release", _ReleaseStream),
    ("private_data", ctypes.c_void_p),
)

#: The memory behind structures that consumers have not released yet, by `private_data`.
_kept: dict[int, list[Any]] = {}


def _keep(structure: Any, *owned: Any) -> None:
    memory = [structure, *owned]
    structure.private_data = id(memory)
    _kept[id(memory)] = memory


def _release(pointer: Any, kept: dict[int, list[Any]] = _kept) -> None:
    """Release a schema or an array, and what is below it unless a consumer has moved it."""
    structure = pointer.contents
    below = [structure.children[index] for index in range(structure.n_children)]
    if structure.dictionary:
        below.append(structure.dictionary)
    for child in below:
        if child.contents.release:
            child.contents.release(child)
    kept.pop(structure.private_data, None)
    structure.release = type(structure.release)()  # null: released


def _release_of_stream(pointer: Any, kept: dict[int, list[Any]] = _kept) -> None:
    structure = pointer.contents
    kept.pop(structure.private_data, None)
    structure.release = type(structure.release)()


_release_schema = _ReleaseSchema(_release)
_release_array = _ReleaseArray(_release)
_release_stream = _ReleaseStream(_release_of_stream)


def _pointers(of: type[Any], items: Sequence[Any]) -> Any:
    return (ctypes.POINTER(of) * len(items))(*(ctypes.pointer(item) for item in items))


def _schema(
    name: str, format_: str, *, children: Sequence[_Schema] = (), dictionary: _Schema | None = None
) -> _Schema:
    pointers = _pointers(_Schema, children)
    schema = _Schema(
        format=format_.encode(),
        name=name.encode("utf-8", "replace"),
        flags=_NULLABLE,
        n_children=len(children),
        children=pointers if children else None,
        dictionary=ctypes.pointer(dictionary) if dictionary is not None else None,
        release=_release_schema,
    )
    _keep(schema, pointers, *children, dictionary)
    return schema


def _array(
    length: int,
    buffers: Sequence[bytes | array[int] | None],
    *,
    nulls: int = 0,
    children: Sequence[_Array] = (),
    dictionary: _Array | None = None,
) -> _Array:
    addresses = (ctypes.c_void_p * len(buffers))(*map(_address, buffers))
    pointers = _pointers(_Array, children)
    structure = _Array(
        length=length,
        null_count=nulls,
        n_buffers=len(buffers),
        n_children=len(children),
        buffers=addresses,
        children=pointers if children else None,
        dictionary=ctypes.pointer(dictionary) if dictionary is not None else None,
        release=_release_array,
    )
    _keep(structure, addresses, pointers, *buffers, *children, dictionary)
    return structure


def _address(buffer: bytes | array[int] | None) -> int | None:
    if buffer is None:
        return None
    if isinstance(buffer, array):
        return buffer.buffer_info()[0]
    return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value


def _column_schema(column: Column) -> _Schema:
    texts = None if column.dictionary is None else _schema("", "u")
    return _schema(column.name, column.format, dictionary=texts)


def _column_array(column: Column, length: int) -> _Array:
    texts = None if column.dictionary is None else _texts_array(column.dictionary)
    buffers = (column.validity, column.data)
    return _array(length, buffers, nulls=column.nulls, dictionary=texts)


def _texts_array(texts: Sequence[str]) -> _Array:
    encoded = [text.encode("utf-8", "replace") for text in texts]
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    return _array(len(encoded), (None, offsets, b"".join(encoded)))


def stream(columns: Sequence[Column], length: int) -> object:
    """Return a PyCapsule `arrow_array_stream` with one batch of `length` rows."""
    sent = False

    def get_schema(_: Any, target: Any) -> int:
        schema = _schema("", "+s", children=[_column_schema(column) for column in columns])
        ctypes.memmove(target, ctypes.byref(schema), ctypes.sizeof(_Schema))
        return 0

    def get_next(_: Any, target: Any) -> int:
        nonlocal sent
        if sent:
            ctypes.memset(target, 0, ctypes.sizeof(_Array))  # the end of the stream
            return 0
        sent = True
        batch = _array(length, (None,), children=[_column_array(column, length) for column in columns])
        ctypes.memmove(target, ctypes.byref(batch), ctypes.sizeof(_Array))
        return 0

    structure = _Stream(
        get_schema=_GetSchema(get_schema),
        get_next=_GetNext(get_next),
        get_last_error=_GetLastError(_no_error),
        release=_release_stream,
    )
    _keep(structure)
    return _new_capsule(ctypes.addressof(structure), _NAME, _destroy_capsule)


def _no_error(_: Any) -> None:
    return None


_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, _Destructor)
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)


def _destroy(capsule: int) -> None:
    """Release a stream that no consumer has taken out of its capsule."""
    structure = _Stream.from_address(_capsule_pointer(capsule, _NAME))
    if structure.release:
        structure.release(ctypes.pointer(structure))


_destroy_capsule = _Destructor(_destroy)
