"""Rows in CSV and TSV: every cell a text, an empty one null; a conversation in a cell is read as one."""

from __future__ import annotations

import ast
import csv
import io
import itertools
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from ftplan.errors import InputError
from ftplan.readers.delimited import delimiter_of
from ftplan.readers.examples import blocks, shapes
from ftplan.readers.raw import normalise

#: columns whose cells may hold lists, as JSON or as Python writes them (datasets and pandas do); turns only, in _TURNS
_LISTS = {"messages", "conversations", "conversation", "history", "tools", "functions", "images", "videos", "audios"}
_TURNS = {"prompt", "completion", "chosen", "rejected"}


def is_sheet(text: str) -> bool:
    """Whether the first line of a text names columns of a form of rows."""
    header = _header(text)
    return len(header) > 1 and any(shape.columns(dict.fromkeys(header, ""), {}) for shape in shapes.every())


def rows(file: BinaryIO, path: str) -> Iterator[dict[str, Any]]:
    """Raises InputError for ragged rows, broken quoting, a doubled column."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from _rows(text, path)
    finally:
        text.detach()  # else it closes the file under the one who opened it


def _rows(text: io.TextIOWrapper, path: str) -> Iterator[dict[str, Any]]:
    lines = _lines(text, path)
    first = next((line for line in lines if line.strip()), "")
    csv.field_size_limit(blocks.LONGEST)
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter_of(first), strict=True)
    number = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        count = Counter(header)
        twin = next((name for name in header if name and count[name] > 1), None)
        if twin is not None:
            raise InputError(f"{path}: duplicate column {twin!r} in the header", hint="rename or remove one of them")
        for cells in reader:
            if not cells:
                continue
            number += 1
            if len(cells) != len(header):
                raise InputError(
                    f"{path}, row {number}: {len(cells)} cells, and the header has {len(header)} columns",
                    hint='a cell with a comma, a quote or a line end in it is written "like ""this"""',
                )
            # a column without a name is the index that pandas writes
            yield {name: _value(cell, name) for name, cell in zip(header, cells, strict=True) if name}
    except csv.Error as error:
        raise InputError(
            f"{path}, row {number + 1}: the quoting is broken ({error})",
            hint='a cell with quotes in it is written "like ""this"""',
        ) from error


def _lines(text: io.TextIOWrapper, path: str) -> Iterator[str]:
    """Lines with their ends. Raises InputError for one that is too long to be a row."""
    while line := text.readline(blocks.LONGEST):
        if len(line) == blocks.LONGEST:
            raise blocks.too_long(path)
        yield line


def _header(text: str) -> list[str]:
    first = text.lstrip("\r\n").partition("\n")[0]
    try:
        return [name.strip() for name in next(csv.reader([first], delimiter=delimiter_of(first)), [])]
    except (csv.Error, IndexError):
        return []


def _value(cell: str, column: str) -> Any:
    """A cell; None for an empty one."""
    if not cell:
        return None
    name = normalise(column)
    if cell[0] not in "[{" or name not in _LISTS | _TURNS:
        return cell
    found = _parsed(cell)
    turns = (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(t, dict) and {"role", "from"} & set(t) for t in found)
    )
    return found if turns or (name in _LISTS and isinstance(found, list | dict)) else cell


def _parsed(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
