"""Files of records: framing of TFRecord and of LevelDB's log, and the fields of protobuf messages.

The formats are a few lines each; the libraries that read them (tensorboard, wandb, protobuf) are far heavier than
they. A file that ends within a record is of a run that was killed: what is whole is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

_BLOCK, _HEADER = 32768, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
#: bits of a varint
_BITS = 64


def tfrecords(data: bytes) -> Iterator[bytes]:
    """Length, its checksum, payload, its checksum."""
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        if length > len(data) - at - 16:
            return
        yield data[at + 12 : at + 12 + length]
        at += 16 + length


def leveldb(data: bytes, start: int) -> Iterator[bytes]:
    """Records of a log in blocks, in parts where they cross one; `start` bytes stand before the first."""
    at, parts = start, b""
    while at + _HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        piece = data[at + _HEADER : at + _HEADER + length]
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST):  # zeros fill a block up
            at += left
            continue
        if len(piece) < length:
            return
        parts = piece if kind in (_FULL, _FIRST) else parts + piece
        if kind in (_FULL, _LAST):
            yield parts
        at += _HEADER + length


def fields(message: bytes) -> dict[int, list[Any]]:
    """{number: values} of a message: integers, floats, and bytes (texts, messages). A damaged one ends where it is."""
    out: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: Any
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (_DOUBLE, _FLOAT):
            size = 8 if kind == _DOUBLE else 4
            if at + size > len(message):
                return out
            value, at = struct.unpack_from("<d" if kind == _DOUBLE else "<f", message, at)[0], at + size
        else:
            return out
        out.setdefault(number, []).append(value)
    return out


def first(message: Mapping[int, list[Any]], number: int, default: Any) -> Any:
    """The value of a field, where it is of the kind of `default`; protobuf leaves out what is 0 or ''."""
    value = message.get(number, [default])[-1]
    return value if isinstance(value, type(default)) else default


def text(message: Mapping[int, list[Any]], number: int) -> str:
    """A field as text."""
    return str(first(message, number, b"").decode("utf-8", errors="replace"))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < _BITS:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at
