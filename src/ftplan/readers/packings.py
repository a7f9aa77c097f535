"""Compressed files, known by their first bytes: gzip, bzip2, xz, and zstandard with the extra ftplan[parquet]."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from ftplan.errors import InputError

#: bytes of a table, a log or a document, which are read as a whole: seven million runs
LARGEST = 1 << 28
#: a packed one may unpack to so much at most, or to so many times what it is packed in: text packs to a tenth
SMALL, RATIO = 1 << 25, 100
_PART = 1 << 20


@dataclass(frozen=True)
class Packing:
    """One way to compress a file.

    magic   how it begins
    suffix  how its name ends
    open    what reads it
    damage  what is raised where it is damaged or cut short
    """

    name: str
    magic: bytes
    suffix: str
    open: Callable[[BinaryIO], Any]
    damage: tuple[type[Exception], ...]

    def opened(self, raw: BinaryIO, path: str) -> BinaryIO:
        """The file as it was before. Raises InputError where what reads it is not installed."""
        try:
            return cast(BinaryIO, self.open(raw))
        except ImportError as error:
            hint = "pip install pyarrow, or unpack it: zstd -d"
            raise InputError(f"{path} is packed with {self.name}, and pyarrow is not installed", hint=hint) from error

    def start(self, raw: BinaryIO, path: str, size: int) -> bytes:
        """Its first bytes, unpacked; size: at most so many. Raises InputError."""
        file, found = self.opened(raw, path), b""
        try:
            while len(found) < size and (part := file.read(size - len(found))):
                found += part
        except self.damage as error:
            if not found:
                raise self.damaged(path, error) from error
        return found

    def whole(self, data: bytes, path: str) -> bytes:
        """All of it, unpacked. Raises InputError where it is damaged, and where it is far larger than what holds it."""
        most = min(max(SMALL, len(data) * RATIO), LARGEST)
        file, parts, size = self.opened(io.BytesIO(data), path), list[bytes](), 0
        try:
            while part := file.read(_PART):
                parts.append(part)
                if (size := size + len(part)) > most:
                    raise InputError(
                        f"{path}: {len(data):,} bytes of {self.name} data unpack to more than {most >> 20:,} MB",
                        hint="if that is meant, unpack it and name what is in it",
                    )
        except self.damage as error:
            raise self.damaged(path, error) from error
        return b"".join(parts)

    def damaged(self, path: str, error: Exception) -> InputError:
        """What to say of a damaged file."""
        return InputError(f"{path}: the {self.name} data is damaged or cut short ({error})")


def _zstd(raw: BinaryIO) -> Any:
    return importlib.import_module("pyarrow").CompressedInputStream(raw, "zstd")


PACKINGS = (
    Packing("gzip", b"\x1f\x8b", ".gz", lambda raw: gzip.GzipFile(fileobj=raw), (OSError, EOFError, zlib.error)),
    Packing("bzip2", b"BZh", ".bz2", bz2.BZ2File, (OSError, EOFError)),
    Packing("xz", b"\xfd7zXZ\x00", ".xz", lzma.LZMAFile, (lzma.LZMAError, EOFError)),
    Packing("zstandard", b"\x28\xb5\x2f\xfd", ".zst", _zstd, (OSError,)),
)


def packing_of(start: bytes) -> Packing | None:
    """How a file that begins so is packed, None for not at all."""
    return next((packing for packing in PACKINGS if start.startswith(packing.magic)), None)
