"""Finished runs as arrays: the one table every fit starts from.

Pure: files are read in `ftplan.readers`, which builds a `RunTable` from canonical columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Direction = Literal["min", "max"]

#: canonical columns of a run table, in the order they are written (the metric comes last)
NUMBER_COLUMNS = (
    "examples",
    "avg_tokens",
    "tokens",
    "model_params",
    "epochs",
    "selector_params",
    "pool_examples",
    "seed",
    "stderr",
)
TEXT_COLUMNS = ("group", "method")
#: a metric, and a count, beyond these are no measurements, and their squares and products no numbers
LARGEST_METRIC, SMALLEST_METRIC, LARGEST_COUNT = 1e100, 1e-100, 1e30
#: and of runs that evaluated themselves on the way
HISTORY_NUMBERS = ("rate", "rate_tokens", "warmup", "peak_rate", "batch_tokens")
HISTORY_TEXTS = ("run", "schedule")


@dataclass(frozen=True)
class Metric:
    """What a run is judged by. `unit` is 'nats', 'percent', 'fraction' or '' where the name tells nothing."""

    name: str
    direction: Direction
    unit: str = ""


@dataclass(frozen=True)
class History:
    """How rows were trained, where several rows of one run are its history: an evaluation each. NaN or '' if not said.

    run, schedule  (n,) names
    rate           learning rate at the evaluation over the run's peak; NaN: a finished run
    rate_tokens    S, tokens so far weighted with that
    warmup         share of the run; peak_rate, batch_tokens: of the run
    """

    run: tuple[str, ...]
    schedule: tuple[str, ...]
    rate: Floats
    rate_tokens: Floats
    warmup: Floats
    peak_rate: Floats
    batch_tokens: Floats

    def subset(self, picked: npt.NDArray[np.intp]) -> History:
        """Some of the rows."""
        texts: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in picked) for name in HISTORY_TEXTS}
        return History(**texts, **{name: getattr(self, name)[picked] for name in HISTORY_NUMBERS})


@dataclass(frozen=True)
class RunTable:
    """n finished runs, one array element each; NaN (or '') where the table says nothing.

    examples       N, unique training examples; 0 is the base model before tuning
    avg_tokens     L, mean tokens per example as trained
    tokens         T = N*L, unique tokens
    model_params   M
    epochs         passes over the unique data
    pool_examples  P_e, eligible examples the N were chosen from
    group, method  series and selection method, as written
    stderr         known standard error of the metric
    value          the metric
    source         where the rows came from, for messages
    names          what each run is called, () where the table does not say
    notes          what the reader assumed; remarks: how it read a tool's log, said before anything is computed
    other_metrics  columns of the source that hold another metric of the same runs
    repairs        those of the notes that say what was mended or left out: no result is shown without them
    history        None where every row is a finished run
    """

    metric: Metric
    value: Floats
    examples: Floats
    avg_tokens: Floats
    tokens: Floats
    model_params: Floats
    epochs: Floats
    selector_params: Floats
    pool_examples: Floats
    seed: Floats
    stderr: Floats
    group: tuple[str, ...]
    method: tuple[str, ...]
    source: str = "-"
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    other_metrics: tuple[str, ...] = ()
    history: History | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def data_unit(self) -> Literal["tokens", "examples"]:
        """What T counts here: 'examples' where the table gives no length and no token count."""
        trained = ~(self.examples == 0.0)
        return "tokens" if bool(np.isfinite(self.tokens[trained]).all()) else "examples"

    @property
    def volume(self) -> Floats:
        """(n,) T: tokens, or examples where `data_unit` says so; 0 for the base model."""
        base = self.examples == 0.0
        return np.where(base, 0.0, self.tokens if self.data_unit == "tokens" else self.examples)

    @property
    def groups(self) -> tuple[str, ...]:
        """Distinct groups, sorted by model size where every group has one, else in order of first appearance."""
        seen = list(dict.fromkeys(self.group))
        place = {g: k for k, g in enumerate(seen)}
        index = np.array([place[g] for g in self.group], dtype=np.intp)
        largest = np.full(len(seen), -np.inf)
        with np.errstate(invalid="ignore"):  # a size that is not known makes its series' one unknown
            np.maximum.at(largest, index, self.model_params)
        sizes = largest.tolist()
        if np.isfinite(sizes).all() and len(set(sizes)) == len(sizes):
            seen = [g for _, g in sorted(zip(sizes, seen, strict=True))]
        return tuple(seen)

    def subset(self, keep: Bools | npt.NDArray[np.intp]) -> RunTable:
        """The rows picked by a boolean mask or an index array, in that order."""
        picked = np.arange(len(self))[keep]
        changes: dict[str, Any] = {}
        for f in fields(self):
            column = getattr(self, f.name)
            if isinstance(column, np.ndarray):
                changes[f.name] = column[picked]
            elif f.name in TEXT_COLUMNS or (f.name == "names" and column):
                changes[f.name] = tuple(column[i] for i in picked)
        if self.history is not None:
            changes["history"] = self.history.subset(picked)
        return replace(self, **changes)

    def series(self) -> Iterator[tuple[str, RunTable]]:
        """(key, rows) of each group; one series with key '' where the table has no groups."""
        rows: dict[str, list[int]] = {}
        for i, group in enumerate(self.group):
            rows.setdefault(group, []).append(i)
        for key in self.groups:
            yield key, self.subset(np.array(rows[key], dtype=np.intp))

    def rows(self) -> list[dict[str, float | int | str]]:
        """Canonical rows, absent values left out, for a fit file; `from_rows` is the inverse."""
        out: list[dict[str, float | int | str]] = [{} for _ in range(len(self))]
        for source, texts, columns in self._columns():
            for name in texts:
                for row, text in zip(out, getattr(source, name), strict=True):
                    if text:
                        row[name] = text
            for name in columns:
                column = getattr(source, name)
                numbers = column.tolist()
                for i in np.flatnonzero(np.isfinite(column)).tolist():
                    number = numbers[i]
                    out[i][name] = int(number) if number.is_integer() else number
        for row, value in zip(out, self.value.tolist(), strict=True):
            row[self.metric.name] = value
        return out

    def _columns(self) -> list[tuple[RunTable | History, tuple[str, ...], tuple[str, ...]]]:
        """What holds columns, and their names."""
        own: list[tuple[RunTable | History, tuple[str, ...], tuple[str, ...]]] = [(self, TEXT_COLUMNS, NUMBER_COLUMNS)]
        return own if self.history is None else [*own, (self.history, HISTORY_TEXTS, HISTORY_NUMBERS)]


def from_rows(
    rows: Sequence[dict[str, Any]], metric: Metric, *, source: str = "-", notes: tuple[str, ...] = ()
) -> RunTable:
    """A RunTable from canonical rows (already checked numbers and strings; see `RunTable.rows`); with a history where
    any row says how it was trained.
    """

    def numbers(name: str) -> Floats:
        return np.array([float(row.get(name, np.nan)) for row in rows], dtype=np.float64)

    columns: dict[str, Any] = {name: numbers(name) for name in NUMBER_COLUMNS}
    for name in TEXT_COLUMNS:
        columns[name] = tuple(str(row.get(name, "")) for row in rows)
    if any(name in row for row in rows for name in (*HISTORY_NUMBERS, "schedule")):
        how: dict[str, Any] = {name: numbers(name) for name in HISTORY_NUMBERS}
        how |= {name: tuple(str(row.get(name, "")) for row in rows) for name in HISTORY_TEXTS}
        columns["history"] = History(**how)
    return RunTable(metric=metric, value=numbers(metric.name), **columns, source=source, notes=notes)
