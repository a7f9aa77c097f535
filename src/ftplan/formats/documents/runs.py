"""A run table: the finished runs as ftplan read, or made, them, in canonical columns."""

from __future__ import annotations

from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Prose, section
from ftplan.formats.documents.words import NONE, plural, significant
from ftplan.runs import HISTORY_NUMBERS, HISTORY_TEXTS, NUMBER_COLUMNS, TEXT_COLUMNS, Metric, RunTable
from ftplan.units import format_count

#: what the columns are called on a screen; files keep the canonical names, so that they read back
_SHOWN = {
    "group": "series",
    "avg_tokens": "tokens each",
    "model_params": "model size",
    "selector_params": "selector size",
    "pool_examples": "pool",
    "stderr": "std. error",
}
_WHOLE = ("examples", "tokens", "pool_examples")
_SIZES = ("model_params", "selector_params")
_WORDS = (*TEXT_COLUMNS, *HISTORY_TEXTS)
_LABELS = ("run", "group")
#: rows that a screen shows: nobody reads more of them there, and a million would take a gigabyte
MOST_SHOWN = 2000


def document(table: RunTable, intro: str = "") -> Document:
    """One record per run: its name if it has one, the canonical columns that any run fills, and the metric last.

    intro: sentences above the table, in place of where it was read from. The CSV reads back as the same table.
    """
    written = table.rows()
    if table.names:
        written = [{"run": name, **row} if name else row for name, row in zip(table.names, written, strict=True)]
    columns = ("run", *TEXT_COLUMNS, *NUMBER_COLUMNS, *HISTORY_NUMBERS, *HISTORY_TEXTS[1:])
    header = (*(c for c in columns if any(row.get(c, "") != "" for row in written)), table.metric.name)
    records = tuple(tuple(row.get(column) for column in header) for row in written)
    metric = table.metric
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "runs",
        "source": table.source,
        "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit},
        "notes": [*table.remarks, *table.notes],
        "repairs": list(table.repairs),
        "rows": written,
    }
    rest = len(records) - MOST_SHOWN
    more = (Prose(f"{plural(rest, 'further run')}: --format csv has all."),) if rest > 0 else ()
    grid = _grid(metric, header, records[:MOST_SHOWN])
    screen = (Prose(intro or _intro(table)), grid, *more, *section("Notes", table.notes))
    return Document(data, header, records, screen, notes=table.repairs)


def _intro(table: RunTable) -> str:
    metric = table.metric
    better = "higher" if metric.direction == "max" else "lower"
    unit = f" in {metric.unit}" if metric.unit in ("nats", "percent") else ""
    return f"{plural(len(table), 'run')} from {table.source}, judged by {metric.name}{unit}: {better} is better."


def _grid(metric: Metric, header: tuple[str, ...], records: tuple[tuple[Cell, ...], ...]) -> Block:
    shown = [_SHOWN.get(name, name.replace("_", " ") if name != metric.name else name) for name in header]
    columns = tuple(
        Column(text, right=name not in _WORDS, wraps=name in _WORDS, labels=name in _LABELS)
        for name, text in zip(header, shown, strict=True)
    )
    rows = tuple(tuple(_cell(name, cell) for name, cell in zip(header, record, strict=True)) for record in records)
    return Grid(columns, rows)


def _cell(column: str, cell: Cell) -> str:
    """A number the way its column is read: counts in full, sizes as 7B."""
    if cell is None:
        return NONE
    if isinstance(cell, str):
        return cell
    if column in _SIZES:
        return format_count(cell)
    if column in _WHOLE and (cell < 1e7 or float(cell).is_integer()):
        return f"{cell:,.0f}"
    if column in ("epochs", "seed"):
        return f"{cell:g}"
    return significant(float(cell))
