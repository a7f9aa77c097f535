"""The one plan evaluator: what a trial costs, the most examples that budgets allow it, its features, and the
expected loss.

Every cost is linear in the number of examples (`costs.bill.plan_cost`), so the most that a budget allows is a division.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import cast

import numpy as np

from ftplan.costs.bill import Bill, Job, cost_of, over, plan_cost
from ftplan.costs.model import Selector
from ftplan.costs.packing import Batching, batching
from ftplan.fit.predictor import Predictor
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats, Rows
from ftplan.laws.terms.selection import KAP_HIGH
from ftplan.plan.allowed import Choice
from ftplan.plan.assumed import Extended
from ftplan.plan.batches import Batches
from ftplan.plan.points import Index, Points
from ftplan.plan.trials import Trials
from ftplan.pool import Pool
from ftplan.selection import Method
from ftplan.units import Budget

#: formulas of selection costs are plain arithmetic, so arrays pass through them
Scoring = Callable[[Selector | None, Floats, Floats], Floats | float]

#: numbers of examples this close are one number
ROUNDING = 1e-9
#: values (draws times trials) worked out at once
BLOCK = 2**21
#: steps of the transition to the mixture ahead at which a turn of the metric is looked for
STEPS = 2
#: from there on, steps of a factor of four; and steps over all of the measured range, for a quantile
BEYOND, WITHIN = 12, 32


@dataclass(frozen=True)
class Evaluator:
    """Every choice at every point: costs, bounds from below for bands that are not exact in `batches`, and metrics.

    counts: what T is in the fitted table, 'tokens' or 'examples'; risk: None for the expected metric.
    """

    choices: tuple[Choice, ...]
    points: Points
    batches: Batches
    law: Extended
    counts: str
    risk: float | None = None

    def at(self, points: Points) -> Evaluator:
        """The same choices at other points of the pool."""
        return replace(self, points=points, batches=self.batches.at(points.bands))

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
                    epochs=self._columns[0][trials.choice[own]],
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

    @property
    def predictor(self) -> Predictor:
        return self.law.point

    @cached_property
    def _inside(self) -> Predictor:
        return replace(self.predictor, ahead=None)

    @cached_property
    def _columns(self) -> tuple[Floats, Floats, Floats]:
        """(c,) epochs, S and M of each choice."""
        return (
            np.array([c.epochs for c in self.choices]),
            np.array([c.selector.params if c.selector else 0.0 for c in self.choices]),
            np.array([c.trained.size for c in self.choices]),
        )

    @cached_property
    def _methods(self) -> tuple[tuple[str, ...], Index]:
        place = {name: i for i, name in enumerate(dict.fromkeys(self.law.method))}
        return tuple(place), np.array([place[name] for name in self.law.method], dtype=np.intp)

    def rows(self, trials: Trials) -> Rows:
        """Features of every trial."""
        names, index = self._methods
        own = index[trials.choice]
        present = np.flatnonzero(np.bincount(own, minlength=len(names)))
        if len(present) == 1:
            return self._design(trials, names[present[0]])
        places = [np.flatnonzero(own == k) for k in present]
        designs = [vars(self._design(trials.take(own), names[k])) for own, k in zip(places, present, strict=True)]
        order = np.argsort(np.concatenate(places), kind="stable")
        return Rows(**{k: np.concatenate([d[k] for d in designs])[order] for k in designs[0]})

    def _design(self, trials: Trials, method: str) -> Rows:
        epochs, selector, size = (column[trials.choice] for column in self._columns)
        return self.predictor.design(
            examples=trials.examples,
            avg_tokens=self.points.avg_tokens[trials.point],
            epochs=epochs,
            method=method,
            selector_params=selector,
            eligible=self.points.eligible[trials.point],
            model_params=size,
            counts=self.counts,
        )

    def volume(self, trials: Trials) -> Floats:
        """(n,) T, in the fitted table's unit."""
        return trials.examples * self.unit(trials)

    def unit(self, trials: Trials) -> Floats:
        """(n,) T of one example."""
        return self.points.avg_tokens[trials.point] if self.counts == "tokens" else np.ones(len(trials))

    def expected(self, trials: Trials) -> Floats:
        """(n,) the expected loss."""
        return self.expected_at(self.rows(trials))

    def expected_at(self, rows: Rows) -> Floats:
        """(n,) the same for rows."""
        sign, ahead = self.predictor.sign, self.predictor.ahead
        if ahead is None:
            return np.asarray(sign * self.predictor.point(rows))
        # most trials need no mixture: that is three laws more
        beyond = rows.t > ahead.t_max
        out = np.empty(len(rows.t))
        for model, which in ((self._inside, ~beyond), (self.predictor, beyond)):
            if which.any():
                out[which] = sign * model.point(Rows(**{k: v[which] for k, v in vars(rows).items()}))
        return out

    def draws(self, trials: Trials) -> Floats:
        """(B, n) the loss under each draw of the fit and of what is assumed."""
        return np.asarray(self.predictor.sign * self.law.drawn.draws(self.rows(trials)))

    def score(self, trials: Trials) -> Floats:
        """(n,) what the search minimises: the expected metric, or its quantile that is worse with chance `risk`."""
        if self.risk is None or not len(trials):
            return self.expected(trials)
        step = max(1, BLOCK // self.predictor.n_draws)
        blocks = [np.arange(i, min(i + step, len(trials))) for i in range(0, len(trials), step)]
        return np.concatenate([np.quantile(self.draws(trials.take(b)), 1.0 - self.risk, axis=0) for b in blocks])

    def falls(self, trials: Trials) -> Bools:
        """(n,) whether more examples may be worse: d ln D / d ln N = 1 - kap + b3·x is not above 0 in every law.

        A quantile over draws may have a turn anywhere, where they cross, and so may the prior's forecast.
        """
        if self.turns:
            return np.ones(len(trials), dtype=bool)
        x = np.log(self.points.avg_tokens[trials.point] / self.predictor.refs.L)
        out = np.zeros(len(trials), dtype=bool)
        for kap, b3 in self._slopes:
            out |= 1.0 - kap[trials.choice] + b3 * x <= 0.0
        return out

    @property
    def turns(self) -> bool:
        """Whether a metric may turn among the runs."""
        return self.risk is not None or not self.predictor.inside.law.curve.monotone

    @cached_property
    def _slopes(self) -> list[tuple[Floats, float]]:
        """(kap of every choice, b3) of the law inside and of each curve ahead."""
        inside, ahead, refs = self.predictor.inside, self.predictor.ahead, self.predictor.refs
        laws = [(inside.law, inside.point), *((m.law, m.point) for m in (ahead.members if ahead else ()))]
        out = []
        for law, found in laws:
            named = {p.name: float(found.theta[0, i]) for i, p in enumerate(law.nonlinear(refs))}
            kaps = [named.get(f"kap[{name}]", 0.0) for name in self.law.method]
            # a selection model of another size may have any kap below 1
            bound = [KAP_HIGH if refs.varied_selectors and k else k for k in kaps]
            out.append((np.array(bound), named.get("b3", 0.0)))
        return out

    @cached_property
    def looked_at(self) -> tuple[Floats, Floats]:
        """Amounts of data T at which a metric may have a turn, whatever the budget: for all trials, and where it falls.

        For one choice and one L, ln D is linear in ln N, so the metric of one law is best at the most or the fewest
        examples. Not so between the law inside the data and the mixture ahead of it, nor within the mixture where some
        of its curves fall, nor for a quantile over draws: there steps are looked at, and the best of them refined
        (`Search.polished`).
        """
        refs, ahead = self.predictor.refs, self.predictor.ahead
        low, high = self.predictor.ranges["tokens"]
        within = np.geomspace(low, high, WITHIN) if self.turns else np.empty(0)
        if ahead is None:
            beyond = np.empty(0) if self.predictor.inside.law.curve.monotone else high * 4.0 ** np.arange(1, BEYOND)
            return np.empty(0), np.concatenate([within, beyond])
        top = refs.T * np.exp(ahead.t_max)
        transition = top * 2.0 ** (np.arange(STEPS + 1) / STEPS)
        return transition, np.concatenate([within, top * 2.0 * 4.0 ** np.arange(1, BEYOND)])


def band_cost(
    job: Job,
    band: Pool,
    how: tuple[int, bool, int],
    *,
    examples: float,
    mean: float,
    epochs: float,
    method: Method,
    selector: Selector | None,
) -> tuple[Bill[float], Batching]:
    """The bill of `examples` rows of `band`, drawn for a mean of so many tokens, and how they are batched.

    how: max_length, packing and batch_examples. Rows drawn for another mean than the band's own count as that much
    longer or shorter, as at a point.
    """
    batch = batching(band, *how)
    batch = replace(batch, computed_tokens=batch.computed_tokens * (mean / band.mean))
    bill = plan_cost(
        job,
        examples=float(examples),
        avg_tokens=mean,
        epochs=epochs,
        computed_tokens=batch.computed_tokens,
        attention_tokens=batch.attention_tokens,
        selection_flops=method.selection_flops(selector, float(band.total_tokens), float(band.attention_tokens)),
    )
    return bill, batch


def _merged(parts: list[Bill[Floats]], places: list[Index]) -> Bill[Floats]:
    """One bill from those of each job, back in the order of the trials."""
    order = np.argsort(np.concatenate(places), kind="stable")

    def column(name: str) -> Floats | None:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)[order]

    return Bill(**{f.name: column(f.name) for f in fields(Bill)})  # type: ignore[arg-type]
