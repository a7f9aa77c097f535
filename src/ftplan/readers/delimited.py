"""CSV and TSV (and semicolons, as spreadsheets of many countries write them)."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator

from ftplan.errors import InputError
from ftplan.readers.raw import RawTable, build

_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")


def read_delimited(text: str, source: str) -> RawTable:
    """The table in `text`; its header decides between tab, comma and semicolon.

    Raises InputError for ragged rows, broken quoting, a missing or doubled header, and a table without runs.
    """
    delimiter = delimiter_of(text)
    records = _records(text, delimiter, source)
    place, header = next(records, (source, []))
    if not header:
        raise InputError(f"{source}: there is neither a header nor a run", hint="begin with a line of column names")
    if all(_NUMBER.fullmatch(cell.strip()) for cell in header):
        raise InputError(
            f"{place}: the first line holds numbers, not the names of the columns",
            hint="begin with a line of names: examples,avg_tokens,loss",
        )
    return build(source, header, _square(records, header, delimiter), place=place)


def delimiter_of(text: str) -> str:
    """The most frequent of tab, comma and semicolon in the first line that has any text."""
    first = text.lstrip("\r\n ").splitlines()[0]
    return max("\t,;", key=first.count) if any(d in first for d in "\t,;") else ","


def _records(text: str, delimiter: str, source: str) -> Iterator[tuple[str, list[str]]]:
    """('runs.csv:14', fields) of each record that is not an empty line; a quoted cell may span lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield f"{source}:{line}", fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{source}:{line}: the quoting is broken ({error})",
            hint='a cell with quotes in it is written "like ""this"""',
        ) from error


def _square(
    records: Iterator[tuple[str, list[str]]], header: list[str], delimiter: str
) -> Iterator[tuple[str, list[str]]]:
    """The records, each as long as the header; InputError for one that is not."""
    for place, fields in records:
        if len(fields) != len(header):
            raise InputError(
                f"{place}: the row has {len(fields)} cells and the header {len(header)} columns",
                hint=(_split_number(fields, delimiter) if len(fields) > len(header) else None)
                or f"write one cell per column: {', '.join(header)}",
            )
        yield place, fields


def _split_number(fields: list[str], delimiter: str) -> str | None:
    """A hint where two neighbouring cells look like one number written with a comma, 1,000."""
    if delimiter != ",":
        return None
    for left, right in itertools.pairwise(fields):
        if re.fullmatch(r"\s*[0-9]{1,3}", left) and re.fullmatch(r"[0-9]{3}(\.[0-9]*)?\s*", right):
            return f"write numbers without commas: {left.strip()}{right.strip()}, not {left.strip()},{right.strip()}"
    return None
