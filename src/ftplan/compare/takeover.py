"""Along the budget, with the selection models there are: the best method, where each takes over, and where more budget
stops being worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.compare.affordable import Affordable
from ftplan.compare.breakeven import Threshold, falls, rises, threshold
from ftplan.compare.ratios import LEAD, LEFT, advantage
from ftplan.compare.supported_methods import SupportedMethod, SupportedMethods
from ftplan.laws.parts import Floats
from ftplan.plan.explain import predict
from ftplan.plan.points import Index
from ftplan.plan.result import Prediction
from ftplan.plan.search import Candidate
from ftplan.plan.trials import Trials
from ftplan.units import Budget

#: steps of the budget from one to its double, for crossings: 6 % each, and interpolated between
STEPS = 12
#: a doubling may miss its step, and a number of examples a whole one, by a rounding error
ROUNDING = 1e-9


@dataclass(frozen=True)
class BestMethod:
    """The best method under one budget, None where it buys nothing. share: of draws in which it is the best."""

    budget: Budget
    plan: Candidate | None = None
    prediction: Prediction | None = None
    share: float = 0.0


@dataclass(frozen=True)
class TakeOver:
    """From which budget on, and up to which, a method beats all that score more cheaply.

    selector: the selection model there, '' where it needs none; against: the best of the others there; lead: share of
    the budget that they are given on top.
    """

    method: str
    selector: str
    against: str
    lead: float
    pays_from: Threshold
    pays_to: Threshold


@dataclass(frozen=True)
class Tipping:
    """The budget from which on doubling it improves the metric by less than `gain`; method '' for the best of all."""

    method: str
    gain: float
    budget: Threshold


@dataclass(frozen=True)
class _Curve:
    """What the best real choice of a method affords under each budget: (b,), and its draws (B, b)."""

    affordable: Affordable
    value: Floats
    draws: Floats


def _curve(found: SupportedMethods, method: SupportedMethod, budgets: Sequence[Budget]) -> _Curve:
    affordable = found.by_budget.evaluate(found.by_budget.candidates(method.real), budgets)
    best = affordable.best_of([np.arange(affordable.value.shape[1])])
    return _Curve(best, best.value[:, 0], found.by_budget.draws(best)[:, :, 0])


def _fine(budgets: Sequence[Budget], doublings: float) -> list[Budget]:
    """From the first budget on, STEPS to a doubling, to the last one and so many doublings beyond."""
    first, last = budgets[0], budgets[-1]
    steps = int(np.floor(STEPS * (np.log2(last.limit / first.limit) + doublings) + ROUNDING))
    return [Budget(first.kind, first.limit * 2.0 ** (k / STEPS)) for k in range(steps + 1)]


def frontier(found: SupportedMethods, budgets: Sequence[Budget]) -> tuple[BestMethod, ...]:
    """The best method under each budget, its plan, and how often it is the best among the draws."""
    curves = [_curve(found, method, budgets) for method in found.methods]
    value = np.stack([c.value for c in curves], axis=1)
    draws = np.stack([c.draws for c in curves], axis=2)
    out = []
    for i, budget in enumerate(budgets):
        best = int(np.argmin(value[i]))
        if not np.isfinite(value[i, best]):
            out.append(BestMethod(budget))
            continue
        plan = _candidate(found, curves[best].affordable, i)
        # at N = P_e methods are one plan under several names: a draw that ties is won by this one
        share = float(np.mean(draws[:, i, best] <= draws[:, i].min(axis=1)))
        out.append(BestMethod(budget, plan, predict(found.setup.problem, found.by_budget.search, plan), share))
    return tuple(out)


def _candidate(found: SupportedMethods, affordable: Affordable, budget: int) -> Candidate:
    """What is afforded, in whole examples."""
    examples = np.floor(affordable.examples[budget] * (1.0 + ROUNDING))
    return found.by_budget.search.candidate(Trials(affordable.choice[budget], affordable.point[budget], examples))


def take_overs(found: SupportedMethods, budgets: Sequence[Budget], level: float) -> tuple[TakeOver, ...]:
    """For every method but random, at equal totals and with the lead demanded."""
    out = []
    for k, method in enumerate(found.methods[1:], start=1):
        # what costs nothing is held against random; of the others each against all that are cheaper
        rivals = [a for a in found.methods[:k] if a.cheapest < method.cheapest or a.name == "random"]
        grid = _with_edge(found, method, _fine(budgets, 0.0), budgets[-1])
        own = _curve(found, method, grid)
        for lead in (0.0, LEAD):
            more = [Budget(b.kind, b.limit * (1.0 + lead)) for b in grid]
            out.append(_take_over(method, grid, own, rivals, [_curve(found, a, more) for a in rivals], lead, level))
    return tuple(out)


def _with_edge(
    found: SupportedMethods, method: SupportedMethod, budgets: Sequence[Budget], last: Budget
) -> list[Budget]:
    """Budgets to the last one, with further steps just above what scoring takes, where the metric falls steeply."""
    affordable = found.by_budget.evaluate(found.by_budget.candidates(method.real), budgets[-1:])
    # cost is linear in examples: the budget is scoring and what is afforded after it
    scoring = float((affordable.scoring / (affordable.scoring + affordable.afforded)).min()) * budgets[-1].limit
    limits = {b.limit for b in budgets} | {float(v) for v in scoring / (1.0 - LEFT)} | {last.limit}
    first = budgets[0]
    return [Budget(first.kind, v) for v in sorted(limits) if first.limit <= v <= last.limit]


def _take_over(
    method: SupportedMethod,
    grid: Sequence[Budget],
    own: _Curve,
    rivals: Sequence[SupportedMethod],
    others: Sequence[_Curve],
    lead: float,
    level: float,
) -> TakeOver:
    limits = np.array([b.limit for b in grid])
    best = np.min([c.value for c in others], axis=0)
    point = advantage(own.value, best)
    drawn = others[0].draws
    for other in others[1:]:
        drawn = np.minimum(drawn, other.draws)
    first, last = (
        threshold(limits, float(cross(limits, point[None])[0]), cross(limits, advantage(own.draws, drawn)), level)
        for cross in (rises, falls)
    )
    # where there is no crossing, the middle of the range is described
    crossing = limits[len(limits) // 2] if first.estimate == np.inf else max(first.estimate, limits[0])
    at = int(np.searchsorted(limits, crossing))
    against = rivals[int(np.argmin([c.value[at] for c in others]))].name
    selector = own.affordable.selector(at, 0)
    return TakeOver(method.name, selector.name if selector else "", against, lead, first, last)


def tipping(found: SupportedMethods, budgets: Sequence[Budget], gain: float, level: float) -> tuple[Tipping, ...]:
    """For the best of all methods, then for each: from where on no doubling within the range brings `gain`."""
    grid = _fine(budgets, 1.0)
    limits = np.array([b.limit for b in grid])
    curves = [_curve(found, method, grid) for method in found.methods]
    best: Index = np.argmin([c.value for c in curves], axis=0)
    every = np.arange(len(grid))
    overall = (
        np.stack([c.value for c in curves])[best, every],
        np.stack([c.draws for c in curves], axis=1)[:, best, every],
    )
    each = [("", overall), *((a.name, (c.value, c.draws)) for a, c in zip(found.methods, curves, strict=True))]
    return tuple(Tipping(name, gain, _tips(limits, point, draws, gain, level)) for name, (point, draws) in each)


def _tips(limits: Floats, point: Floats, draws: Floats, gain: float, level: float) -> Threshold:
    begin = limits[:-STEPS]
    estimate = float(rises(begin, _below(point[None], gain))[0])
    return threshold(begin, estimate, rises(begin, _below(draws, gain)), level)


def _below(value: Floats, gain: float) -> Floats:
    """(B, g - STEPS) by how much less than `gain` every doubling from here on brings; value (B, g), as a loss."""
    with np.errstate(invalid="ignore"):
        doubled = value[:, :-STEPS] - value[:, STEPS:]
    # nothing affordable before, or nothing after it either: no doubling that was too small
    doubled = np.where(np.isfinite(doubled), doubled, np.inf)
    return gain - np.maximum.accumulate(doubled[:, ::-1], axis=1)[:, ::-1]
