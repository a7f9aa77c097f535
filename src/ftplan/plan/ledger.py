"""What trials cost, all at once, and the most examples that every budget allows.

Every cost is linear in the number of examples (`costs.bill.plan_cost`), so the most that a budget allows is a division.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import cast

import numpy as np

from ftplan.costs.bill import Bill, Job, plan_cost
from ftplan.costs.model import Selector
from ftplan.errors import InputError
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats
from ftplan.plan.allowed import Choice
from ftplan.plan.batches import Batches
from ftplan.plan.points import Index, Points
from ftplan.plan.trials import Trials
from ftplan.units import Budget, format_budget

#: formulas of selection costs are plain arithmetic, so arrays pass through them
Scoring = Callable[[Selector | None, Floats, Floats], Floats | float]


#: numbers of examples this close are one number
ROUNDING = 1e-9


@dataclass(frozen=True)
class Ledger:
    """Costs of every choice at every point; bounds from below for bands that are not settled in `batches`."""

    choices: tuple[Choice, ...]
    points: Points
    batches: Batches

    @cached_property
    def _jobs(self) -> tuple[Job, ...]:
        # by identity: a job takes longer to hash than to cost, and choices share theirs
        return tuple({id(c.trained): c.trained.job for c in self.choices}.values())

    @cached_property
    def _job(self) -> Index:
        """(c,) index of the job of each choice."""
        place = {key: i for i, key in enumerate(dict.fromkeys(id(c.trained) for c in self.choices))}
        return np.array([place[id(c.trained)] for c in self.choices], dtype=np.intp)

    @cached_property
    def _epochs(self) -> Floats:
        return np.array([c.epochs for c in self.choices])

    @cached_property
    def _scorers(self) -> tuple[Index, Floats]:
        """(c,) index of each choice's method and selection model; (scorers, m) FLOPs to score each band once."""
        bands = self.points.bands
        tokens, attention = bands.examples * bands.mean, bands.attention_tokens
        place: dict[tuple[str, Selector | None], int] = {}
        costs: list[Floats] = []
        for c in self.choices:
            key = (c.method.name, c.selector)
            if key not in place:
                place[key] = len(costs)
                flops = cast(Scoring, c.method.selection_flops)(c.selector, tokens, attention)
                costs.append(np.broadcast_to(np.float64(flops), tokens.shape))
        index = np.array([place[c.method.name, c.selector] for c in self.choices], dtype=np.intp)
        return index, np.stack(costs)

    def bill(self, trials: Trials) -> Bill[Floats]:
        """Costs of every trial, arrays of shape (n,)."""
        scorer, scoring = self._scorers
        band = self.points.band[trials.point]
        scale = self.points.scale[trials.point]
        job = self._job[trials.choice]
        parts, places = [], []
        for i in np.unique(job):
            own = np.flatnonzero(job == i)
            places.append(own)
            parts.append(
                plan_cost(
                    self._jobs[i],
                    examples=trials.examples[own],
                    avg_tokens=self.points.avg_tokens[trials.point[own]],
                    epochs=self._epochs[trials.choice[own]],
                    computed_tokens=self.batches.computed[band[own]] * scale[own],
                    attention_tokens=self.batches.attention[band[own]],
                    selection_flops=scoring[scorer[trials.choice[own]], band[own]],
                )
            )
        return parts[0] if len(parts) == 1 else _merged(parts, places)

    def most_by_limit(self, pairs: Trials, limits: tuple[Budget, ...]) -> dict[str, Floats]:
        """(n,) most examples that each limit allows, by its kind, not whole; below 0 where scoring is too dear."""
        none, one = self.bill(pairs.of(0.0)), self.bill(pairs.of(1.0))
        out: dict[str, Floats] = {}
        for budget in limits:
            if budget.kind == "examples":
                out[budget.kind] = np.full(len(pairs), np.floor(budget.limit))
                continue
            fixed = cost_of(none, budget)
            slope = cost_of(one, budget) - fixed
            with np.errstate(divide="ignore", invalid="ignore"):
                most = (budget.limit - fixed) / slope
            # what costs nothing has no limit, unless scoring has used it up
            out[budget.kind] = np.where(slope > 0.0, most, np.where(fixed <= budget.limit, np.inf, -np.inf))
        return out

    def most(self, pairs: Trials, limits: tuple[Budget, ...]) -> Floats:
        """(n,) most examples that pool and limits allow together, 0 where that is fewer than the point needs."""
        if self.points.fixed:
            fixed = self.points.most[pairs.point]
            return np.where(over(self.bill(pairs.of(fixed)), fixed, limits), 0.0, fixed)
        allowed = [self.points.most[pairs.point], *self.most_by_limit(pairs, limits).values()]
        exact = np.maximum(np.min(np.stack(allowed), axis=0), 0.0)
        most = np.floor(exact * (1.0 + ROUNDING))
        # a rounding error above a whole number must not buy one example more
        close = np.flatnonzero(exact - most < ROUNDING * most)
        if len(close):
            own = pairs.take(close).of(most[close])
            most[close] -= over(self.bill(own), own.examples, limits)
        return np.where(most >= self.points.least[pairs.point], most, 0.0)


def over(bill: Bill[Floats], examples: Floats, limits: tuple[Budget, ...]) -> Bools:
    """(n,) whether any limit is exceeded."""
    exceeded = np.zeros(len(examples), dtype=bool)
    for budget in limits:
        exceeded |= used(bill, budget, examples) > budget.limit
    return exceeded


def cost_of(bill: Bill[Floats], budget: Budget) -> Floats:
    """The part of a bill that a budget limits, in the budget's unit. InputError where it cannot be counted."""
    value = getattr(bill, budget.kind)
    if value is None:
        raise InputError(
            f"a budget of {format_budget(budget.kind, budget.limit)} needs a GPU and a price to count with",
            hint="--gpu NAME --price USD_PER_GPU_HOUR",
        )
    return np.asarray(value)


def used(bill: Bill[Floats], budget: Budget, examples: Floats) -> Floats:
    """(n,) what trials take of a budget, in its unit."""
    return examples if budget.kind == "examples" else cost_of(bill, budget)


def price(bill: Bill[Floats]) -> Floats:
    """(n,) what "cheaper" means: money where a price is known, else FLOPs."""
    return bill.usd if bill.usd is not None else bill.total_flops


def price_kind(bill: Bill[float] | Bill[Floats]) -> str:
    """The kind of budget that `price` counts in."""
    return "usd" if bill.usd is not None else "total_flops"


def scalar(bill: Bill[Floats], i: int) -> Bill[float]:
    """The bill of trial i."""
    values = {f.name: getattr(bill, f.name) for f in fields(bill)}
    # which of them may be None is as it was in the bill
    return Bill(**{k: None if v is None else float(v[i]) for k, v in values.items()})  # type: ignore[arg-type]


def _merged(parts: list[Bill[Floats]], places: list[Index]) -> Bill[Floats]:
    """One bill from those of each job, back in the order of the trials."""
    order = np.argsort(np.concatenate(places), kind="stable")

    def column(name: str) -> Floats | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)[order]

    return Bill(**{f.name: column(f.name) for f in fields(Bill)})  # type: ignore[arg-type]
