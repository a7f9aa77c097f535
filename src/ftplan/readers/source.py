"""Bytes of a file or stdin, and their text: compression undone, BOM dropped, anything but UTF-8 refused."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path, PurePath
from shlex import quote

from ftplan.errors import InputError, nearest
from ftplan.readers.packings import LARGEST, packing_of

_LFS = b"version https://git-lfs.github.com/spec/"
_ZIP = b"PK\x03\x04"  # .xlsx too
#: what trackers keep their runs in
_STORES = {
    b"SQLite format 3": "an SQLite database",
    b":W&B": "a run of Weights & Biases",
    b":SWL": "a run of SwanLab",
    b"brain.Event:": "a file of TensorBoard's events",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def source_name(path: str) -> str:
    """What messages call `path`."""
    return "stdin" if path == "-" else path


def read_bytes(path: str) -> bytes:
    """The whole file ('-' is stdin), unpacked where it is compressed.

    Raises InputError where it cannot be read, is damaged, is empty, or only points at a file.
    """
    source = source_name(path)
    try:
        data = _stdin() if path == "-" else _read(path)
    except FileNotFoundError as error:
        raise InputError(f"{source}: no such file", hint=nearby(path)) from error
    except IsADirectoryError as error:
        raise InputError(f"{source} is a folder, not a file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{source} cannot be read: {reason}") from error
    if len(data) > LARGEST:
        raise InputError(f"{source} is larger than {LARGEST >> 20} MB", hint="a table, log or document is no pool")
    packing = packing_of(data)
    if packing is not None:
        data = packing.whole(data, source)
    if not data.strip():
        raise InputError(f"{source} is empty")
    refuse_pointer(data, source)
    return data


def refuse_pointer(data: bytes, source: str) -> None:
    """Raises InputError for what Git LFS lays in a clone in place of a large file."""
    if data.startswith(_LFS):
        raise InputError(
            f"{source} is a Git LFS pointer, not the data",
            hint=f"git lfs pull --include {quote(PurePath(source).name)}",
        )


def decode(data: bytes, source: str) -> str:
    """UTF-8 text, with or without BOM. Raises InputError naming the line of the first byte that is not."""
    if data.startswith(_ZIP):
        raise InputError(f"{source} is a zip archive or an Excel workbook, not text", hint="export the sheet as CSV")
    for magic, what in _STORES.items():
        if data[:64].find(magic) in range(17):
            raise InputError(f"{source} is {what}, not text", hint="ftplan runs reads it where a known tool wrote it")
    if data.startswith(_UTF16) or b"\x00" in data:
        raise InputError(
            f"{source} is not UTF-8 text: it looks like UTF-16 or a binary file",
            hint="save it as UTF-8 (iconv -f UTF-16 -t UTF-8)",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{source}:{line}: byte 0x{data[error.start]:02x} is not UTF-8 text",
            hint="save it as UTF-8 (iconv -f LATIN1 -t UTF-8)",
        ) from error


def decode_table(data: bytes, source: str) -> tuple[str, str]:
    """The text of a table that a spreadsheet may have saved, and what to say of its encoding, '' for UTF-8.

    Excel writes Windows-1252 for `CSV` and UTF-16 for `Unicode text`. Anything else is refused as `decode` does.
    """
    try:
        if data.startswith(_UTF16):
            return data.decode("utf-16").removeprefix("\ufeff"), "read as UTF-16, which the file is saved in"
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # what is UTF-8 in other places is UTF-8, and damaged
        damaged = re.search(r"[^\x00-\x7f\ufffd]", data.decode("utf-8", errors="replace")) is not None
        if not (damaged or b"\x00" in data or data.startswith((*_UTF16, _ZIP))):
            with contextlib.suppress(UnicodeDecodeError):
                return data.decode("cp1252"), "read as Windows-1252, as Excel saves CSV: it is not UTF-8"
    return decode(data, source), ""


def _read(path: str) -> bytes:
    """The file; of one that is too large, or has no end, so much that it is seen to be."""
    with Path(path).open("rb") as file:
        if os.fstat(file.fileno()).st_size <= LARGEST:
            return file.read(LARGEST + 1)
        return bytes(LARGEST + 1)


def _stdin() -> bytes:
    if sys.stdin is None:  # Python's way to say that descriptor 0 is closed
        raise InputError("stdin is closed", hint="pipe a table into the command, or name a file")
    return sys.stdin.buffer.read(LARGEST + 1)


def nearby(path: str) -> str | None:
    """A file of the same folder that may have been meant."""
    folder = Path(path).parent
    try:
        names = sorted(p.name for p in folder.iterdir())
    except (OSError, ValueError):
        return None
    close = nearest(Path(path).name, names, 0.7)
    return f"did you mean {folder / close}?" if close else None
