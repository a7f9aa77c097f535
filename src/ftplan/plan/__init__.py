"""The best data plan under every budget given: `make_plan`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ftplan.costs.model import as_selector
from ftplan.errors import InputError
from ftplan.fit import predictor
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan.allowed import Allowed, allowed
from ftplan.plan.assumed import extended
from ftplan.plan.batches import Batches
from ftplan.plan.evaluator import Evaluator
from ftplan.plan.explain import explain
from ftplan.plan.points import Points, free_points, held_points
from ftplan.plan.problem import Problem
from ftplan.plan.refuse import refusal
from ftplan.plan.result import Plan
from ftplan.plan.search import Candidate, Search
from ftplan.plan.trials import every_pair
from ftplan.pool import Pool
from ftplan.units import Budget, format_flops

__all__ = ["PlanSetup", "Problem", "as_selector", "make_plan", "set_up", "solve", "with_budget"]


@dataclass(frozen=True)
class PlanSetup:
    """A problem ready to be searched: its choices and points, with the fit's predictor."""

    problem: Problem
    fit: Fit
    #: of the fit: the runs to plan for
    series: SeriesFit
    #: what a plan may vary, and why not the rest
    space: Allowed
    #: every choice at every point, under the problem's budgets
    search: Search


def make_plan(problem: Problem, fit: Fit) -> Plan:
    """The optimum over everything the fit identifies or the problem assumes, with what an engineer asks next.

    Raises Infeasible when no example is affordable or the target is out of reach, InputError for a question that
    the fit cannot carry.
    """
    return solve(set_up(problem, fit))


def set_up(problem: Problem, fit: Fit) -> PlanSetup:
    """Everything about a problem that its budgets do not change. Raises as `make_plan` does."""
    if not problem.budgets and problem.target is None:
        raise InputError(
            "no budget and no target: nothing limits the plan", hint="--budget 1e18flops, 64gpuh or 500usd"
        )
    series = series_of(fit, problem.series)
    model = predictor(fit, series.key)
    space = allowed(problem, fit, series, model)
    pool = problem.cut.pool
    points = _points(problem, space, model, pool)
    batches = Batches(pool, points.bands, *problem.batched)
    law = extended(model, space.choices)
    evaluator = Evaluator(space.choices, points, batches, law, fit.counts, problem.risk)
    return PlanSetup(problem, fit, series, space, Search(evaluator, problem.budgets, problem.target))


def solve(setup: PlanSetup) -> Plan:
    """The plan of a problem that is set up. Raises Infeasible."""
    found = setup.search.best_of_each()
    if not found:
        raise refusal(setup.search)
    notes = (*setup.space.notes, *_beyond(setup.search, found))
    space = replace(setup.space, notes=notes)
    return explain(setup.problem, setup.fit, setup.series, space, setup.search, found)


def series_of(fit: Fit, key: str) -> SeriesFit:
    """The series to plan for; InputError where the name is unknown or one has to be chosen."""
    if not key and len(fit.series) == 1:
        return fit.series[0]
    for series in fit.series:
        if series.key == key:
            return series
    known = ", ".join(s.key for s in fit.series)
    what = f"the fit has no series {key!r}" if key else f"the fit has {len(fit.series)} series"
    raise InputError(what, hint=f"--series, one of: {known}")


def _points(problem: Problem, space: Allowed, model: Predictor, pool: Pool) -> Points:
    """All points inside the measured range where length may vary; else those at one length."""
    if problem.avg_tokens is not None:
        return held_points(pool, problem.avg_tokens)
    if space.varies_length:
        points = free_points(pool, *model.ranges["avg_tokens"])
        if len(points):
            return points
    return held_points(pool, pool.mean)


def _beyond(search: Search, found: list[Candidate]) -> list[str]:
    """Methods that no budget allows, with what scoring the pool alone would cost."""
    if search.target is not None:
        return []
    methods = {c.choice.method.name for c in found}
    out = []
    for name in dict.fromkeys(c.method.name for c in search.choices):
        if name not in methods:
            own = np.array([i for i, c in enumerate(search.choices) if c.method.name == name])
            bill = search.evaluator.bill(every_pair(own, np.arange(len(search.points))))
            least = int(np.argmin(bill.selection_flops))
            selector = search.choices[int(own[least // len(search.points)])].selector
            by = f" by {selector.name}" if selector else ""
            cost = format_flops(float(bill.selection_flops[least]))
            out.append(f"{name}{by} is beyond the budget: scoring alone costs {cost} FLOPs")
    return out


def with_budget(problem: Problem, budget: Budget) -> Problem:
    """The problem with one budget in place of that of its kind."""
    others = tuple(b for b in problem.budgets if b.kind != budget.kind)
    return replace(problem, budgets=(*others, budget))
