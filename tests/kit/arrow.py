"""A small reader of Arrow C streams, for what DuckDB delivers (no Arrow library is needed).

Structures: https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class _Schema(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class _Array(ctypes.Structure):
    pass


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Schema))),
        ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Array))),
        ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class StreamError(Exception):
    """The text of the stream's last error."""


@dataclass
class Result:
    """All that a stream delivered: column formats and names, and rows."""

    formats: list[str]  # those of lists with the format of their elements: "+L(i)"
    names: list[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)


def read(capsule: object) -> Result:
    """Read a stream to its end."""
    pointer = _pointer(capsule)
    stream = _Stream.from_address(pointer)
    schema = _Schema()
    _check(stream, pointer, stream.get_schema(pointer, ctypes.byref(schema)))
    fields = [schema.children[i].contents for i in range(schema.n_children)]
    result = Result([_format(child) for child in fields], [child.name.decode() for child in fields])
    _release(schema, _Schema)
    while _append_batch(stream, pointer, result):
        pass
    return result


def _format(schema: _Schema) -> str:
    form = str(schema.format.decode())
    if not form.startswith(("+L", "+w:")):
        return form
    return f"{form}({_format(schema.children[0].contents)})"


def _append_batch(stream: _Stream, pointer: int, result: Result) -> bool:
    array = _Array()
    _check(stream, pointer, stream.get_next(pointer, ctypes.byref(array)))
    if not array.release:
        return False
    children = [array.children[i].contents for i in range(array.n_children)]
    columns = [_values(child, form) for child, form in zip(children, result.formats, strict=True)]
    result.rows.extend(zip(*columns, strict=True))
    _release(array, _Array)
    return True


def _values(array: _Array, form: str) -> list[Any]:
    read_one = _reader(array, form)
    valid = array.buffers[0] if array.n_buffers else None
    rows = range(array.offset, array.offset + array.length)
    return [read_one(row) if _bit(valid, row) else None for row in rows]


def _bit(bitmap: int | None, row: int) -> bool:
    return bitmap is None or bool(ctypes.string_at(bitmap + row // 8, 1)[0] >> (row % 8) & 1)


_FIXED = {"s": "<h", "i": "<i", "l": "<q", "f": "<f", "g": "<d", "tdD": "<i", "ttu": "<q"}


def _reader(array: _Array, form: str) -> Callable[[int], Any]:
    if form.startswith("+"):
        return _list_reader(array, form)
    data = array.buffers[1]
    if form == "b":
        return lambda row: _bit(data, row)
    if form in {"U", "Z"}:
        return lambda row: _varying(array, row, text=form == "U")
    if form.startswith("d:"):
        return lambda row: int.from_bytes(ctypes.string_at(data + 16 * row, 16), "little", signed=True)
    code = "<q" if form.startswith("tsu:") else _FIXED[form]
    size = struct.calcsize(code)
    return lambda row: struct.unpack(code, ctypes.string_at(data + size * row, size))[0]


def _list_reader(array: _Array, form: str) -> Callable[[int], Any]:
    own, _, inner = form[:-1].partition("(")
    values = _values(array.children[0].contents, inner)
    if own == "+L":
        return lambda row: values[
            slice(*struct.unpack("<qq", ctypes.string_at(array.buffers[1] + 8 * row, 16)))
        ]
    size = int(own.removeprefix("+w:"))
    return lambda row: values[row * size : (row + 1) * size]


def _varying(array: _Array, row: int, *, text: bool) -> str | bytes:
    start, end = struct.unpack("<qq", ctypes.string_at(array.buffers[1] + 8 * row, 16))
    data = ctypes.string_at(array.buffers[2] + start, end - start) if end > start else b""
    return data.decode() if text else data


def _pointer(capsule: object) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(get(capsule, b"arrow_array_stream"))


def _check(stream: _Stream, pointer: int, code: int) -> None:
    if code:
        raise StreamError((stream.get_last_error(pointer) or b"").decode())


def _release(structure: ctypes.Structure, kind: type[ctypes.Structure]) -> None:
    ctypes.CFUNCTYPE(None, ctypes.POINTER(kind))(structure.release)(ctypes.byref(structure))
