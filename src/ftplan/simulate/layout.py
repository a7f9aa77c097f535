"""A design at a given cost: how many examples of which length each pilot run has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.errors import Infeasible
from ftplan.laws.parts import Floats
from ftplan.plan.points import Index
from ftplan.runs import Metric, RunTable, from_rows
from ftplan.simulate.candidate_grid import CandidateGrid
from ftplan.simulate.designs import DesignShape
from ftplan.units import format_budget

#: fewer examples than this are no sample of a length
LEAST_EXAMPLES = 8
#: halvings of the range in which the scale is searched: beyond the last digit of any number of examples
HALVINGS = 60
#: a length is tried where its band has this share of the rows of the fullest one: a pool has hardly a dozen rows at its
#: very ends, and every run there would be the same few
ROOMY = 0.1
#: the middle length is the pool's mean where that is this factor away from both ends, else the middle between them: two
#: lengths that are nearly one show no bend
APART = 1.5


@dataclass(frozen=True)
class Layout:
    """(n,) rows of the grid and examples of each run, smallest first; cost: of all of them."""

    point: Index
    examples: Floats
    cost: float

    def __len__(self) -> int:
        return len(self.examples)


def points(place: Floats, grid: CandidateGrid) -> Index:
    """Places of a shape as rows of the grid."""
    rows = grid.eligible[grid.free]
    length = grid.avg_tokens[grid.free][rows >= ROOMY * rows.max()]
    low, high = float(length.min()), float(length.max())
    middle = grid.mean if APART * low <= grid.mean <= high / APART else float(np.sqrt(low * high))
    below, above = np.log(middle / low), np.log(high / middle)
    return grid.nearest(middle * np.exp(np.where(place < 0.0, place * below, place * above)))


def laid_out(shape: DesignShape, grid: CandidateGrid, budget: float) -> Layout:
    """The largest scale at which all runs together stay within the budget (in the unit of `grid.kind`), and the largest
    run within the pool: beyond that only the others would grow, until all are alike.

    Raises Infeasible where the budget is below LEAST_EXAMPLES examples a run.
    """
    point = points(shape.place, grid)
    length, unit, most = grid.avg_tokens[point], grid.unit_cost[point], grid.eligible[point]

    def examples(scale: float) -> Floats:
        return np.asarray(
            np.clip(np.round(scale * shape.size / length), LEAST_EXAMPLES, np.maximum(most, LEAST_EXAMPLES))
        )

    low, high = 0.0, float((most * length)[shape.size == shape.size.max()].max())
    least = float(examples(low) @ unit)
    if least > budget:
        raise Infeasible(
            f"the pilot budget of {format_budget(grid.kind, budget)} is below {LEAST_EXAMPLES} examples for each of "
            f"{len(length)} runs",
            hint=f"at least {format_budget(grid.kind, least)}, or fewer runs: --runs",
        )
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if float(examples(middle) @ unit) <= budget else (low, middle)
    own = examples(low)
    return Layout(point, own, float(own @ unit))


def as_table(
    layout: Layout, grid: CandidateGrid, metric: Metric, *, group: str = "", model_params: float = np.nan
) -> RunTable:
    """The runs as a table without results."""
    rows = [
        {"group": group, "model_params": model_params, "examples": n, "avg_tokens": length, "tokens": n * length}
        for n, length in zip(layout.examples, grid.avg_tokens[layout.point], strict=True)
    ]
    return from_rows([{**row, "epochs": grid.epochs} for row in rows], metric, source="the pilot runs")
