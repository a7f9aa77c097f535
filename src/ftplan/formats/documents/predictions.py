"""Predictions: the rows of a table with what is expected of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol

from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Prose, section
from ftplan.formats.documents.words import BEYOND, plural, significant, unit_of
from ftplan.runs import Metric

#: factor outside the fitted runs from which on no rule tried was any good
#: (on 60 published fine-tuning curves, 90 % intervals at 128 times are half as wide as the loss is high)
HOPELESS = 32.0

#: digits that a screen shows of a number with a fraction, as many as of what is predicted: mean lengths have fifteen
_DIGITS = 4
_FRACTION = re.compile(r"-?([0-9]+)\.[0-9]+")
#: what the screen calls ADDED: short words, so that a table of a few columns fits 80
_TITLES = ("best guess", "low", "high", "times beyond")

ADDED = ("prediction", "low", "high", "extrapolation")


class PredictedRun(Protocol):
    """What a fit expects of one run; extrapolation: how far beyond the fitted data, as a factor."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def extrapolation(self) -> float: ...


class PlannedTable(Protocol):
    """A table as it was written."""

    @property
    def headers(self) -> tuple[str, ...]: ...
    @property
    def cells(self) -> tuple[tuple[str, ...], ...]: ...


def document(metric: Metric, planned: PlannedTable, predicted: Sequence[PredictedRun], level: float) -> Document:
    """One record per planned run: its own columns, then ADDED."""
    numbers = [_numbers(item) for item in predicted]
    records = tuple((*cells, *row) for cells, row in zip(planned.cells, numbers, strict=True))
    header = (*planned.headers, *ADDED)
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "predictions",
        "metric": {"name": metric.name, "direction": metric.direction, "unit": metric.unit},
        "level": level,
        "rows": [dict(zip(header, record, strict=True)) for record in records],
    }
    warnings = far(predicted)
    data["warnings"] = list(warnings)
    screen = (*_screen(metric, planned, numbers, level), *section("Warnings", warnings))
    return Document(data, header, records, screen, warnings)


def far(predicted: Sequence[PredictedRun]) -> tuple[str, ...]:
    """What to say of rows far outside the fitted runs, in one sentence for all of them."""
    beyond = [p.extrapolation for p in predicted if BEYOND < p.extrapolation < math.inf]
    if not beyond:
        return ()
    rows = f"{len(beyond)} of {plural(len(predicted), 'row')} lie" if len(beyond) > 1 else "one row lies"
    said = f"{rows} outside the fitted runs, by up to {significant(max(beyond), 2)} times"
    hopeless = ": no rule is known to predict that far, so read the interval and not the number"
    return (said + hopeless if max(beyond) > HOPELESS else said,)


def _numbers(item: PredictedRun) -> tuple[Cell, ...]:
    every = (item.value, item.low, item.high, item.extrapolation)
    return tuple(float(x) if math.isfinite(x) else None for x in every)


def _screen(
    metric: Metric, planned: PlannedTable, numbers: Sequence[tuple[Cell, ...]], level: float
) -> tuple[Block, ...]:
    said = f"Predicted {metric.name}{f' in{unit_of(metric)}' if metric.unit in ('nats', 'percent') else ''}, "
    intro = Prose(
        f"{said}with {100 * level:g} % intervals, low to high, for one new run. Times beyond: how many times a row "
        "lies beyond the fitted runs; 1 is inside."
    )
    varying, same = _columns(planned)
    columns = (
        *(Column(planned.headers[i].replace("_", " "), right=_is_numeric(planned, i), wraps=True) for i in varying),
        *(Column(name, right=True) for name in _TITLES),
    )
    rows = tuple(
        (
            *(_rounded(cells[i]) for i in varying),
            *(significant(x if isinstance(x, float) else None, 2 if i == 3 else 4) for i, x in enumerate(row)),
        )
        for cells, row in zip(planned.cells, numbers, strict=True)
    )
    constant = [f"{planned.headers[i]} {planned.cells[0][i]}" for i in same if planned.cells[0][i]]
    every = (Prose(f"The same in every row: {', '.join(constant)}.", tone="quiet"),) if constant else ()
    return (intro, Grid(columns, rows), *every)


def _columns(planned: PlannedTable) -> tuple[list[int], list[int]]:
    """Columns of the table to show, and those that say the same of every row; one row keeps all of its own."""
    every = range(len(planned.headers))
    if len(planned.cells) < 2:
        return list(every), []
    same = [i for i in every if len({row[i] for row in planned.cells}) == 1]
    return [i for i in every if i not in same], same


def _rounded(text: str) -> str:
    """A number with a fraction to `_DIGITS` digits, never to fewer than stand before its point; else the text."""
    match = _FRACTION.fullmatch(text)
    if match is None or len(text.lstrip("-0.").replace(".", "")) <= _DIGITS:
        return text
    return f"{float(text):#.{max(_DIGITS, len(match[1]))}g}".rstrip(".")


def _is_numeric(planned: PlannedTable, column: int) -> bool:
    """Whether a column lines up on the right: nothing but digits and what belongs to numbers."""
    return all(set(row[column]) <= set("0123456789.eE+-kKMBT") for row in planned.cells)
