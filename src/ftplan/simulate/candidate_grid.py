"""What a plan may be, whatever the law: lengths of the pool, and the most examples of each that the budgets allow.

No law says what anything costs, so this is worked out once, and a plan under any fit is the best row of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ftplan.costs.bill import cost_of
from ftplan.errors import Infeasible, InputError
from ftplan.fit.predictor import Predictor
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats, Rows
from ftplan.plan import PlanSetup
from ftplan.plan.points import Index, Points, free_points, held_points
from ftplan.plan.problem import Problem
from ftplan.plan.trials import every_pair
from ftplan.pool import Ints
from ftplan.units import Budget

#: lengths that plans choose between: the next one is 2 % away, and a plan that is off by 1 % loses nothing to speak of
MOST_LENGTHS = 160
#: lengths considered where the law was measured at one: this factor either side of the pool's mean
LENGTH_REACH = 3.0


@dataclass(frozen=True)
class CandidateGrid:
    """p plans, each a mean length L with the most examples N: the last one is the plain sample of the whole pool."""

    #: (p,) L
    avg_tokens: Floats
    #: (p,) the most N that the problem's budgets allow
    examples: Floats
    #: (p,) P_e
    eligible: Floats
    #: (p,) the length band that each is drawn from, tokens, inclusive
    low: Ints
    high: Ints
    #: (p,) of one example, in the unit of `kind`
    unit_cost: Floats
    #: the budget that pilot runs are paid from
    kind: str
    #: of every plan and pilot run
    epochs: float
    #: M of the trained model, as the runs count it
    size: float

    def __len__(self) -> int:
        return len(self.avg_tokens)

    @property
    def free(self) -> Bools:
        """(p,) all but the plain sample."""
        return np.asarray(np.arange(len(self)) < len(self) - 1)

    @property
    def mean(self) -> float:
        """The pool's mean length."""
        return float(self.avg_tokens[-1])

    def nearest(self, avg_tokens: Floats) -> Index:
        """(n,) the rows with these lengths, the plain sample before all others."""
        away = np.abs(np.log(self.avg_tokens[::-1] / avg_tokens[:, None]))
        return np.asarray(len(self) - 1 - np.argmin(away, axis=1))

    def rows(self, model: Predictor, plans: Index, examples: Floats) -> Rows:
        """Features of plans (indices) with these numbers of examples, as a fit sees them."""
        return model.design(
            examples=examples,
            avg_tokens=self.avg_tokens[plans],
            epochs=self.epochs,
            method="random",
            selector_params=0.0,
            eligible=self.eligible[plans],
            model_params=self.size,
            counts="tokens",
        )


def plain(problem: Problem) -> Problem:
    """The problem with nothing to decide but how many examples, and how long: what pilot runs here are about."""
    return replace(problem, methods=("random",), assume=(), models=(), tunings=(), risk=None, target=None)


def candidate_grid(setup: PlanSetup, epochs: float | None, model: Predictor, kind: str) -> CandidateGrid:
    """The grid of a plain problem. kind: the budget that pilots are paid from.

    epochs: of every plan in it, one of those that the problem leaves open; None for the first of them. Raises
    Infeasible where no example is affordable, InputError where costs cannot be counted.
    """
    problem = setup.problem
    place = next((i for i, c in enumerate(setup.space.choices) if c.epochs == epochs), 0)
    pool = problem.cut.pool
    low, high = model.ranges.get("avg_tokens", (pool.mean, pool.mean))
    if high < 2.0 * low:
        low, high = pool.mean / LENGTH_REACH, pool.mean * LENGTH_REACH
    free = _priced(setup, place, free_points(pool, low, high), kind)
    own = _thinned(free["avg_tokens"], free["examples"])
    plain_sample = _priced(setup, place, held_points(pool, pool.mean), kind)
    parts = [{name: column[own] for name, column in free.items()}, plain_sample]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if len(columns["examples"]) < 3 or not columns["examples"][-1] > 0.0:
        raise Infeasible(
            "the budget is below one example of the pool"
            if len(columns["examples"]) > 2
            else "the pool has examples of one length",
            hint="pilot runs are about how long examples should be, and how many that leaves room for",
        )
    choice = setup.space.choices[place]
    return CandidateGrid(**columns, kind=kind, epochs=choice.epochs, size=choice.trained.size)


def _thinned(avg_tokens: Floats, examples: Floats) -> Index:
    """At most MOST_LENGTHS, evenly in the logarithm of L: of those between two marks the one that the budgets buy most
    tokens of, since bands pack well or badly by luck and a search takes the lucky ones.
    """
    if not len(avg_tokens):
        return np.zeros(0, dtype=np.intp)
    marks = np.geomspace(avg_tokens.min(), avg_tokens.max(), MOST_LENGTHS)
    bins = np.clip(np.searchsorted(marks, avg_tokens, side="right"), 1, MOST_LENGTHS)
    order = np.lexsort((avg_tokens, -examples * avg_tokens, bins))
    first = np.unique(bins[order], return_index=True)[1]
    return np.asarray(np.sort(order[first]))


def _priced(setup: PlanSetup, choice: int, points: Points, kind: str) -> dict[str, Any]:
    """What a grid says of some points under one of the problem's choices."""
    evaluator = setup.search.evaluator.at(points)
    evaluator.batches.make_exact(points.band)
    pairs = every_pair(np.array([choice]), np.arange(len(points)))
    cost = np.ones(len(points)) if kind == "examples" else cost_of(evaluator.bill(pairs.of(1.0)), Budget(kind, 1.0))
    if not (cost > 0.0).all():
        raise InputError("a run costs nothing in this budget", hint="give the pilot budget in FLOPs: 1e12flops")
    return {
        "avg_tokens": points.avg_tokens,
        "examples": evaluator.most(pairs, setup.problem.budgets),
        "eligible": points.eligible,
        "low": points.bands.lo[points.band],
        "high": points.bands.hi[points.band],
        "unit_cost": cost,
    }
