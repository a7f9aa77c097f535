"""A pool of any size as blocks of whole JSONL lines: byte ranges of a file, or lines made of what is read in order.

Plain JSONL is read by each process for itself, a range of the file at a time. What can only be read from its beginning
(gzip, stdin, a JSON array, Parquet) is read in one place and handed on as JSONL.
"""

from __future__ import annotations

import codecs
import gzip
import importlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ftplan.errors import InputError
from ftplan.readers.parquet import MAGIC as PARQUET
from ftplan.readers.source import GZIP, decode, nearby

#: bytes of a block: large enough that handing it over costs nothing, small enough for constant memory
BLOCK = 1 << 22
#: bytes parsed at a time: a few hundred rows, whose values stay in the processor's cache
PIECE = 1 << 16
#: an element of a JSON array longer than this is taken for a broken file
_LONGEST_ELEMENT = 1 << 26
_PARQUET_ROWS = 1024


@dataclass(frozen=True)
class Range:
    """The lines that begin in bytes start to end of a JSONL file."""

    path: str
    start: int
    end: int

    def pieces(self) -> Iterator[bytes]:
        """Whole lines, about PIECE bytes at a time."""
        with Path(self.path).open("rb") as file:
            at = self._first(file)
            while at < self.end and (part := file.read(min(PIECE, self.end - at))):
                if not part.endswith(b"\n"):
                    part += file.readline()
                yield part if at else part.removeprefix(codecs.BOM_UTF8)
                at += len(part)

    def first_line(self) -> int:
        """Number of the first line, from 1."""
        with Path(self.path).open("rb") as file:
            left, lines = self._first(file), 1
            file.seek(0)
            while left > 0:
                part = file.read(min(BLOCK, left))
                lines += part.count(b"\n")
                left -= len(part)
        return lines

    def _first(self, file: BinaryIO) -> int:
        """Where the first line that begins in the range begins; the file is left there."""
        if self.start:
            file.seek(self.start - 1)
            while (part := file.readline(BLOCK)) and not part.endswith(b"\n"):
                pass
        return file.tell()

    @property
    def done(self) -> int:
        return self.end


@dataclass(frozen=True)
class Lines:
    """Whole lines of JSONL, read already. first: number of the first; done: bytes of the source used so far."""

    data: bytes
    first: int
    done: int

    def pieces(self) -> Iterator[bytes]:
        """Whole lines, about PIECE bytes at a time."""
        at = 0
        while at < len(self.data):
            end = self.data.find(b"\n", at + PIECE) + 1 or len(self.data)
            yield self.data[at:end]
            at = end

    def first_line(self) -> int:
        return self.first


Block = Range | Lines


@dataclass(frozen=True)
class Source:
    """A pool file. what: jsonl, json or parquet; packed: gzip; size: bytes on disk."""

    path: str
    what: str
    packed: bool
    size: int

    def place(self, number: int) -> str:
        """Where a row stands, for a message."""
        return f"{self.path}:{number}" if self.what == "jsonl" else f"{self.path}, row {number}"

    def blocks(self) -> Iterator[Block]:
        """All rows, in order. Raises InputError."""
        if self.what == "parquet":
            yield from _of_parquet(self)
        elif self.what == "jsonl" and not self.packed:
            yield from (Range(self.path, at, min(at + BLOCK, self.size)) for at in range(0, self.size, BLOCK))
        else:
            yield from self._in_order()

    def _in_order(self) -> Iterator[Block]:
        read = _of_lines if self.what == "jsonl" else _of_array
        with Path(self.path).open("rb") as raw:
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self.packed else raw
            try:
                yield from read(self, file, raw.tell)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise InputError(f"{self.path}: the gzip data is damaged or cut short ({error})") from error
            except UnicodeDecodeError as error:
                raise InputError(f"{self.path}: not UTF-8 text: {error}") from error


def open_source(path: str) -> Source:
    """What a pool is, by its first bytes. Raises InputError where it cannot be read, or is empty."""
    if path == "-":
        raise InputError(
            "a pool is read more than once, so it cannot come through a pipe", hint="name a file; .gz will do"
        )
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            start = file.read(BLOCK)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file", hint=nearby(path)) from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder, not a file", hint="name one file; several go into one with cat"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if start.startswith(PARQUET):
        return Source(path, "parquet", False, size)
    packed = start.startswith(GZIP)
    if packed:
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, BLOCK)
        except zlib.error as error:
            raise InputError(f"{path}: the gzip data is damaged ({error})") from error
    # the last character may be cut in two
    text = decode(start.rstrip(bytes(range(128, 256))), path).lstrip()
    if not text and len(start) < BLOCK:
        raise InputError(f"{path} is empty")
    return Source(path, "json" if text.startswith("[") else "jsonl", packed, size)


def _of_lines(_source: Source, file: BinaryIO, tell: Callable[[], int]) -> Iterator[Block]:
    """JSONL that can be read from its beginning only."""
    rest, first = b"", 1
    while part := file.read(BLOCK):
        whole, line_end, after = part.rpartition(b"\n")
        if not line_end:
            rest += part
            continue
        data, rest = rest + whole + line_end, after
        yield Lines(data if first > 1 else data.removeprefix(codecs.BOM_UTF8), first, tell())
        first += data.count(b"\n")
    if rest:
        yield Lines(rest, first, tell())


def _of_array(source: Source, file: BinaryIO, tell: Callable[[], int]) -> Iterator[Block]:
    """The elements of one JSON array, a line each."""
    lines: list[bytes] = []
    size, first = 0, 1
    for row in _elements(source, file):
        lines.append(as_line(row))
        size += len(lines[-1])
        if size >= BLOCK:
            yield Lines(b"".join(lines), first, tell())
            first, size, lines = first + len(lines), 0, []
    if lines:
        yield Lines(b"".join(lines), first, tell())


def _elements(source: Source, file: BinaryIO) -> Iterator[Any]:
    """The elements of a JSON array, holding no more of it than one of them and a block."""
    text = codecs.getreader("utf-8-sig")(file)
    decoder = json.JSONDecoder()
    buffer, start, number = text.read(BLOCK).lstrip()[1:], 0, 1
    while True:
        at = _after_blank(buffer, start)
        if buffer[at : at + 1] == "]":
            return
        if number > 1 and buffer[at : at + 1] == ",":
            at = _after_blank(buffer, at + 1)
        try:
            # a number or a word at the end of the buffer may go on; it is no row either way
            row, at = decoder.raw_decode(buffer, at)
        except json.JSONDecodeError as error:
            more = text.read(max(BLOCK, len(buffer) - start)) if len(buffer) - start < _LONGEST_ELEMENT else ""
            if not more:
                seen = " ".join(buffer[at : at + 60].split()) or "the file ends"
                raise InputError(
                    f"{source.place(number)}: not JSON ({error.msg}): {seen}", hint="a pool is one array, or JSONL"
                ) from error
            buffer, start = buffer[start:] + more, 0
            continue
        yield row
        start, number = at, number + 1


def _after_blank(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _of_parquet(source: Source) -> Iterator[Block]:
    """The rows of a Parquet file, a line each."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(
            f"{source.path} is Parquet, and pyarrow is not installed", hint="pip install pyarrow"
        ) from error
    try:
        file, first = parquet.ParquetFile(source.path), 1
        rows = max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
            data = b"".join(map(as_line, batch.to_pylist()))
            first += batch.num_rows
            yield Lines(data, first - batch.num_rows, source.size * (first - 1) // rows)
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
        raise InputError(f"{source.path}: damaged Parquet ({str(error).splitlines()[0]})") from error


def as_line(row: Any) -> bytes:
    """A row as one line of JSONL. What JSON has no word for becomes text, and a column's NaN null."""
    if isinstance(row, dict):
        row = {key: None if value != value else value for key, value in row.items()}
    return json.dumps(row, ensure_ascii=False, default=str).encode(errors="surrogatepass") + b"\n"
