"""Histories of runs: a row an evaluation, with what the run had seen by then."""

from __future__ import annotations

from ftplan.formats.documents import SCHEMA_VERSION, Cell, Column, Document, Grid, Prose
from ftplan.formats.documents.words import NONE, plural, significant
from ftplan.histories import HistoryTable
from ftplan.units import format_count

_SHOWN = {"tokens_seen": "tokens seen", "rate_tokens": "rate tokens", "peak_rate": "peak rate"}
_SHOWN |= {"batch_tokens": "batch tokens", "model_params": "model size"}
_WORDS = ("run", "schedule")
_COUNTS = ("examples", "tokens_seen", "rate_tokens", "batch_tokens")


def document(table: HistoryTable) -> Document:
    """The CSV has every column at full precision; it is what `fit` reads."""
    header = table.columns
    records: tuple[tuple[Cell, ...], ...] = tuple(tuple(row.get(c) for c in header) for row in table.rows)
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "histories",
        "source": table.source,
        "metrics": list(table.metrics),
        "notes": list(table.remarks),
        "rows": [dict(row) for row in table.rows],
    }
    evaluations = plural(len(table.rows), "evaluation")
    intro = f"{evaluations} of {plural(table.runs, 'run')} from {table.source}."
    columns = tuple(
        Column(_SHOWN.get(name, name), right=name not in _WORDS, wraps=name in _WORDS, labels=name == "run")
        for name in header
    )
    cells = tuple(tuple(_cell(name, cell) for name, cell in zip(header, row, strict=True)) for row in records)
    return Document(data, header, records, (Prose(intro), Grid(columns, cells)))


def _cell(column: str, cell: Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or NONE
    if column in _COUNTS:
        return f"{cell:,.0f}"
    if column == "model_params":
        return format_count(cell)
    if column in ("seed", "epochs", "warmup", "peak_rate", "rate"):
        return f"{cell:.4g}"
    return significant(float(cell))
