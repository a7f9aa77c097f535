"""Runs not made yet: a run table without a metric, for `ftplan predict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ftplan.errors import InputError
from ftplan.fit.result import Fit
from ftplan.readers import columns as naming
from ftplan.readers import evaluated
from ftplan.readers.columns import Columns
from ftplan.readers.gather import read_table
from ftplan.readers.raw import RawTable
from ftplan.readers.repairs import Repairs, plain_numbers, without_nothing
from ftplan.readers.rows import RunRow, complete, method_name
from ftplan.runs import RunTable, from_rows


@dataclass(frozen=True)
class Planned:
    """The table as written (headers and cells), and as a RunTable whose metric is NaN in every row."""

    headers: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    table: RunTable


def read_planned(path: str, fit: Fit, column_map: Mapping[str, str]) -> Planned:
    """The rows of `path` to predict with `fit`, each with the key of its series. Raises InputError."""
    repairs = Repairs()
    written_so = read_table(path)
    raw = without_nothing(written_so, repairs)
    columns = naming.resolve(raw, column_map)
    if fit.runs is None or fit.runs.history is None:
        columns = evaluated.without(columns)
    if not {"examples", "tokens", "tokens_seen"} & set(columns.header):
        raise InputError(
            f"{raw.source}: no column for the number of examples or tokens; the columns are {', '.join(raw.headers)}",
            hint="a planned run needs examples (with avg_tokens) or tokens; name yours with --map theirs=examples",
        )
    raw = plain_numbers(raw, columns, repairs)
    keys = _series_keys(raw, columns, tuple(series.key for series in fit.series))
    rows = []
    for written, place, key in zip(raw.rows, raw.places, keys, strict=True):
        cells = {name: written[header] for name, header in columns.header.items()}
        method = _known_method(cells["method"], fit) if "method" in cells else ""
        row = RunRow(place, cells, columns.header)
        rows.append({**complete(row), **evaluated.cells(row), "group": key, "method": method})
    cells_in_order = tuple(tuple(written[header] for header in raw.headers) for written in written_so.rows)
    mended = (*raw.mended, *repairs.said(set(columns.header.values())))
    table = replace(from_rows(rows, fit.metric, source=raw.source), repairs=mended)
    return Planned(raw.headers, cells_in_order, table)


def _known_method(text: str, fit: Fit) -> str:
    """A method by the name it has in the fit, which may be written in other capitals."""
    name = method_name(text)
    known = dict.fromkeys(fit.runs.method) if fit.runs is not None else {}
    alike = [m for m in known if m.lower() == name.lower()]
    return alike[0] if name not in known and len(alike) == 1 else name


def _series_keys(raw: RawTable, columns: Columns, known: tuple[str, ...]) -> list[str]:
    """Which series of the fit each row belongs to: column group, or a column that holds nothing but their keys."""
    if header := columns.header.get("group"):
        for row, place in zip(raw.rows, raw.places, strict=True):
            if row[header] not in known and known != ("",):
                raise InputError(
                    f"{place}: column {header!r}: {row[header]!r} is no series of the fit",
                    hint=f"the fit knows {', '.join(known)}",
                )
    else:
        header = next((h for h in raw.headers if all(row[h] in known for row in raw.rows) and known != ("",)), None)
    if header and known != ("",):
        return [row[header] for row in raw.rows]
    if len(known) > 1:
        raise InputError(
            f"{raw.source}: the fit has several series ({', '.join(known)}) and no column says which one a row is of",
            hint="add a column group",
        )
    return list(known) * len(raw.rows)
