"""What a method buys under a budget: its examples, at the length that is best for it, and what they are worth.

A plan is looked for among all points of a pool, one budget at a time (`plan.search`). Here one method stands under many
budgets with selection models of any size, so lengths are thinned, the whole budget is spent, and examples are not
rounded to whole ones: a break-even is a crossing of two smooth curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from ftplan.costs.bill import cost_of
from ftplan.costs.model import Selector
from ftplan.laws.parts import Floats
from ftplan.plan.evaluator import BLOCK, Evaluator
from ftplan.plan.points import Index, Points
from ftplan.plan.search import Search
from ftplan.plan.trials import Trials, every_pair
from ftplan.units import Budget

#: lengths looked at: neighbours are about two per cent apart, and the metric is mostly flat around its best length
MOST_LENGTHS = 128
#: standard deviation of what scoring costs beside training, in its logarithm: the perplexity formula is within 3 % of
#: the published runs, training within 1.6 % of a count (`selection.perplexity`, `costs.training`). Without it a
#: break-even that is mostly arithmetic would claim to be known to a fraction of a per cent.
COST_SD = 0.03


@dataclass(frozen=True)
class Candidates:
    """k ways to spend on one method: every one of the evaluator's choices that are meant at every point."""

    evaluator: Evaluator
    pairs: Trials


@dataclass(frozen=True)
class Affordable:
    """What b budgets afford of k candidates: arrays (b, k)."""

    evaluator: Evaluator
    #: indices of the evaluator's choices and points
    choice: Index
    point: Index
    #: examples that are left to pay for after scoring, however many there are
    afforded: Floats
    #: examples that would cost as much as scoring does
    scoring: Floats
    examples: Floats
    #: expected metric, oriented so that less is better, inf where the budget buys nothing
    value: Floats

    def best_of(self, groups: Sequence[Index]) -> Affordable:
        """The best of each group of candidates under every budget: arrays (b, groups)."""
        best = np.stack([own[np.argmin(self.value[:, own], axis=1)] for own in groups], axis=1)
        arrays = (getattr(self, f.name) for f in fields(self)[1:])
        return Affordable(self.evaluator, *(np.take_along_axis(a, best, axis=1) for a in arrays))

    def trials(self, places: tuple[Index, ...]) -> Trials:
        """What is afforded at these places, (n,)."""
        return Trials(self.choice[places], self.point[places], self.examples[places])

    def selector(self, *place: int) -> Selector | None:
        """The selection model of what is afforded at one place."""
        return self.evaluator.choices[int(self.choice[place])].selector


@dataclass(frozen=True)
class BudgetSearch:
    """One problem with a fit's draws. seed: of the draws of what scoring costs."""

    search: Search
    seed: int

    @cached_property
    def cost_noise(self) -> Floats:
        """(B,) factor on what scoring costs, one for each draw of the fit."""
        rng = np.random.default_rng(self.seed + 3)
        return np.exp(COST_SD * rng.standard_normal(self.search.evaluator.predictor.n_draws))

    def candidates(self, choices: Sequence[int] | Index) -> Candidates:
        """Every choice at every point, choice by choice."""
        own = self.search.evaluator
        return Candidates(own, every_pair(np.asarray(choices, dtype=np.intp), np.arange(len(own.points))))

    def sized(self, choices: Sequence[int] | Index, sizes: Floats) -> Candidates:
        """Choices (one method, each with another number of epochs) with selection models of `sizes` parameters (s,), at
        every point: size by size, s·choices·points in all.
        """
        own = self.search.evaluator
        made = [(i, replace(own.choices[i], selector=Selector("", s, s, ""))) for s in sizes for i in choices]
        law = replace(own.law, method=tuple(own.law.method[i] for i, _ in made))
        evaluator = replace(own, choices=tuple(choice for _, choice in made), law=law)
        return Candidates(evaluator, every_pair(np.arange(len(made)), np.arange(len(own.points))))

    def evaluate(self, candidates: Candidates, budgets: Sequence[Budget]) -> Affordable:
        """Every candidate under each budget, all of one kind."""
        own, pairs = candidates.evaluator, candidates.pairs
        scored, one = (cost_of(own.bill(pairs.of(n)), budgets[0]) for n in (0.0, 1.0))
        slope = one - scored
        afforded = (np.array([b.limit for b in budgets])[:, None] - scored) / slope
        examples = np.minimum(afforded, own.points.most[pairs.point])
        examples = np.where(examples >= 1.0, examples, 0.0)
        shape = examples.shape
        choice, point = np.broadcast_to(pairs.choice, shape), np.broadcast_to(pairs.point, shape)
        scoring = np.broadcast_to(scored / slope, shape)
        found = Affordable(own, choice, point, afforded, scoring, examples, np.full(shape, np.inf))
        able = np.nonzero(examples)
        if len(able[0]):
            found.value[able] = own.expected(found.trials(able))
        return found

    def draws(self, found: Affordable) -> Floats:
        """(B, b, k) the metric of what is afforded under each draw of the fit and of what scoring costs, as a loss."""
        count = self.search.evaluator.predictor.n_draws
        places = np.flatnonzero(found.examples)
        out = np.full((count, found.examples.size), np.inf)
        step = max(1, BLOCK // count)
        for i in range(0, len(places), step):
            some = places[i : i + step]
            out[:, some] = self._drawn(found, np.unravel_index(some, found.examples.shape))
        return out.reshape(count, *found.examples.shape)

    def _drawn(self, found: Affordable, able: tuple[Index, ...]) -> Floats:
        """(B, n) the draws at some places."""
        model = found.evaluator.law.drawn
        rows = found.evaluator.rows(found.trials(able))
        if not found.scoring[able].any():
            return np.asarray(model.sign * model.draws(rows))
        dearer = (self.cost_noise - 1.0)[:, None] * found.scoring[able]
        examples = np.minimum(found.afforded[able] - dearer, found.evaluator.points.most[found.point[able]])
        # the features of so many examples from those of the expected number
        more = np.log(np.maximum(examples, 1.0) / found.examples[able])
        moved = replace(rows, t=rows.t + more, ln_pool=rows.ln_pool - np.where(rows.method > 0, more, 0.0))
        return np.where(examples >= 1.0, model.sign * model.draws(moved), np.inf)


def thinned(search: Search) -> Search:
    """The search with few points, each batched: at most MOST_LENGTHS lengths; in a small pool the mean of all rows."""
    points = search.points
    if points.fixed:
        pool = search.batches.pool
        whole = pool.bands_at(np.array([0]), np.array([len(pool.lengths)]))
        points = Points(whole, np.zeros(1, np.intp), whole.mean, np.ones(1), whole.examples.astype(np.float64))
    else:
        wanted = np.linspace(0, len(points) - 1, min(len(points), MOST_LENGTHS)).round().astype(np.intp)
        points = points.take(wanted)
    evaluator = replace(search.evaluator.at(points), risk=None)
    evaluator.batches.make_exact(np.unique(points.band))
    return replace(search, evaluator=evaluator, target=None)
