"""A pool of any size as blocks of whole JSONL lines: byte ranges of a file, or lines made of what is read in order.

Plain JSONL is read by each process for itself, a range of the file at a time. What can only be read from its beginning
(compressed, JSON arrays, CSV, Parquet) is read in one place and handed on as JSONL.
"""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ftplan.errors import InputError

#: bytes of a block: large enough that handing it over costs nothing, small enough for constant memory
BLOCK = 1 << 22
#: bytes parsed at a time: a few hundred rows, whose values stay in the processor's cache
PIECE = 1 << 16
#: bytes of the longest row: what is longer is a file that has lost its line ends, or was never one of rows
LONGEST = 1 << 26


def too_long(path: str) -> InputError:
    """What to say of a row longer than LONGEST."""
    return InputError(
        f"{path}: a row of more than {LONGEST >> 20} MB", hint="one example a line: are its line ends lost?"
    )


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
                    part += file.readline(LONGEST)
                    if len(part) > LONGEST and not part.endswith(b"\n"):
                        raise too_long(self.path)
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
            # past the end no line of this range can begin
            while file.tell() < self.end and (part := file.readline(BLOCK)) and not part.endswith(b"\n"):
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


def of_ranges(path: str, size: int) -> Iterator[Block]:
    """A JSONL file that anyone can read a part of."""
    yield from (Range(path, at, min(at + BLOCK, size)) for at in range(0, size, BLOCK))


def of_lines(file: BinaryIO, tell: Callable[[], int], path: str = "-") -> Iterator[Block]:
    """JSONL that can be read from its beginning only. tell: bytes of the source used so far."""
    rest, first = b"", 1
    while part := file.read(BLOCK):
        whole, line_end, after = part.rpartition(b"\n")
        if not line_end:
            rest += part
            if len(rest) > LONGEST:
                raise too_long(path)
            continue
        data, rest = rest + whole + line_end, after
        yield Lines(data if first > 1 else data.removeprefix(codecs.BOM_UTF8), first, tell())
        first += data.count(b"\n")
    if rest:
        yield Lines(rest, first, tell())


def of_rows(rows: Iterable[Any], tell: Callable[[], int]) -> Iterator[Block]:
    """Rows of whatever file, a line each. tell: bytes of the source used so far."""
    lines: list[bytes] = []
    size, first = 0, 1
    for row in rows:
        lines.append(as_line(row))
        size += len(lines[-1])
        if size >= BLOCK:
            yield Lines(b"".join(lines), first, tell())
            first, size, lines = first + len(lines), 0, []
    if lines:
        yield Lines(b"".join(lines), first, tell())


def as_line(row: Any) -> bytes:
    """A row as one line of JSONL. What JSON has no word for becomes text, and a column's NaN null."""
    if isinstance(row, dict):
        row = {key: None if value != value else value for key, value in row.items()}
    return json.dumps(row, ensure_ascii=False, default=_text).encode(errors="surrogatepass") + b"\n"


def _text(value: Any) -> str:
    """Bytes, such as an image's, in base 64; everything else as Python writes it."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
