"""Rows that do not say something which the others do: left out of what needs it, each named by its line.

A column that most rows fill is one that the table is about, so a gap in it is something not known. Where most cells
are empty, an empty one has its usual meaning: one epoch, random selection, data counted in examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ftplan.errors import InputError
from ftplan.readers.columns import Columns
from ftplan.readers.raw import RawTable
from ftplan.readers.repairs import where

_SIZES = ("examples", "tokens", "tokens_seen")
_POOL = ("pool_examples", "fraction")


#: what a row lacks -> the rows (by index) that lack it
Lacking = dict[str, list[int]]


def left_out(raw: RawTable, columns: Columns, metric: str, labels: Sequence[str]) -> tuple[set[int], list[str]]:
    """Rows (by index) that cannot be used, and one note for each thing that they lack. metric: its header.

    Raises InputError where no row is left.
    """
    lacking = _lacking(raw, columns, metric, labels)
    every = {i for rows in lacking.values() for i in rows}
    if every and len(every) == len(raw.rows):
        first = min(every)
        why = next(why for why, rows in lacking.items() if first in rows)
        raise InputError(
            f"{raw.places[first]}: {why} in this row, and no other row can be used",
            hint="fill in what the runs were",
        )
    said, told = [], set[int]()
    for why, rows in lacking.items():
        if fresh := sorted(set(rows) - told):
            told |= set(rows)
            lines = where([raw.places[i] for i in fresh])
            said.append(f"left out {lines} ({len(fresh)} of {len(raw.rows)} runs): {why}")
    return every, said


def _lacking(raw: RawTable, columns: Columns, metric: str, labels: Sequence[str]) -> Lacking:
    cells = [{name: row[header] for name, header in columns.header.items()} for row in raw.rows]
    lacking: Lacking = {f"no {metric}": [i for i, row in enumerate(raw.rows) if not row[metric]]}
    for label in labels:
        lacking[f"no {label}, which names the series"] = [i for i, row in enumerate(raw.rows) if not row[label]]
    judged = sorted(set(range(len(cells))) - {i for rows in lacking.values() for i in rows})
    trained = [i for i in judged if not any(_zero(cells[i].get(name, "")) for name in _SIZES)]
    lacking |= _unsized(cells, trained, columns)
    if not raw.logged:
        # a tool says how many epochs there were; a table beside it that has no such column means one
        lacking[f"no number of epochs ({columns.header.get('epochs')})"] = _gaps(cells, trained, "epochs")
    lacking[f"no size of its model ({columns.header.get('model_params')})"] = _gaps(cells, judged, "model_params")
    lacking |= _unchosen(cells, trained, columns)
    return {why: rows for why, rows in lacking.items() if rows}


def _unsized(cells: Sequence[Mapping[str, str]], trained: Sequence[int], columns: Columns) -> Lacking:
    """Rows without data, and rows whose data cannot be counted in the unit that most of the others have."""
    counted = {i: _counts(cells[i]) for i in trained}
    bare = [i for i in trained if not counted[i]]
    uneven = {i for i in bare if cells[i].get("tokens_seen")}
    lacking = {
        "neither examples nor tokens": [i for i in bare if i not in uneven],
        f"no epochs, which {columns.header.get('tokens_seen')} needs": sorted(uneven),
    }
    sized = [i for i in trained if counted[i]]
    tokens = {i for i in sized if "tokens" in counted[i]}
    if 2 * len(tokens) > len(sized):
        name = columns.header.get("avg_tokens") or columns.header.get("tokens", "tokens")
        why = f"no {name}, and the data of the others are counted in tokens"
        lacking[why] = [i for i in sized if i not in tokens]
    else:
        lacking["no examples, and the data of the others are counted in them"] = [
            i for i in sized if "examples" not in counted[i]
        ]
    return lacking


def _counts(row: Mapping[str, str]) -> set[str]:
    """Which of N and T a row tells."""
    have = {name for name, text in row.items() if text}
    examples = "examples" in have or {"fraction", "pool_examples"} <= have
    tokens = "tokens" in have or {"tokens_seen", "epochs"} <= have
    if examples and "avg_tokens" in have:
        tokens = True
    if tokens and "avg_tokens" in have:
        examples = True
    return {name for name, told in (("examples", examples), ("tokens", tokens)) if told}


def _gaps(cells: Sequence[Mapping[str, str]], rows: Sequence[int], name: str) -> list[int]:
    """Those of some rows that lack what most of them have."""
    empty = [i for i in rows if not cells[i].get(name, "")]
    return empty if 0 < 2 * len(empty) < len(rows) else []


def _unchosen(cells: Sequence[Mapping[str, str]], trained: Sequence[int], columns: Columns) -> Lacking:
    """Rows that do not say how their examples were chosen, or from how many."""
    lacking: Lacking = {}
    if "method" not in columns.header:
        return lacking
    named = [cells[i]["method"].lower() for i in trained]
    if "random" in named:  # where random is written out, an empty cell is not random
        lacking[f"no method ({columns.header['method']}), and random is named elsewhere"] = [
            i for i in trained if not cells[i]["method"]
        ]
    chosen = [i for i in trained if cells[i]["method"] and cells[i]["method"].lower() != "random"]
    unpooled = [i for i in chosen if not any(cells[i].get(name, "") for name in _POOL)]
    if 0 < len(unpooled) < len(chosen):
        header = next(columns.header[name] for name in _POOL if name in columns.header)
        lacking[f"no {header}: what a method is worth depends on it"] = unpooled
    for method in dict.fromkeys(cells[i]["method"] for i in chosen):
        if unscored := _gaps(cells, [i for i in chosen if cells[i]["method"] == method], "selector_params"):
            lacking[f"no {columns.header['selector_params']}, which other runs of {method} have"] = unscored
    return lacking


def _zero(text: str) -> bool:
    try:
        return bool(text) and float(text) == 0.0
    except ValueError:
        return False
