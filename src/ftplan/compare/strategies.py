"""Few long examples, many short ones, or the pool as it comes: what each makes of a whole budget, beside the optimum.

The three are the compositions that Lagasse et al. 2025 (arXiv 2505.06150) compare. They differ from the optimum in
length alone: method, epochs and model are the optimum's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.costs.bill import over, spent
from ftplan.errors import Infeasible, InputError
from ftplan.fit.result import Fit
from ftplan.laws.parts import Floats
from ftplan.plan import PlanSetup, set_up
from ftplan.plan.answers import SAME_LENGTH, binding
from ftplan.plan.evaluator import ROUNDING
from ftplan.plan.explain import costs_of, data_of, predict, selection_of, uses_of
from ftplan.plan.notes import measured_on, warnings
from ftplan.plan.points import free_points
from ftplan.plan.problem import Problem
from ftplan.plan.refuse import refusal
from ftplan.plan.result import BudgetUse, Cost, PlannedData, Prediction, Selection
from ftplan.plan.search import Candidate, Search
from ftplan.plan.trials import Trials, every_pair, joined
from ftplan.runs import Metric
from ftplan.units import Budget

#: standard errors of a difference below which two plans cannot be told apart
TIED_ERRORS = 2.0
OPTIMUM = "optimum"


@dataclass(frozen=True)
class Strategy:
    """A rule for the mean length. wanted: from the lengths (p,) at which the budget can be spent and the pool's own
    mean to the one to take; why: what it is, in words.
    """

    name: str
    why: str
    wanted: Callable[[Floats, float], float]


STRATEGIES = (
    Strategy(
        "few long",
        "the longest examples on average that the pool has enough of, within the lengths of the runs",
        lambda lengths, _: float(lengths.max()),
    ),
    Strategy(
        "many short",
        "the shortest on average that the pool has enough of, within the lengths of the runs",
        lambda lengths, _: float(lengths.min()),
    ),
    Strategy(
        "balanced",
        "the pool as it comes, or where its mean is outside the lengths of the runs, as near to that as they are",
        lambda lengths, mean: float(lengths[np.argmin(np.abs(np.log(lengths / mean)))]),
    ),
)


@dataclass(frozen=True)
class StrategyShortfall:
    """How far one plan falls short of the best of several, in the metric's unit; below 0 where it is better.

    low, high: interval of the difference over draws of the fit, in each of which both plans share its luck;
    standard_error: of the difference.
    """

    value: float
    low: float
    high: float
    standard_error: float

    @property
    def tied(self) -> bool:
        """Whether the difference is within TIED_ERRORS standard errors of none."""
        return abs(self.value) <= TIED_ERRORS * self.standard_error


@dataclass(frozen=True)
class Outcome:
    """One strategy under one budget. prediction, shortfall: None where the runs do not tell what its length does.

    binding: what one more example would break, as in a plan.
    """

    strategy: str
    data: PlannedData
    selection: Selection
    cost: Cost
    budgets: tuple[BudgetUse, ...]
    binding: tuple[str, ...]
    prediction: Prediction | None
    shortfall: StrategyShortfall | None

    @property
    def spent(self) -> float:
        """The largest share that it uses of any of the budgets."""
        return max(use.share for use in self.budgets)

    @property
    def pool_runs_out(self) -> bool:
        """Whether more examples would fit the budget, had the pool any."""
        return self.binding == ("pool",)


@dataclass(frozen=True)
class Contest:
    """All strategies under the same limits, the optimum first; or why nothing fits them."""

    limits: tuple[Budget, ...]
    outcomes: tuple[Outcome, ...]
    refused: Infeasible | None = None

    @property
    def tied(self) -> tuple[str, ...]:
        """Strategies that cannot be told from the optimum."""
        return tuple(o.strategy for o in self.outcomes[1:] if o.shortfall is not None and o.shortfall.tied)


@dataclass(frozen=True)
class Comparison:
    """Strategies under one or several limits. told: whether the runs tell what length does; why: what says so."""

    problem: str
    metric: Metric
    level: float
    told: bool
    why: str
    contests: tuple[Contest, ...]
    measured_on: str
    warnings: tuple[str, ...]


def judged(expected: Floats, draws: Floats, level: float, best: int | None = None) -> tuple[StrategyShortfall, ...]:
    """How far each of n plans falls short of plan `best`, or of the one with the least expected metric.

    expected: (n,) and draws: (B, n) of the loss: the metric, its sign changed where more is better.
    """
    against = int(np.argmin(expected)) if best is None else best
    apart = draws - draws[:, [against]]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(apart, [tail, 1.0 - tail], axis=0)
    columns = zip(expected - expected[against], low, high, apart.std(axis=0), strict=True)
    return tuple(StrategyShortfall(*(float(v) for v in column)) for column in columns)


def compare_strategies(problem: Problem, fit: Fit, limits: Sequence[tuple[Budget, ...]]) -> Comparison:
    """The strategies under each of `limits`, which take the place of the problem's own budgets; a target is left out.

    Raises InputError where the problem holds its length or has no budget, Infeasible where no limits buy an example.
    """
    if problem.avg_tokens is not None:
        raise InputError(
            f"the problem holds examples at {problem.avg_tokens:g} tokens, and strategies differ in length",
            hint="take avg_tokens out of it",
        )
    if not limits or not all(limits):
        raise InputError("no budget for the strategies to spend", hint="--budget 1e18flops, 64gpuh or 500usd")
    setup = set_up(replace(problem, target=None, budgets=limits[0]), fit)
    told = setup.space.varies_length
    lengths = setup.search if told else _at_all_lengths(setup)
    doubts: dict[str, None] = {}
    contests, said = [], ""
    for own in limits:
        asked, search = replace(setup.problem, budgets=own), replace(setup.search, limits=own)
        best = search.best()
        if best is None:
            contests.append(Contest(own, (), refusal(search)))
            continue
        contests.append(_contest(asked, search, search if told else replace(lengths, limits=own), best))
        said = said or measured_on(asked, fit, setup.series, search.evaluator.predictor, best)
        doubts |= dict.fromkeys(warnings(asked, fit, setup.series, setup.space, search, best))
    if contests[0].refused is not None and all(c.refused for c in contests):
        raise contests[0].refused
    return Comparison(
        problem=problem.name,
        metric=setup.search.evaluator.predictor.metric,
        level=problem.level,
        told=told,
        why=setup.series.identified.why.get("avg_tokens", ""),
        contests=tuple(contests),
        measured_on=said,
        warnings=tuple(doubts),
    )


def _at_all_lengths(setup: PlanSetup) -> Search:
    """The search with every mean length that the pool has, for what examples of it cost."""
    problem, search = setup.problem, setup.search
    pool = problem.cut.pool
    points = free_points(pool, pool.shortest, pool.longest)
    return replace(search, evaluator=search.evaluator.at(points))


def _contest(problem: Problem, search: Search, lengths: Search, best: Candidate) -> Contest:
    """The optimum and the strategies beside it. lengths: `search`, or where the runs do not tell what length does and
    the optimum stays at the pool's own mean, the one with every length, whose predictions are not shown.
    """
    own_mean = problem.cut.pool.mean
    able = _spending(lengths, best.index)
    within = lengths.points.avg_tokens[able.point]
    entries = [(OPTIMUM, search, best)]
    for strategy in STRATEGIES:
        away = np.abs(np.log(within / strategy.wanted(within, own_mean)))
        nearest = lengths.candidate(able.take(np.array([int(np.argmin(away))])))
        held = lengths is not search and abs(np.log(nearest.avg_tokens / best.avg_tokens)) <= SAME_LENGTH
        entries.append((strategy.name, search, best) if held else (strategy.name, lengths, nearest))
    return Contest(search.limits, _outcomes(problem, search, entries))


def _spending(search: Search, choice: int) -> Trials:
    """One choice with the most examples at every point where these use up a budget, so that one more is too many; where
    none does, the pool is too small for it, and the points that spend the most are given.
    """
    search.batches.make_exact(search.points.band)
    pairs = every_pair(np.array([choice]), np.arange(len(search.points)))
    most = search.evaluator.most(pairs, search.limits)
    fits = pairs.take(np.flatnonzero(most > 0.0)).of(most[most > 0.0])
    more = fits.of(fits.examples + 1.0)
    spends = over(search.evaluator.bill(more), more.examples, search.limits)
    if not spends.any():
        bill = search.evaluator.bill(fits)
        share = np.max([spent(bill, b, fits.examples) / b.limit for b in search.limits], axis=0)
        spends = share >= share.max() * (1.0 - ROUNDING)
    return fits.take(np.flatnonzero(spends))


def _outcomes(
    problem: Problem, search: Search, entries: Sequence[tuple[str, Search, Candidate]]
) -> tuple[Outcome, ...]:
    """Predictions and shortfalls for the entries of `search` alone; the first of all is the optimum."""
    known = [c for _, its, c in entries if its is search]
    draws = search.evaluator.draws(joined([c.trial for c in known]))
    short = iter(judged(np.array([c.loss for c in known]), draws, problem.level, best=0))
    return tuple(
        Outcome(
            strategy=name,
            data=data_of(problem, its, c),
            selection=selection_of(c),
            cost=costs_of(c),
            budgets=uses_of(its, c),
            binding=binding(its, c),
            prediction=predict(problem, its, c) if its is search else None,
            shortfall=next(short) if its is search else None,
        )
        for name, its, c in entries
    )
