"""Parquet, with the optional extra ftplan[parquet]."""

from __future__ import annotations

import importlib
import io

from ftplan.errors import InputError
from ftplan.readers.raw import RawTable, build

MAGIC = b"PAR1"
#: cells that a table may have, or so many for each byte: columns of one value take next to none
_FEW, _RATIO = 1_000_000, 8


def read_parquet(data: bytes, source: str) -> RawTable:
    """The table in `data`; null is an empty cell. Raises InputError without pyarrow, and for a damaged file."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(f"{source} is Parquet, and pyarrow is not installed", hint="pip install pyarrow") from error
    try:
        facts = parquet.read_metadata(io.BytesIO(data))
        if facts.num_rows * facts.num_columns > max(_FEW, _RATIO * len(data)):
            raise InputError(f"{source}: {len(data):,} bytes of Parquet hold {facts.num_rows:,} rows: no run table")
        table = parquet.read_table(io.BytesIO(data))
        table.validate(full=True)  # damaged offsets would be followed wherever they point
        headers: list[str] = list(table.column_names)
        columns = [column.to_pylist() for column in table.columns]
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
        raise InputError(f"{source}: damaged Parquet ({str(error).splitlines()[0]})") from error
    rows = zip(*columns, strict=True)
    texts = ([("" if cell is None else str(cell)) for cell in row] for row in rows)
    return build(source, headers, ((f"{source}, row {i}", row) for i, row in enumerate(texts, start=1)))
