"""Selection methods over a range of budgets and of training-to-selection size ratios: `compare_methods`.

Everything is a difference at equal totals: both sides spend the same budget, one of them a part of it on scoring. A
method pays where it predicts better than its rival does with a budget larger by the lead demanded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from ftplan.compare.arithmetic import Arithmetic, arithmetic
from ftplan.compare.ratios import Heat, Ratio, heat, ratios
from ftplan.compare.supported_methods import SupportedMethods, supported_methods
from ftplan.compare.takeover import BestMethod, TakeOver, Tipping, frontier, take_overs, tipping
from ftplan.errors import InputError
from ftplan.fit.result import Fit
from ftplan.plan.lengths import ends
from ftplan.plan.notes import assumptions, measured_on, warnings
from ftplan.plan.problem import Problem
from ftplan.plan.result import Assumption
from ftplan.plan.search import Candidate
from ftplan.runs import Metric
from ftplan.units import Budget, format_budget


@dataclass(frozen=True)
class MethodComparison:
    """All answers, under `budgets` and under `own`, the problem's own one that screens show the ratios of.

    why_not: method -> why its ratio cannot be told; measured: method -> training-to-selection ratios of the runs'
    selection models for this trained model, ascending.
    """

    problem: Problem
    metric: Metric
    own: Budget
    budgets: tuple[Budget, ...]
    model_params: float
    frontier: tuple[BestMethod, ...]
    take_overs: tuple[TakeOver, ...]
    ratios: tuple[Ratio, ...]
    heat: Heat | None
    why_not: dict[str, str]
    measured: dict[str, tuple[float, ...]]
    tipping: tuple[Tipping, ...]
    arithmetic: tuple[Arithmetic, ...]
    measured_on: str
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]


def compare_methods(
    problem: Problem, fit: Fit, budgets: Sequence[Budget], *, gain: float | None = None, explain: bool = False
) -> MethodComparison:
    """Methods under `budgets`, ascending and of one kind. gain: what a doubling must bring, in the metric's unit.

    Its default is the residual standard deviation of the fit: a smaller gain cannot be seen in one run. Raises
    InputError where nothing but random selection is supported, or a budget cannot be counted.
    """
    if budgets[0].kind == "examples":
        raise InputError(
            "a budget of examples says nothing of what scoring costs", hint="--from 1e17flops --to 1e19flops"
        )
    own = next((b for b in problem.budgets if b.kind == budgets[0].kind), None) or budgets[len(budgets) // 2]
    found = supported_methods(problem, fit, own)
    series, level, search = found.setup.series, problem.level, found.by_budget.search
    predictor = search.evaluator.predictor
    points = frontier(found, budgets)
    overs = take_overs(found, budgets, level)
    by_ratio = ratios(found, sorted({*budgets, own}, key=lambda b: b.limit), level)
    near = min(points, key=lambda p: (p.plan is None, abs(log(p.budget.limit / own.limit))))
    space = found.setup.space
    doubts = warnings(problem, fit, series, space, search, near.plan) if near.plan else space.notes
    return MethodComparison(
        problem=problem,
        metric=predictor.metric,
        own=own,
        budgets=tuple(budgets),
        model_params=found.model_params,
        frontier=points,
        take_overs=overs,
        ratios=by_ratio,
        heat=heat(found, budgets),
        why_not={a.name: a.why_not for a in found.methods if a.method.needs_model and a.why_not},
        measured={m: tuple(sorted(found.model_params / s for s in sizes)) for m, sizes in found.measured.items()},
        tipping=tipping(found, budgets, series.residual_sd if gain is None else gain, level),
        arithmetic=arithmetic(found, own, overs, by_ratio) if explain else (),
        measured_on=measured_on(problem, fit, series, predictor, near.plan) if near.plan else "",
        assumptions=_assumed(found, near.plan) if near.plan else space.assumptions,
        warnings=(*_left_out(problem, own), *found.left_out, *doubts),
    )


def _assumed(found: SupportedMethods, plan: Candidate) -> tuple[Assumption, ...]:
    setup, search = found.setup, found.by_budget.search
    return assumptions(setup.problem, setup.fit, setup.series, setup.space, plan, ends(setup.problem, search, plan))


def _left_out(problem: Problem, own: Budget) -> tuple[str, ...]:
    """What the problem asks for that a comparison over budgets does not keep to."""
    others = [format_budget(b.kind, b.limit) for b in problem.budgets if b.kind != own.kind]
    out = [f"the other limits are left out: {', '.join(others)}"] if others else []
    return (*out, *(["the target is left out"] if problem.target is not None else []))
