"""Laws side by side on one series: errors in sample, cross-validated and ahead; paired differences; doubts; curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ftplan.compare.law_doubts import doubts
from ftplan.compare.paired import Difference, mean_absolute, root_mean_square
from ftplan.compare.slice import Slice, curve, middle
from ftplan.errors import InputError
from ftplan.fit import refuse_objective
from ftplan.fit.features import Data, held_out_largest, prepare
from ftplan.fit.identify import identify
from ftplan.fit.problem import Index
from ftplan.fit.result import LawFit
from ftplan.fit.score import Scored
from ftplan.fit.series import Judged, judge, with_parameters
from ftplan.fit.solve import Objective
from ftplan.laws.parts import Floats
from ftplan.runs import Metric, RunTable

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LawRow:
    """One law. crossed, ahead: how much larger its error is than the best law's; ahead is None where the smaller runs
    cannot carry it, or the best one. in_use: whether it predicts inside the data. curve: along the series' slice.
    """

    fit: LawFit
    crossed: Difference
    ahead: Difference | None
    in_use: bool
    doubts: tuple[str, ...]
    curve: Floats


@dataclass(frozen=True)
class SeriesLaws:
    """The laws of one series, best first: by the error on the held-out largest runs, else by the cross-validated one.

    cells, held_out_cells: design points, and how many of them are the largest runs; volume, value: (n,) the runs, in
    data_unit and in the metric.
    """

    source: str
    key: str
    metric: Metric
    judged_by: Literal["ahead", "crossed"]
    laws: tuple[LawRow, ...]
    cells: int
    held_out_cells: int
    volume: Floats
    value: Floats
    data_unit: str
    held: Slice
    warnings: tuple[str, ...]

    def difference(self, row: LawRow) -> Difference | None:
        """How much worse than the best a law is in what the laws are sorted by; None for a law without that error."""
        return row.ahead if self.judged_by == "ahead" else row.crossed

    def tied(self, row: LawRow) -> bool:
        """Whether a law is the best, or cannot be told from it: neither ahead nor inside the runs."""
        found = self.difference(row)
        return row is self.laws[0] or (found is not None and found.tied and row.crossed.tied)

    def main(self) -> tuple[LawRow, ...]:
        """The laws to draw: the best, the one in use and the token-only power law."""
        return tuple(r for r in self.laws if r is self.laws[0] or r.in_use or r.fit.name == "power")


def compare_laws(
    source: str,
    table: RunTable,
    laws: Sequence[str] = ("auto",),
    *,
    objective: Objective = "squares",
    progress: Progress = lambda _: None,
) -> list[SeriesLaws]:
    """Every law on every series of one table. Raises what `fit_runs` does."""
    refuse_objective(table, objective)
    if table.history is not None:
        raise InputError(
            f"{table.source}: laws are compared on finished runs, and these evaluated themselves on the way",
            hint="ftplan fit has the law of histories; leave out the rows with a rate to compare laws of finished runs",
        )
    keys, series = zip(*((key, prepare(rows)) for key, rows in table.series()), strict=True)
    found = judge(series, keys, laws, objective, progress)
    return [_series(source, *each) for each in zip(keys, series, found, strict=True)]


def _series(source: str, key: str, data: Data, found: Judged) -> SeriesLaws:
    ahead = any(s.ahead_error is not None for s in found.ranked)
    ranked = sorted(found.ranked, key=_by_ahead if ahead else _by_crossed)
    identified = identify(data, found.length_supported, "")
    shown = with_parameters(data, ranked, identified, {})
    out, held = held_out_largest(data), middle(data)
    rows = tuple(
        LawRow(
            fit=law,
            crossed=root_mean_square(s.crossed, ranked[0].crossed, data.cell),
            ahead=_ahead(s, ranked[0], data.cell[out]),
            in_use=s is found.chosen,
            doubts=doubts(data, found, s, law, ranked[:place]),
            curve=curve(data, s, held),
        )
        for place, (s, law) in enumerate(zip(ranked, shown, strict=True))
    )
    return SeriesLaws(
        source=source,
        key=key,
        metric=data.table.metric,
        judged_by="ahead" if ahead else "crossed",
        laws=rows,
        cells=data.n_cells,
        held_out_cells=len(np.unique(data.cell[out])),
        volume=data.table.volume,
        value=data.table.value,
        data_unit=data.table.data_unit,
        held=held,
        warnings=found.warnings,
    )


def _by_ahead(s: Scored) -> tuple[bool, float, float]:
    return s.ahead_error is None, s.ahead_error or 0.0, _by_crossed(s)


def _by_crossed(s: Scored) -> float:
    return s.cv_rmse or 0.0


def _ahead(s: Scored, best: Scored, cells: Index) -> Difference | None:
    if s.ahead is None or best.ahead is None:
        return None
    return mean_absolute(s.ahead, best.ahead, cells)
