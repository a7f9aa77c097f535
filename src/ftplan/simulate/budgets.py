"""The optimal plan over a sweep of budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ftplan.errors import Infeasible
from ftplan.fit.result import Fit
from ftplan.plan import set_up, solve, with_budget
from ftplan.plan.problem import Problem
from ftplan.plan.result import Plan
from ftplan.units import Budget


def budget_sweep(problem: Problem, fit: Fit, budgets: Sequence[Budget]) -> list[Plan | Infeasible]:
    """The optimal plan under each budget in place of the problem's own of that kind, or why there is none."""
    if not budgets:
        return []
    setup = set_up(with_budget(problem, budgets[0]), fit)
    out: list[Plan | Infeasible] = []
    for budget in budgets:
        one = with_budget(problem, budget)
        try:
            out.append(solve(replace(setup, problem=one, search=replace(setup.search, limits=one.budgets))))
        except Infeasible as error:
            out.append(error)
    return out
