"""What a law predicts before anything is run."""

from __future__ import annotations

from collections.abc import Sequence

from ftplan.errors import Infeasible
from ftplan.fit.result import Fit
from ftplan.plan import make_plan, with_budget
from ftplan.plan.problem import Problem
from ftplan.plan.result import Plan
from ftplan.units import Budget


def budget_sweep(problem: Problem, fit: Fit, budgets: Sequence[Budget]) -> list[Plan | Infeasible]:
    """The optimal plan under each budget in place of the problem's own of that kind, or why there is none."""
    out: list[Plan | Infeasible] = []
    for budget in budgets:
        try:
            out.append(make_plan(with_budget(problem, budget), fit))
        except Infeasible as error:
            out.append(error)
    return out
