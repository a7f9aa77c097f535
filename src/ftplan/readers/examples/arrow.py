"""Rows in Parquet and Arrow files, with the optional extra ftplan[parquet]."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.examples.blocks import Block, Lines, as_line

#: how an Arrow file begins: one that can be read from any place, and a stream, as datasets' save_to_disk writes it
ARROW = (b"ARROW1", b"\xff\xff\xff\xff")
_ROWS = 1024


def of_parquet(path: str, size: int) -> Iterator[Block]:
    """The rows of a Parquet file, a line each. Raises InputError."""
    parquet = _pyarrow("pyarrow.parquet", path, "Parquet")
    try:
        file = parquet.ParquetFile(path)
        yield from _of_batches(file.iter_batches(batch_size=_ROWS), size, max(file.metadata.num_rows, 1))
    except (OSError, ValueError, SystemError) as error:  # pyarrow's own errors derive from these
        raise InputError(f"{path}: damaged Parquet ({_said(error)})") from error


def of_arrow(path: str, size: int) -> Iterator[Block]:
    """The rows of an Arrow file or stream, a line each. Raises InputError."""
    arrow, ipc = _pyarrow("pyarrow", path, "Arrow"), _pyarrow("pyarrow.ipc", path, "Arrow")
    try:
        with arrow.memory_map(path) as file:
            if file.read(6) == ARROW[0]:
                reader = ipc.open_file(path)
                batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
            else:
                file.seek(0)
                batches = iter(ipc.open_stream(file))
            pieces = (batch.slice(at, _ROWS) for batch in batches for at in range(0, batch.num_rows, _ROWS))
            yield from _of_batches(pieces, size, 0)
    except (OSError, ValueError, SystemError) as error:
        raise InputError(f"{path}: damaged Arrow file ({_said(error)})") from error


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _of_batches(batches: Iterator[Any], size: int, rows: int) -> Iterator[Block]:
    """rows: of all of them, 0 where not known."""
    first = 1
    for batch in batches:
        batch.validate(full=True)  # damaged offsets would be followed wherever they point
        data = b"".join(map(as_line, batch.to_pylist()))
        first += batch.num_rows
        yield Lines(data, first - batch.num_rows, size * (first - 1) // rows if rows else 0)


def _pyarrow(module: str, path: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{path} is {what}, and pyarrow is not installed", hint="pip install pyarrow") from error
