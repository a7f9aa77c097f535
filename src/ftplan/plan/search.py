"""The search: for every discrete choice and every length band, the most examples that all budgets allow.

Every cost is linear in the number of examples (`costs.bill.plan_cost`), so the most examples a budget allows are a
division; the metric is then compared over bands, arrays at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ftplan.costs.bill import Bill, Job, plan_cost
from ftplan.costs.packing import Batching, Packing, batching
from ftplan.errors import InputError
from ftplan.fit.predictor import Predictor
from ftplan.laws.parts import Floats, Rows
from ftplan.plan.allowed import Choice
from ftplan.plan.problem import Problem
from ftplan.pool import Bands, Pool
from ftplan.units import Budget, format_budget

#: mean lengths looked at first, evenly in log, and then between the neighbours of the best
MEANS, REFINED = 160, 40
#: shares of the most affordable examples looked at: fewer can only be better where length drifts strongly
SHARES = np.concatenate([[1.0], np.geomspace(0.9, 0.01, 12)])


@dataclass(frozen=True)
class Offer:
    """Length bands with what one example of each becomes in a batch; arrays of shape (m,)."""

    bands: Bands
    computed: Floats
    attention: Floats
    rows: Floats

    def batching(self, i: int) -> Batching:
        return Batching(float(self.computed[i]), float(self.attention[i]), float(self.rows[i]))


@dataclass(frozen=True)
class Candidate:
    """One plan before it is explained: a choice, a band of an offer, N examples; turned: the metric, less is better."""

    choice: Choice
    offer: Offer
    band: int
    examples: int
    turned: float
    bill: Bill[float]

    @property
    def avg_tokens(self) -> float:
        return float(self.offer.bands.mean[self.band])

    @property
    def eligible(self) -> int:
        return int(self.offer.bands.examples[self.band])


@dataclass(frozen=True)
class Search:
    """Everything the search needs. pool: after the cut; counts: what T means in the fit."""

    problem: Problem
    pool: Pool
    job: Job
    predictor: Predictor
    counts: str

    def offer(self, means: Floats) -> Offer:
        """The widest band of each mean, those that exist, each once."""
        bands = self.pool.band_curve(means)
        key = np.stack([bands.lo, bands.hi], axis=1)
        _, first = np.unique(key, axis=0, return_index=True)
        first.sort()
        return self._batched(_take(bands, first[bands.examples[first] > 0]))

    def whole_pool(self) -> Offer:
        """One band: all of it."""
        p = self.pool
        one = Bands(
            np.array([p.shortest]),
            np.array([p.longest]),
            np.array([p.examples]),
            np.array([p.mean]),
            np.array([p.second_moment]),
        )
        return self._batched(one)

    def _batched(self, bands: Bands) -> Offer:
        kind: Packing = "isolated" if self.problem.packing else "none"
        rows = [
            batching(self.pool.band(int(lo), int(hi)), self.problem.max_length, kind, self.problem.batch_examples)
            for lo, hi in zip(bands.lo, bands.hi, strict=True)
        ]
        return Offer(
            bands,
            np.array([b.computed_tokens for b in rows]),
            np.array([b.attention_tokens for b in rows]),
            np.array([b.rows for b in rows]),
        )

    def bill(self, choice: Choice, offer: Offer, examples: Floats, pick: npt.NDArray[np.intp]) -> Bill[Floats]:
        """Costs of `examples` drawn from the picked bands, all (k,)."""
        mean, eligible = offer.bands.mean[pick], offer.bands.examples[pick]
        attention = offer.bands.attention_tokens[pick]
        scoring = np.array(
            [
                choice.method.selection_flops(choice.selector, float(p * m), float(a))
                for p, m, a in zip(eligible, mean, attention, strict=True)
            ]
        )
        return plan_cost(
            self.job,
            examples=np.asarray(examples, dtype=np.float64),
            avg_tokens=mean,
            epochs=np.full(len(pick), choice.epochs),
            computed_tokens=offer.computed[pick],
            attention_tokens=offer.attention[pick],
            selection_flops=scoring,
        )

    def most_examples(self, choice: Choice, offer: Offer) -> dict[str, Floats]:
        """(m,) most whole examples that each limit allows, by its kind; 'pool' is what the band holds."""
        every = np.arange(len(offer.bands.lo))
        none, one = (self.bill(choice, offer, np.full(len(every), float(n)), every) for n in (0, 1))
        out: dict[str, Floats] = {"pool": offer.bands.examples.astype(np.float64)}
        for budget in self.problem.budgets:
            if budget.kind == "examples":
                out[budget.kind] = np.full(len(every), np.floor(budget.limit))
                continue
            fixed, slope = cost_of(none, budget), cost_of(one, budget) - cost_of(none, budget)
            # a rounding error above a whole number must not buy one example more: checked again on the bill
            out[budget.kind] = np.floor((budget.limit - fixed) / slope * (1.0 + 1e-12))
        return out

    def turned(self, choice: Choice, offer: Offer, examples: Floats, pick: npt.NDArray[np.intp]) -> Floats:
        """(k,) expected metric with its sign turned so that less is better."""
        rows = self.rows(choice, offer, examples, pick)
        return np.asarray(self.predictor.sign * self.predictor.point(self.shifted(rows, choice, offer, examples, pick)))

    def rows(self, choice: Choice, offer: Offer, examples: Floats, pick: npt.NDArray[np.intp]) -> Rows:
        return self.predictor.design(
            examples=np.asarray(examples, dtype=np.float64),
            avg_tokens=offer.bands.mean[pick],
            epochs=choice.epochs,
            method=choice.known_as or "random",
            selector_params=choice.selector.params if choice.selector else 0.0,
            eligible=offer.bands.examples[pick].astype(np.float64),
            model_params=self.problem.model.flop_params,
            counts=self.counts,
        )

    def shifted(
        self,
        rows: Rows,
        choice: Choice,
        offer: Offer,
        examples: Floats,
        pick: npt.NDArray[np.intp],
        draws: tuple[Floats, Floats] | None = None,
    ) -> Rows:
        """Rows with what is assumed added to ln T: kap·ln(P_e/N), and the worth of repeated epochs.

        draws: (B, 1) values of kap and of R* in place of their estimates.
        """
        if choice.kap is None and choice.rstar is None:
            return rows
        shift: Floats = np.zeros(len(pick))
        if choice.kap is not None:
            kap = draws[0] if draws else choice.kap[0]
            shift = shift + kap * np.log(offer.bands.examples[pick] / examples)
        if choice.rstar is not None:
            scale = draws[1] if draws else np.float64(choice.rstar[0])
            shift = shift + np.log1p(scale * -np.expm1(-(choice.epochs - 1.0) / scale))
        return Rows(**{**vars(rows), "t": rows.t + shift})

    def best(self, choice: Choice, offer: Offer) -> Candidate | None:
        """The best band and number of examples of one choice; None where not one example is affordable."""
        most = np.min(np.stack(list(self.most_examples(choice, offer).values())), axis=0)
        able = np.flatnonzero(most >= 1.0)
        if not len(able):
            return None
        share = np.maximum(1.0, np.floor(most[able][:, None] * SHARES)).ravel()
        pick = np.repeat(able, len(SHARES))
        turned = self.turned(choice, offer, share, pick)
        if self.problem.target is not None:
            return self._cheapest(choice, offer, able, most)
        k = int(np.argmin(turned))
        return self.candidate(choice, offer, int(pick[k]), int(share[k]))

    def candidate(self, choice: Choice, offer: Offer, band: int, examples: int) -> Candidate:
        """One candidate, its number of examples lowered while a rounding error takes it over a budget."""
        pick = np.array([band])
        while True:
            bill = self.bill(choice, offer, np.array([float(examples)]), pick)
            over = any(used(bill, b, examples) > b.limit for b in self.problem.budgets)
            if not over or examples <= 1:
                break
            examples -= 1
        turned = float(self.turned(choice, offer, np.array([float(examples)]), pick)[0])
        return Candidate(choice, offer, band, examples, turned, _scalar(bill))

    def _cheapest(self, choice: Choice, offer: Offer, able: npt.NDArray[np.intp], most: Floats) -> Candidate | None:
        """The least costly way to the target: bisection for N in every band, then the lowest bill."""
        assert self.problem.target is not None
        goal = self.predictor.sign * self.problem.target
        low, high = np.ones(len(able)), most[able].copy()
        reaches = self.turned(choice, offer, high, able) <= goal
        if not reaches.any():
            return None
        able, low, high = able[reaches], low[reaches], high[reaches]
        for _ in range(60):
            middle = np.floor((low + high) / 2.0)
            enough = self.turned(choice, offer, middle, able) <= goal
            high, low = np.where(enough, middle, high), np.where(enough, low, np.minimum(middle + 1.0, high))
        bill = self.bill(choice, offer, high, able)
        price = bill.usd if bill.usd is not None else bill.total_flops
        k = int(np.argmin(price))
        return self.candidate(choice, offer, int(able[k]), int(high[k]))


def _take(bands: Bands, keep: npt.NDArray[np.intp]) -> Bands:
    return Bands(*(getattr(bands, f)[keep] for f in ("lo", "hi", "examples", "mean", "second_moment")))


def _scalar(bill: Bill[Floats]) -> Bill[float]:
    def first(values: Floats | None) -> float | None:
        return None if values is None else float(values[0])

    return Bill(
        float(bill.train_flops[0]),
        float(bill.selection_flops[0]),
        float(bill.total_flops[0]),
        first(bill.gpu_hours),
        first(bill.wall_hours),
        first(bill.compute_usd),
        float(bill.data_usd[0]),
        first(bill.usd),
    )


def cost_of(bill: Bill[Floats], budget: Budget) -> Floats:
    """The part of a bill that a budget limits, in the budget's unit."""
    value = getattr(bill, budget.kind)
    if value is None:
        raise InputError(
            f"a budget of {format_budget(budget.kind, budget.limit)} needs a GPU and a price to count with",
            hint="--gpu NAME --price USD_PER_GPU_HOUR",
        )
    return np.asarray(value)


def used(bill: Bill[Floats], budget: Budget, examples: int) -> float:
    """How much of a budget one candidate uses."""
    return float(examples) if budget.kind == "examples" else float(cost_of(bill, budget)[0])


def better(a: Candidate | None, b: Candidate | None, cheapest: bool) -> Candidate | None:
    """The better of two candidates: by metric (or by cost where a target is set); cheaper where they tie."""
    if a is None or b is None:
        return a or b

    def key(c: Candidate) -> tuple[float, float]:
        cost = c.bill.usd if c.bill.usd is not None else c.bill.total_flops
        metric = float(f"{c.turned:.12g}")
        return (cost, metric) if cheapest else (metric, cost)

    return b if key(b) < key(a) else a
