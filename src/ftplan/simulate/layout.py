"""A design at a given cost: how many examples of which length each pilot run has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.errors import Infeasible
from ftplan.laws.parts import Floats
from ftplan.plan.points import Index
from ftplan.runs import Metric, RunTable, from_rows
from ftplan.simulate.designs import Shape
from ftplan.simulate.menu import Menu
from ftplan.units import format_budget

#: fewer examples than this are no sample of a length
LEAST_EXAMPLES = 8
#: halvings of the range in which the scale is searched: beyond the last digit of any number of examples
HALVINGS = 60


@dataclass(frozen=True)
class Layout:
    """(n,) rows of the menu and examples of each run, smallest first; cost: of all of them."""

    point: Index
    examples: Floats
    cost: float

    def __len__(self) -> int:
        return len(self.examples)


def points(place: Floats, menu: Menu) -> Index:
    """Places of a shape as rows of the menu."""
    length = menu.avg_tokens[menu.free]
    below, above = np.log(menu.mean / length.min()), np.log(length.max() / menu.mean)
    return menu.nearest(menu.mean * np.exp(np.where(place < 0.0, place * below, place * above)))


def laid_out(shape: Shape, menu: Menu, budget: float) -> Layout:
    """The largest scale at which all runs together stay within the budget (in the unit of `menu.kind`).

    Raises Infeasible where the budget is below LEAST_EXAMPLES examples a run.
    """
    point = points(shape.place, menu)
    length, unit, most = menu.avg_tokens[point], menu.unit_cost[point], menu.eligible[point]

    def examples(scale: float) -> Floats:
        return np.asarray(
            np.clip(np.round(scale * shape.size / length), LEAST_EXAMPLES, np.maximum(most, LEAST_EXAMPLES))
        )

    low, high = 0.0, float((most * length / shape.size).max())
    least = float(examples(low) @ unit)
    if least > budget:
        raise Infeasible(
            f"the pilot budget of {format_budget(menu.kind, budget)} is below {LEAST_EXAMPLES} examples for each of "
            f"{len(length)} runs",
            hint=f"at least {format_budget(menu.kind, least)}, or fewer runs: --runs",
        )
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if float(examples(middle) @ unit) <= budget else (low, middle)
    own = examples(low)
    return Layout(point, own, float(own @ unit))


def as_table(layout: Layout, menu: Menu, metric: Metric, *, group: str = "", model_params: float = np.nan) -> RunTable:
    """The runs as a table without results."""
    rows = [
        {"group": group, "model_params": model_params, "examples": n, "avg_tokens": length, "tokens": n * length}
        for n, length in zip(layout.examples, menu.avg_tokens[layout.point], strict=True)
    ]
    return from_rows([{**row, "epochs": menu.epochs} for row in rows], metric, source="the pilot runs")
