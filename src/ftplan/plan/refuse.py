"""Why nothing is feasible, in one sentence, and the smallest change that would make it so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ftplan.costs.bill import spent
from ftplan.errors import Infeasible
from ftplan.laws.parts import Floats
from ftplan.plan.search import Search
from ftplan.plan.trials import Trials, every_pair
from ftplan.units import Budget, format_budget, format_flops


@dataclass(frozen=True)
class Needed:
    """The trial that exceeds the limits by the least factor, and what it would need of each that it exceeds."""

    trial: Trials
    budgets: tuple[Budget, ...]


def refusal(search: Search) -> Infeasible:
    """The error to raise for a search that found nothing."""
    every = every_pair(np.arange(len(search.choices)), np.arange(len(search.points)))
    search.batches.make_exact(search.points.band)
    if search.target is None:
        return _below_one(search, _least_excess(search, every.of(search.points.least[every.point])))
    unlimited = replace(search, limits=())
    value, examples = unlimited.evaluate(every)
    able = np.flatnonzero(np.isfinite(value))
    reached = _least_excess(search, every.take(able).of(examples[able])) if len(able) else None
    return _out_of_reach(search, reached)


def _least_excess(search: Search, trials: Trials) -> Needed:
    """Of trials that all exceed some limit, the one that does by the least factor."""
    bill = search.evaluator.bill(trials)
    shares = np.stack([spent(bill, b, trials.examples) / b.limit for b in search.limits])
    k = int(np.argmin(shares.max(axis=0)))
    exceeded = [i for i in range(len(shares)) if shares[i, k] > 1.0]
    exceeded.sort(key=lambda i: -float(shares[i, k]))
    kinds = [search.limits[i] for i in exceeded]
    needs = tuple(Budget(b.kind, _up(b.kind, float(spent(bill, b, trials.examples)[k]))) for b in kinds)
    return Needed(trials.take(np.array([k])), needs)


def _below_one(search: Search, needed: Needed) -> Infeasible:
    """Not one plan is affordable: the budget that is missed by most, and what would buy the nearest plan."""
    first = needed.budgets[0]
    limit = next(b.limit for b in search.limits if b.kind == first.kind)
    fewest = int(needed.trial.examples[0])
    what = "one example" if fewest == 1 else f"the fewest examples that have this mean, {fewest}"
    bill = search.evaluator.bill(needed.trial)
    scoring = float(bill.selection_flops[0])
    choice = search.choices[int(needed.trial.choice[0])]
    # scoring is what costs most where one example after it is a small part
    if scoring > 0.5 * float(bill.total_flops[0]):
        by = f" by {choice.selector.name}" if choice.selector else ""
        what = f"what {choice.method.name}{by} costs before the first example ({format_flops(scoring)} FLOPs)"
    return Infeasible(
        f"the budget of {_amount(first.kind, limit)} is below {what}: the cheapest plan needs "
        f"{_amount(first.kind, first.limit)}",
        hint=f"the least that is enough: {_flags(needed.budgets)}",
    )


def _out_of_reach(search: Search, needed: Needed | None) -> Infeasible:
    """The target is missed: by the best plan within the limits, and perhaps by every plan."""
    sign = search.evaluator.predictor.sign
    found = replace(search, target=None).best()
    assert search.target is not None
    if found is None:
        every = every_pair(np.arange(len(search.choices)), np.arange(len(search.points)))
        return _below_one(search, _least_excess(search, every.of(search.points.least[every.point])))
    best = found.score
    said = f"the target of {search.target:g} is out of reach: the best plan within the limits gives {sign * best:.4g}"
    relaxed = f"relax the target to {_relaxed(best, sign)}"
    if needed is None:
        top = replace(search, target=None, limits=()).best()
        if top is not None and top.score < best:
            said += f", and no budget gets {'below' if sign > 0 else 'above'} {sign * top.score:.4g}"
        else:
            said += ", and no larger budget does better"
        return Infeasible(said, hint=relaxed)
    return Infeasible(said, hint=f"{relaxed}, or raise the budget: {_flags(needed.budgets)}")


def _relaxed(loss: float, sign: float) -> str:
    """A target that is met by a loss: rounded to four digits to the easier side."""
    digits = 4
    step = 10.0 ** (np.floor(np.log10(abs(loss))) - digits + 1) if loss else 0.0
    eased = np.ceil(loss / step) * step if step else 0.0
    return f"{sign * eased:.{digits}g}"


def _flags(budgets: tuple[Budget, ...]) -> str:
    """Budgets as they are typed."""
    suffix = {"total_flops": "flops", "gpu_hours": "gpuh", "usd": "usd", "wall_hours": "h", "examples": "examples"}
    return " ".join(f"--budget {b.limit:.6g}{suffix[b.kind]}".replace("e+", "e") for b in budgets)


def _amount(kind: str, value: float) -> str:
    """A budget with its unit, small ones not rounded away."""
    if kind == "examples":
        return f"{value:,g} example" + ("" if value == 1.0 else "s")
    return f"{value:.3g} USD" if kind == "usd" and value < 0.1 else format_budget(kind, value)


def _up(kind: str, value: float) -> float:
    """Rounded up to three digits, whole for examples, so that the number printed is enough."""
    if kind == "examples":
        return float(np.ceil(value))
    step: Floats = 10.0 ** (np.floor(np.log10(value)) - 2.0)
    return float(f"{np.ceil(value / step * (1.0 + 1e-9)) * step:.3g}")
