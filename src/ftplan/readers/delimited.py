"""CSV and TSV (and semicolons, as spreadsheets of many countries write them)."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from ftplan.errors import InputError
from ftplan.readers import columns
from ftplan.readers.raw import RawTable, build

#: cells of a row that numbers are put together in: longer ones are no rows of runs
_MOST_JOINED = 100
_REST = re.compile(r"0[0-9]{2}")
_WITH_COMMAS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_DELIMITERS = "\t,;"
_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")


#: characters in which the header is looked for
_HEAD = 1 << 20
#: lines in which a header is looked for where the first one is none
_TITLES = 10
#: a line that is a sentence, or is marked as a remark
_REMARK = re.compile(r"[#*]|//|[^\W\d]+:?\s+\S+\s+\S")
#: what a line below the header says that names units; thousands and millions are none, since they change the numbers
_UNITS = {
    *(
        "#",
        "n",
        "count",
        "number",
        "tokens",
        "token",
        "tok",
        "examples",
        "samples",
        "rows",
        "nats",
        "loss",
        "%",
        "percent",
    ),
    *("params", "parameters", "epochs", "int", "float", "integer", "str", "string", "text", "name", "id", "h", "hours"),
}
#: what the first cell of a line of totals says
_TOTALS = {"mean", "average", "avg", "total", "totals", "sum", "median", "std", "stdev", "sd", "min", "max"}


def read_delimited(text: str, source: str) -> RawTable:
    """The table in `text`; its header decides between tab, comma and semicolon.

    The header is the first line, or where that names no column the first one that does, below a title. Lines of totals,
    remarks and repeated headers are no runs. Raises InputError for ragged rows, broken quoting, a missing or doubled
    header, and a table without runs.
    """
    first = re.match(r"\s*sep=(.)\r?\n", text)
    skip, delimiter = (0, first[1]) if first else _header(text)
    records = itertools.islice(_records(text, delimiter, source), skip + bool(first), None)
    place, header = next(records, (source, []))
    if not header:
        raise InputError(f"{source}: there is neither a header nor a run", hint="begin with a line of column names")
    if all(_NUMBER.fullmatch(cell.strip()) for cell in header):
        raise InputError(
            f"{place}: the first line holds numbers, not the names of the columns",
            hint="begin with a line of names: examples,avg_tokens,loss",
        )
    mended = [f"the header stands on {_line(place)}, below {skip} line{'s' * (skip > 1)} of title"] * bool(skip)
    rows = _square(_runs(records, header, mended), header, delimiter, mended)
    table = build(source, header, rows, place=place)
    return replace(table, delimiter=delimiter, mended=tuple(mended))


def delimiter_of(text: str) -> str:
    """The most frequent of tab, comma and semicolon in the first line that has any text."""
    first = next(iter(text[:_HEAD].lstrip("\r\n ").splitlines()), "")
    return max(_DELIMITERS, key=first.count) if any(d in first for d in _DELIMITERS) else ","


def _header(text: str) -> tuple[int, str]:
    """How many records stand above the header, and what it is delimited by."""
    lines = list(itertools.islice((line for line in text[:_HEAD].splitlines() if line.strip(" \t,;")), _TITLES))
    for above, line in enumerate(lines):
        for delimiter in sorted(_DELIMITERS, key=line.count, reverse=True):
            cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
            if sum(map(columns.names_column, cells)) >= 2 or (above == 0 and any(map(columns.names_column, cells))):
                return above, delimiter
    return 0, delimiter_of(text)


def _line(place: str) -> str:
    return f"line {place.rpartition(':')[2]}"


def _runs(
    records: Iterator[tuple[str, list[str]]], header: list[str], mended: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """The records that may be runs; what the others are is added to `mended`."""
    names = [cell.strip().lower() for cell in header]
    for number, (place, fields) in enumerate(records):
        cells = [field.strip() for field in fields]
        filled = [cell for cell in cells if cell]
        if [cell.lower() for cell in cells] == names:
            mended.append(f"{_line(place)} is the header again: left out")
        elif number == 0 and filled and all(cell.strip("()[] ").lower() in _UNITS for cell in filled):
            mended.append(f"{_line(place)} names units ({', '.join(filled[:4])}) and is no run: left out")
        elif len(filled) == 1 and _REMARK.match(cells[0]):
            mended.append(f"{_line(place)} holds a remark and no run ({filled[0][:40]!r}): left out")
        elif cells[0].lower().rstrip(":") in _TOTALS and len(filled) > 1:
            mended.append(f"{_line(place)} is a {cells[0].lower().rstrip(':')} of others and no run: left out")
        else:
            yield place, fields


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
    records: Iterator[tuple[str, list[str]]], header: list[str], delimiter: str, mended: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """The records, each as long as the header; InputError for one that is not. A row that is too long is joined where
    numbers such as 1,000 without quotes can be put together in one way only, which is added to `mended`.
    """
    for place, fields in records:
        while len(fields) > len(header) and not fields[-1].strip():
            fields = fields[:-1]
        if len(fields) > len(header) and delimiter == "," and len(ways := _joined(fields, len(header))) == 1:
            whole = [cell for cell in ways[0] if "," in cell]
            mended.append(f"{_line(place)}: {' and '.join(whole)} without quotes read as one number")
            fields = ways[0]
        if len(fields) != len(header):
            raise InputError(
                f"{place}: the row has {len(fields)} cells and the header {len(header)} columns",
                hint=(_split_number(fields, delimiter) if len(fields) > len(header) else None)
                or f"write one cell per column: {', '.join(header)}",
            )
        yield place, fields


def _joined(fields: list[str], count: int) -> list[list[str]]:
    """Ways (two at most) to put neighbouring cells together as numbers with commas so that `count` are left."""

    @functools.cache
    def ways(start: int, left: int) -> tuple[tuple[str, ...], ...]:
        if start == len(fields):
            return ((),) if left == 0 else ()
        found: list[tuple[str, ...]] = []
        for end in range(start + 1, len(fields) - left + 2):
            number = fields[start] if end == start + 1 else ",".join(cell.strip() for cell in fields[start:end])
            # a cell of 000 is the rest of a number, never one of its own
            alone = end == start + 1 and not _REST.fullmatch(number.strip())
            if left > 0 and len(found) < 2 and (alone or _WITH_COMMAS.fullmatch(number)):
                found += [(number, *rest) for rest in ways(end, left - 1)]
        return tuple(found[:2])

    return [list(way) for way in ways(0, count)] if len(fields) <= _MOST_JOINED else []


def _split_number(fields: list[str], delimiter: str) -> str | None:
    """A hint where two neighbouring cells look like one number written with a comma, 1,000."""
    if delimiter != ",":
        return None
    for left, right in itertools.pairwise(fields):
        if re.fullmatch(r"\s*[0-9]{1,3}", left) and re.fullmatch(r"[0-9]{3}(\.[0-9]*)?\s*", right):
            return f"write numbers without commas: {left.strip()}{right.strip()}, not {left.strip()},{right.strip()}"
    return None
