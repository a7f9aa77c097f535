"""How many times larger than its selection model the trained model must be for selection to pay, budget by budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.compare.affordable import Affordable, BudgetSearch
from ftplan.compare.breakeven import Threshold, falls, rises, threshold
from ftplan.compare.supported_methods import SupportedMethod, SupportedMethods
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats
from ftplan.plan.points import Index
from ftplan.units import Budget

#: training-to-selection ratios looked at: from a selection model ten times as large to one a thousand times smaller
LEAST_RATIO, MOST_RATIO = 0.1, 1000.0
#: 15 steps a decade, and crossings are interpolated between them; the map shows these
RATIOS = 61
#: where scoring takes nearly the whole budget, the metric falls steeply: further steps, evenly in the logarithm of what
#: is left to train with
LEFT = np.geomspace(1e-4, 0.9, 40)
#: What counts as paying, beside breaking even: worth 5 % more budget of the rival. Costs are known to about 3 %
#: (`affordable.COST_SD`), so that less than this may be an error of theirs.
LEAD = 0.05


@dataclass(frozen=True)
class Ratio:
    """From which ratio on, and up to which, a method beats its rivals at one budget.

    against: 'random', or 'cheaper': in each draw the best of all methods that score more cheaply, at the same ratio;
    lead: share of the budget that they are given on top.
    """

    method: str
    budget: Budget
    against: str
    lead: float
    pays_from: Threshold
    pays_to: Threshold


@dataclass(frozen=True)
class Heat:
    """The best method for every budget (b) and ratio (r). best: (b, r) index into methods, -1 where the budget buys
    nothing; share: (b, r) of draws in which it is; value: (b, r) its expected metric; whole: (b, r) where it takes the
    whole pool, so that nothing is left to choose.
    """

    methods: tuple[str, ...]
    budgets: tuple[Budget, ...]
    ratios: Floats
    best: Index
    share: Floats
    value: Floats
    whole: Bools


def every_ratio() -> Floats:
    """(RATIOS,) ascending."""
    return np.geomspace(LEAST_RATIO, MOST_RATIO, RATIOS)


def advantage(own: Floats, rival: Floats) -> Floats:
    """By how much `own` beats `rival`, both as losses, infinite where a budget buys nothing: then there is no lead."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isfinite(own), rival - own, -np.inf))


def ratios(found: SupportedMethods, budgets: Sequence[Budget], level: float) -> tuple[Ratio, ...]:
    """Of every method whose size effect the runs tell, at each budget: against random, and against all cheaper ones."""
    out = []
    for method in (a for a in found.methods if a.any_size.size):
        cheaper = [a for a in _comparable(found) if a.per_size < method.per_size]
        random = [a for a in cheaper if a.name == "random"]
        rivals = [("random", random)] + ([("cheaper", cheaper)] if len(cheaper) > len(random) else [])
        for budget in budgets:
            sweep = _Sweep(found, _grid(found, method, budget), budget)
            own = sweep.of(method, 0.0)
            for against, others in rivals:
                out += [sweep.ratio(method.name, own, against, others, lead, level) for lead in (0.0, LEAD)]
    return tuple(out)


def _comparable(found: SupportedMethods) -> list[SupportedMethod]:
    """Methods that have a place at every ratio: of any size, or without a selection model."""
    return [a for a in found.methods if a.any_size.size or not a.method.needs_model]


def _grid(found: SupportedMethods, method: SupportedMethod, budget: Budget) -> Floats:
    """Ratios, ascending: the common ones, and those at which scoring leaves LEFT of the budget."""
    one = found.by_budget.evaluate(found.by_budget.sized(method.any_size, np.ones(1)), [budget])
    # examples are linear in S: as many as scoring with one parameter costs, from all that could be had
    per_size = float((one.scoring / (one.afforded + one.scoring)).min())
    sizes = (1.0 - LEFT) / per_size
    every = np.concatenate([every_ratio(), found.model_params / sizes])
    return np.unique(every[(every >= LEAST_RATIO) & (every <= MOST_RATIO)])


def _best(by_budget: BudgetSearch, method: SupportedMethod, sizes: Floats, budgets: Sequence[Budget]) -> Affordable:
    """What a method affords with a selection model of each size (b, s); (b, 1) where it needs none."""
    candidates = by_budget.sized(method.any_size, sizes) if method.any_size.size else by_budget.candidates(method.real)
    groups = np.arange(len(candidates.pairs)).reshape(len(sizes) if method.any_size.size else 1, -1)
    return by_budget.evaluate(candidates, budgets).best_of(list(groups))


@dataclass(frozen=True)
class _Sweep:
    """Ratios (r,) under one budget."""

    found: SupportedMethods
    ratios: Floats
    budget: Budget

    def of(self, method: SupportedMethod, lead: float) -> tuple[Floats, Floats]:
        """(1, r) and (B, r), or one column, the metric of a method with so much more budget: expected, and drawn."""
        budget = Budget(self.budget.kind, self.budget.limit * (1.0 + lead))
        best = _best(self.found.by_budget, method, self.found.model_params / self.ratios, [budget])
        return best.value, self.found.by_budget.draws(best)[:, 0]

    def ratio(
        self,
        name: str,
        own: tuple[Floats, Floats],
        against: str,
        rivals: Sequence[SupportedMethod],
        lead: float,
        level: float,
    ) -> Ratio:
        others = [self.of(method, lead) for method in rivals]
        best, drawn = others[0]
        for point, draws in others[1:]:
            best, drawn = np.minimum(best, point), np.minimum(drawn, draws)
        first, last = (
            threshold(
                self.ratios,
                float(cross(self.ratios, advantage(own[0], best))[0]),
                cross(self.ratios, advantage(own[1], drawn)),
                level,
            )
            for cross in (rises, falls)
        )
        return Ratio(name, self.budget, against, lead, first, last)


def heat(found: SupportedMethods, budgets: Sequence[Budget]) -> Heat | None:
    """The map; None where nothing tells what the size of a selection model does."""
    methods = _comparable(found)
    if not any(a.any_size.size for a in methods):
        return None
    every = every_ratio()
    affordable = [_best(found.by_budget, method, found.model_params / every, budgets) for method in methods]
    value = np.stack(np.broadcast_arrays(*(b.value for b in affordable)), axis=-1)
    drawn = [found.by_budget.draws(b) for b in affordable]
    best, least = np.argmin(value, axis=-1), value.min(axis=-1)
    share = np.empty(best.shape)
    for i in range(len(budgets)):
        draws = np.stack(np.broadcast_arrays(*(d[:, i] for d in drawn)), axis=-1)
        own = np.take_along_axis(draws, best[i][None, :, None], axis=-1)[..., 0]
        # at N = P_e methods are one plan under several names: a draw that ties is won by this one
        share[i] = np.mean(own <= draws.min(axis=-1), axis=0)
    sign = found.by_budget.search.evaluator.predictor.sign
    left = [b.examples < found.by_budget.search.points.eligible[b.point] for b in affordable]
    whole = ~np.take_along_axis(np.stack(np.broadcast_arrays(*left), axis=-1), best[:, :, None], axis=-1)[:, :, 0]
    return Heat(
        methods=tuple(a.name for a in methods),
        budgets=tuple(budgets),
        ratios=every,
        best=np.where(np.isfinite(least), best, -1),
        share=share,
        value=np.asarray(sign * least),
        whole=whole,
    )
