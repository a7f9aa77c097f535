"""Columns of runs that evaluated themselves on the way: which tables have them, and what their cells say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ftplan.readers.columns import Columns
from ftplan.readers.histories.rates import NAMES
from ftplan.readers.rows import RunRow
from ftplan.runs import HISTORY_NUMBERS

#: canonical columns that say how a row was trained
COLUMNS = (*HISTORY_NUMBERS, "schedule")
#: a rate over its peak, written with a rounding error
_MOST = 1.001


def of_histories(columns: Columns, names: Sequence[str]) -> Columns:
    """The columns of a run table, those of histories only where it holds any: a rate beside rate-weighted tokens, or
    with several rows of one run. In a table of finished runs they are settings that no law looks at.
    """
    trained = "rate" in columns.header and ("rate_tokens" in columns.header or len(set(names)) < len(names))
    return columns if trained else without(columns)


def without(columns: Columns) -> Columns:
    """Columns that none of which says how rows were trained."""
    return replace(columns, header={k: v for k, v in columns.header.items() if k not in COLUMNS})


def cells(row: RunRow) -> dict[str, float | str]:
    """What a row says of how it was trained. Raises InputError."""
    out: dict[str, float | str] = {name: row.number(name) for name in HISTORY_NUMBERS if row.cells.get(name)}
    for name, most in (("rate", _MOST), ("warmup", 1.0)):
        value = out.get(name)
        if isinstance(value, float) and value > most:
            what = "over the peak rate of its run" if name == "rate" else "a share of the run"
            raise row.error(name, f"{value:g} is above 1: it is {what}")
    if text := row.cells.get("schedule", ""):
        key = text.strip().lower().replace("-", "_").replace(" ", "_")
        out["schedule"] = NAMES.get(key, key)
    return out
