"""The rows of a pool as they are written, and what else `apply` reads of them: scores, texts."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from ftplan.errors import InputError
from ftplan.readers.examples import shapes
from ftplan.readers.examples.count import Reading, parse
from ftplan.readers.examples.scan import Progress
from ftplan.readers.examples.source import Source
from ftplan.readers.numbers import CellError
from ftplan.readers.numbers import parse as parse_number
from ftplan.readers.source import decode, read_bytes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def batches_of_lines(source: Source, progress: Progress) -> Iterator[list[bytes]]:
    """All rows as they are written, without line ends; some hundred at a time."""
    before = 0
    for part in source.files:
        for block in part.blocks():
            for piece in block.pieces():
                yield [line.removesuffix(b"\r") for line in piece.split(b"\n") if line.strip()]
            progress(before + block.done)
        before += part.size


def picked(source: Source, rows: Ints, folder: Path, progress: Progress) -> Iterator[bytes]:
    """These rows of a pool, each with a line end, in the order of `rows`.

    They are laid into a nameless file in `folder` as the pool is read, and taken out in their order. Raises InputError
    where the pool has no such row any more.
    """
    with tempfile.TemporaryFile(dir=folder) as spool:
        rank = np.argsort(rows, kind="stable")
        ends = np.zeros(len(rows) + 1, np.int64)
        ends[1:] = np.cumsum(_spooled(source, rows[rank], spool, progress))
        place = np.empty(len(rows), np.int64)
        place[rank] = np.arange(len(rows))
        for i in place.tolist():
            spool.seek(int(ends[i]))
            yield spool.read(int(ends[i + 1] - ends[i]))


def _spooled(source: Source, ascending: Ints, spool: IO[bytes], progress: Progress) -> list[int]:
    """Bytes of each of these rows, written one after the other."""
    sizes: list[int] = []
    base = 0
    for lines in batches_of_lines(source, progress):
        until = int(np.searchsorted(ascending, base + len(lines)))
        sizes += [spool.write(lines[i - base] + b"\n") for i in ascending[len(sizes) : until].tolist()]
        base += len(lines)
    if len(sizes) < len(ascending):
        raise InputError(f"{source.path} has changed while it was read")
    return sizes


def texts_of(source: Source, reading: Reading, rows: Ints | None, progress: Progress) -> Iterator[str]:
    """What each of these rows says (ascending; None: all of them), its texts one below the other."""
    shape, renames = shapes.load(reading.shape), reading.renames
    wanted = iter(rows.tolist()) if rows is not None else itertools.count()
    following, base = next(wanted, None), 0
    for lines in batches_of_lines(source, progress):
        while following is not None and following < base + len(lines):
            (row,) = parse(lines[following - base])
            yield "\n".join(shape.texts(shapes.renamed(row, renames) if renames else row))
            following = next(wanted, None)
        base += len(lines)


def read_scores(path: str, rows: int) -> Floats:
    """(rows,) the numbers in a text file, one a line. Raises InputError for another number of lines."""
    lines = decode(read_bytes(path), path).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) != rows:
        raise InputError(
            f"{path} has {len(lines):,} scores, the pool {rows:,} rows", hint="one number a line, in order"
        )
    return np.array([_number(line.strip(), f"{path}:{number}") for number, line in enumerate(lines, start=1)])


def _number(text: str, place: str) -> float:
    try:
        return parse_number(text)
    except CellError as error:
        raise InputError(f"{place}: {error.problem}", hint=error.hint) from error
