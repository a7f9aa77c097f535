"""What a method buys under a budget: its examples, at the length that is best for it, and what they are worth.

A plan is looked for among all points of a pool, one budget at a time (`plan.search`). Here one method stands under many
budgets with selection models of any size, so lengths are thinned, the whole budget is spent, and examples are not
rounded to whole ones: a break-even is a crossing of two smooth curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import cast

import numpy as np

from ftplan.costs.bill import plan_cost
from ftplan.costs.model import Selector
from ftplan.laws.parts import Floats, Rows
from ftplan.plan.batches import Batches
from ftplan.plan.ledger import Scoring, cost_of
from ftplan.plan.points import Index, Points
from ftplan.plan.score import BLOCK
from ftplan.plan.search import Search
from ftplan.units import Budget

#: lengths looked at: neighbours are about two per cent apart, and the metric is mostly flat around its best length
MOST_LENGTHS = 128
#: standard deviation of what scoring costs beside training, in its logarithm: the perplexity formula is within 3 % of
#: the published runs, training within 1.6 % of a count (`selection.perplexity`, `costs.training`). Without it a
#: break-even that is mostly arithmetic would claim to be known to a fraction of a per cent.
COST_SD = 0.03


@dataclass(frozen=True)
class Offers:
    """k ways to spend on one method, arrays (k,). choice: index into the search's choices, for method and epochs;
    selector_params: S, 0 where none is needed; scoring_flops: for all rows of the point's band.
    """

    choice: Index
    point: Index
    selector_params: Floats
    scoring_flops: Floats


@dataclass(frozen=True)
class Bought:
    """b budgets, k offers: arrays (b, k). afforded: examples that are left to pay for after scoring, however many there
    are; scoring: examples that would cost as much as scoring does; value: expected metric, turned so that less is
    better, inf where the budget buys nothing.
    """

    choice: Index
    point: Index
    selector_params: Floats
    afforded: Floats
    scoring: Floats
    examples: Floats
    value: Floats

    def best_of(self, groups: Sequence[Index]) -> Bought:
        """The best of each group of offers under every budget: arrays (b, groups)."""
        best = np.stack([own[np.argmin(self.value[:, own], axis=1)] for own in groups], axis=1)
        return Bought(*(np.take_along_axis(getattr(self, f.name), best, axis=1) for f in fields(self)))


@dataclass(frozen=True)
class Shop:
    """One problem with a fit's draws. seed: of the draws of what scoring costs."""

    search: Search
    seed: int

    @cached_property
    def cost_noise(self) -> Floats:
        """(B,) factor on what scoring costs, one for each draw of the fit."""
        rng = np.random.default_rng(self.seed + 3)
        return np.exp(COST_SD * rng.standard_normal(self.search.scorer.predictor.n_draws))

    def offers(self, choices: Sequence[int] | Index) -> Offers:
        """Every choice at every point, choice by choice."""
        parts = [self.sized([i], None) for i in choices]
        return Offers(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Offers)))

    def sized(self, choices: Sequence[int] | Index, sizes: Floats | None) -> Offers:
        """Choices (one method, each with another number of epochs) with selection models of `sizes` parameters (s,), at
        every point: size by size, s·choices·points in all. None: with the model that each choice has.
        """
        points, bands = self.search.points, self.search.points.bands
        tokens, attention = bands.examples * bands.mean, bands.attention_tokens
        choice, point = (a.ravel() for a in np.meshgrid(choices, np.arange(len(points)), indexing="ij"))
        method, selector = (getattr(self.search.choices[choices[0]], name) for name in ("method", "selector"))
        scoring = cast(Scoring, method.selection_flops)
        if sizes is None:
            each = np.broadcast_to(np.float64(scoring(selector, tokens, attention)), tokens.shape)
            known = np.full(len(choice), selector.params if selector else 0.0)
            return Offers(choice, point, known, each[points.band[point]])
        flops = [np.asarray(scoring(Selector("", s, s, ""), tokens, attention))[points.band[point]] for s in sizes]
        count = len(sizes)
        return Offers(
            np.tile(choice, count), np.tile(point, count), np.repeat(sizes, len(choice)), np.concatenate(flops)
        )

    def buy(self, offers: Offers, budgets: Sequence[Budget]) -> Bought:
        """Every offer under each budget, all of one kind."""
        none, one = (self._cost(offers, n, budgets[0]) for n in (0.0, 1.0))
        slope = one - none
        limits = np.array([b.limit for b in budgets])[:, None]
        afforded = (limits - none) / slope
        examples = np.minimum(afforded, self.search.points.most[offers.point])
        examples = np.where(examples >= 1.0, examples, 0.0)
        shape = examples.shape
        found = Bought(
            np.broadcast_to(offers.choice, shape),
            np.broadcast_to(offers.point, shape),
            np.broadcast_to(offers.selector_params, shape),
            afforded,
            np.broadcast_to(
                (none - self._cost(replace(offers, scoring_flops=0.0 * offers.scoring_flops), 0.0, budgets[0])) / slope,
                shape,
            ),
            examples,
            np.full(shape, np.inf),
        )
        able = np.nonzero(examples)
        if len(able[0]):
            found.value[able] = self.search.scorer.expected_at(self.rows(found, able))
        return found

    def _cost(self, offers: Offers, examples: float, budget: Budget) -> Floats:
        """(k,) cost of so many examples of each offer, in the budget's unit."""
        search = self.search
        points, batches, choices = search.points, search.batches, search.choices
        band, scale = points.band[offers.point], points.scale[offers.point]
        epochs = np.array([c.epochs for c in choices])
        bill = plan_cost(
            choices[int(offers.choice[0])].trained.job,
            examples=np.full(len(band), examples),
            avg_tokens=points.avg_tokens[offers.point],
            epochs=epochs[offers.choice],
            computed_tokens=batches.computed[band] * scale,
            attention_tokens=batches.attention[band],
            selection_flops=offers.scoring_flops,
        )
        return cost_of(bill, budget)

    def rows(self, found: Bought, able: tuple[Index, ...]) -> Rows:
        """Features of what was bought at these places, (n,) each."""
        choice, point = found.choice[able], found.point[able]
        scorer = self.search.scorer
        epochs = np.array([c.epochs for c in self.search.choices])
        parts, places = [], []
        # choices of one method may go by several names where something is assumed of each
        names = np.array([scorer.law.method[i] for i in range(len(self.search.choices))])[choice]
        for name in dict.fromkeys(names.tolist()):
            own = np.flatnonzero(names == name)
            places.append(own)
            parts.append(
                scorer.predictor.design(
                    examples=found.examples[able][own],
                    avg_tokens=self.search.points.avg_tokens[point[own]],
                    epochs=epochs[choice[own]],
                    method=str(name),
                    selector_params=found.selector_params[able][own],
                    eligible=self.search.points.eligible[point[own]],
                    model_params=self.search.choices[int(choice[0])].trained.size,
                    counts=scorer.counts,
                )
            )
        order = np.argsort(np.concatenate(places), kind="stable")
        return Rows(**{f.name: np.concatenate([getattr(p, f.name) for p in parts])[order] for f in fields(Rows)})

    def draws(self, found: Bought) -> Floats:
        """(B, b, k) the metric of what was bought under each draw of the fit and of what scoring costs, turned."""
        count = self.search.scorer.predictor.n_draws
        places = np.flatnonzero(found.examples)
        out = np.full((count, found.examples.size), np.inf)
        step = max(1, BLOCK // count)
        for i in range(0, len(places), step):
            some = places[i : i + step]
            out[:, some] = self._drawn(found, np.unravel_index(some, found.examples.shape))
        return out.reshape(count, *found.examples.shape)

    def _drawn(self, found: Bought, able: tuple[Index, ...]) -> Floats:
        """(B, n) the draws at some places."""
        model = self.search.scorer.law.drawn
        rows = self.rows(found, able)
        if not found.scoring[able].any():
            return np.asarray(model.sign * model.draws(rows))
        dearer = (self.cost_noise - 1.0)[:, None] * found.scoring[able]
        examples = np.minimum(found.afforded[able] - dearer, self.search.points.most[found.point[able]])
        # the features of so many examples from those of the expected number
        more = np.log(np.maximum(examples, 1.0) / found.examples[able])
        moved = replace(rows, t=rows.t + more, ln_pool=rows.ln_pool - np.where(rows.method > 0, more, 0.0))
        return np.where(examples >= 1.0, model.sign * model.draws(moved), np.inf)


def thinned(search: Search) -> Search:
    """The search with few points, each batched: at most MOST_LENGTHS lengths; in a small pool the mean of all rows."""
    points, batches = search.points, search.batches
    if points.fixed:
        pool = batches.pool
        whole = pool.bands_at(np.array([0]), np.array([len(pool.lengths)]))
        points = Points(whole, np.zeros(1, np.intp), whole.mean, np.ones(1), whole.examples.astype(np.float64))
        batches = Batches(pool, whole, batches.packing, batches.max_length, batches.batch_examples)
    else:
        wanted = np.linspace(0, len(points) - 1, min(len(points), MOST_LENGTHS)).round().astype(np.intp)
        points = points.take(wanted)
    batches.settle(np.unique(points.band))
    ledger = replace(search.ledger, points=points, batches=batches)
    return replace(search, ledger=ledger, scorer=replace(search.scorer, points=points, risk=None), target=None)
