"""What is asked of a plan next: what came close, what other budgets would buy, and what choosing wrong may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ftplan.costs.bill import price_kind, spent
from ftplan.laws.parts import Floats
from ftplan.plan.points import Index
from ftplan.plan.result import FrontierPoint, Regret, Sensitivity
from ftplan.plan.search import Candidate, Search
from ftplan.plan.trials import Trials, every_pair, joined
from ftplan.units import Budget

#: other lengths shown beside the best, as factors of it: what "longer" or "shorter" examples would cost
LENGTH_FACTORS = (0.5, 2.0)
#: mean lengths this close (in the logarithm) are the same length
SAME_LENGTH = 0.03
#: budgets of the frontier, as multiples of what the plan costs
MULTIPLES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
#: relative difference of metrics below which more budget has bought nothing
SAME = 1e-9
#: change of each budget that sensitivity is about
CHANGE = 0.1
#: lengths compared for every method when regret is counted
COMPARED_LENGTHS = 16
#: runners-up shown of each kind: other methods, then other epochs, models or tuning of the same method
MOST_METHODS, MOST_OTHERS = 6, 2


def runners_up(best: Candidate, others: Sequence[Candidate]) -> list[tuple[str, Candidate]]:
    """The best plan of every other method, then of every other number of epochs and model, best first in each part.

    others: candidates, best first. Each comes with what sets it apart, in words. What trains on the same data in the
    same way is no other plan: where all eligible examples are taken, methods differ in name only.
    """
    out: list[tuple[str, Candidate]] = []
    others = [c for c in others if not _same(best, c)]
    seen = {best.choice.method.name}
    for c in others:
        if c.choice.method.name not in seen and len(out) < MOST_METHODS:
            seen.add(c.choice.method.name)
            by = f" by {c.choice.selector.name}" if c.choice.selector else ""
            out.append((f"{c.choice.method.name}{by}{_but(best, c)}", c))
    for kind in ("epochs", "trained"):
        got = {getattr(best.choice, kind)}
        for c in (c for c in others if c.choice.method.name == best.choice.method.name):
            if getattr(c.choice, kind) not in got and len(got) <= MOST_OTHERS:
                got.add(getattr(c.choice, kind))
                out.append((_but(best, c).removeprefix(", "), c))
    return out


def _same(best: Candidate, c: Candidate) -> bool:
    """Whether both take all that is eligible of the same band, for as many epochs of the same training."""
    mine, its = best.choice, c.choice
    training = (its.epochs, its.trained) == (mine.epochs, mine.trained)
    return training and c.band == best.band and c.examples == c.eligible == best.examples == best.eligible


def _but(best: Candidate, c: Candidate) -> str:
    """What else than the method is not as in the best plan."""
    out, mine, its = "", best.choice, c.choice
    if its.epochs != mine.epochs:
        out += f", {its.epochs:g} epoch" + ("" if its.epochs == 1 else "s")
    if its.trained.model != mine.trained.model:
        out += f", training {its.trained.model.name}"
    if its.trained.tuning != mine.trained.tuning:
        out += f", {its.trained.tuning} tuning"
    return out


def other_lengths(search: Search, best: Candidate) -> list[tuple[str, Candidate]]:
    """The same choice with shorter and longer examples, and without a band, each with all that the budgets buy."""
    out = []
    length = search.points.avg_tokens
    if length.max() > length.min():
        for factor in LENGTH_FACTORS:
            found = _at(search, best, np.abs(np.log(length / (best.avg_tokens * factor))))
            out += [("longer examples" if factor > 1 else "shorter examples", c) for c in found]
        bands = search.points.bands
        widest = int(np.argmax(bands.examples))
        if bands.examples[widest] != best.eligible:
            near = np.where(search.points.band == widest, np.abs(np.log(length / bands.mean[widest])), np.inf)
            out += [("no length band", c) for c in _at(search, best, near)]
    return out


def _at(search: Search, best: Candidate, distance: Floats) -> list[Candidate]:
    """The best plan of the same choice among the points that are nearest; none where the nearest is far."""
    if distance.min() > SAME_LENGTH:
        return []
    near = np.flatnonzero(distance <= max(distance.min(), min(SAME_LENGTH, distance.min() + 1e-3)))
    return search.best_among(np.array([best.index]), near)[:1]


def sensitivity(search: Search, best: Candidate) -> tuple[Sensitivity, ...]:
    """The best plan with each budget a tenth higher and a tenth lower."""
    out = []
    sign = search.evaluator.predictor.sign
    for budget in search.limits:
        for change in (CHANGE, -CHANGE):
            limit = float(f"{budget.limit * (1.0 + change):.12g}")
            c = search.under(Budget(budget.kind, limit)).best()
            if c is None:
                out.append(Sensitivity(budget.kind, change, limit, None, None, None, None, None))
                continue
            gain, value = best.loss - c.loss, sign * c.loss
            name = c.choice.method.name
            out.append(Sensitivity(budget.kind, change, limit, gain, value, c.examples, c.avg_tokens, name))
    return tuple(out)


def frontier(search: Search, best: Candidate) -> tuple[FrontierPoint, ...]:
    """What other budgets would buy: the best plan at MULTIPLES of the cost, those that are better for costing more.

    Cost is counted as the first budget in money, hours or FLOPs is, else in money or FLOPs. All other limits stay.
    """
    kind = next((b.kind for b in search.limits if b.kind != "examples"), price_kind(best.bill))
    limit = next((b.limit for b in search.limits if b.kind == kind), float(getattr(best.bill, kind)))
    out: list[FrontierPoint] = []
    last = float("nan")
    for multiple in MULTIPLES:
        c = replace(search, target=None).under(Budget(kind, limit * multiple)).best()
        if c is not None and not c.score >= last - SAME * abs(last):
            last = c.score
            out.append(_frontier_point(search, kind, c))
    return tuple(out)


def _frontier_point(search: Search, kind: str, c: Candidate) -> FrontierPoint:
    return FrontierPoint(
        kind=kind,
        cost=float(getattr(c.bill, kind)),
        value=search.evaluator.predictor.sign * c.loss,
        examples=c.examples,
        avg_tokens=c.avg_tokens,
        epochs=c.choice.epochs,
        method=c.choice.method.name,
        model=c.choice.trained.model.name,
        extrapolation=extrapolation(search, c),
    )


def extrapolation(search: Search, c: Candidate) -> float:
    """How far beyond the fitted data a plan lies, as a factor; 1 inside."""
    rows, volume = search.evaluator.rows(c.trial), search.evaluator.volume(c.trial)
    return float(search.evaluator.predictor.extrapolation(rows, volume, np.array([c.avg_tokens]))[0])


def regret(search: Search, best: Candidate, others: Sequence[Candidate]) -> Regret | None:
    """Over draws of the fit, how much better the best of the others is; None with a target, where cost is what counts.

    Compared with the best plan of every choice, and for the best choice of each method with COMPARED_LENGTHS lengths.
    """
    if search.target is not None:
        return None
    trials = joined([best.trial, *(c.trial for c in others), *_elsewhere(search, [best, *others])])
    draws = search.evaluator.draws(trials)
    winner = np.argmin(draws, axis=1)
    short = draws[:, 0] - draws[np.arange(len(draws)), winner]
    methods = np.array([search.choices[i].method.name for i in trials.choice])
    # at N = P_e methods are one plan under several names: a draw that ties is won by the plan's own
    own = np.where(methods == best.choice.method.name, draws, np.inf).min(axis=1)
    same = own <= draws.min(axis=1) + 1e-12 * np.abs(draws.min(axis=1))
    return Regret(float(short.mean()), float(same.mean()), len(trials))


def _elsewhere(search: Search, candidates: Sequence[Candidate]) -> list[Trials]:
    """The best choice of each method at lengths spread over the points, with all that the budgets buy."""
    first: dict[str, int] = {}
    for c in candidates:
        first.setdefault(c.choice.method.name, c.index)
    pairs = every_pair(np.array(list(first.values()), dtype=np.intp), _spread(search.points.avg_tokens))
    search.batches.make_exact(search.points.band[pairs.point])
    most = search.evaluator.most(pairs, search.limits)
    fits = np.flatnonzero(most > 0.0)
    return [Trials(pairs.choice[fits], pairs.point[fits], most[fits])]


def _spread(lengths: Floats) -> Index:
    """Indices of lengths spread evenly in rank."""
    order = np.argsort(lengths, kind="stable")
    return order[np.unique(np.linspace(0, len(order) - 1, COMPARED_LENGTHS).astype(np.intp))]


def better_probability(search: Search, best: Candidate, others: Sequence[Candidate]) -> list[float]:
    """Share of draws of the fit in which each of the others has the better metric."""
    if not others:
        return []
    draws = search.evaluator.draws(joined([best.trial, *(c.trial for c in others)]))
    return [float(v) for v in np.mean(draws[:, 1:] < draws[:, :1], axis=0)]


def binding(search: Search, c: Candidate) -> tuple[str, ...]:
    """The limits that one more example would break."""
    if search.target is not None:
        return ("target",)
    more = c.trial.of(float(c.examples + 1))
    bill = search.evaluator.bill(more)
    out = [b.kind for b in search.limits if spent(bill, b, more.examples)[0] > b.limit]
    return (*out, "pool") if c.examples >= c.eligible else tuple(out)
