"""The search: the best number of examples for every choice and every point, then the best of them all.

Nothing is sampled blindly. For one choice and one point every cost is linear in N and the law inside the data monotone
in it, so N is at one end of what the budgets allow (`Evaluator.looked_at` has the exceptions). Points are compared with
the cheapest batching they can have, and batched for real in the order of that bound until none that is left can win.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ftplan.costs.bill import Bill, price, scalar
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats
from ftplan.plan.allowed import Choice
from ftplan.plan.batches import Batches
from ftplan.plan.evaluator import Evaluator
from ftplan.plan.points import Index, Points
from ftplan.plan.trials import Trials, every_pair
from ftplan.units import Budget

#: more pairs of a choice and a band than this are not all looked at: first every choice at FIRST_POINTS
MOST_PAIRS, FIRST_POINTS = 60_000, 8
#: pairs that are looked at together, for memory's sake
BLOCK = 400_000
#: choices that stay after that first look, beside the best of every method, number of epochs, and model with tuning
KEPT, MOST_KINDS = 8, 6
#: bands batched at a time for each choice, and in how many rounds for those that cannot win
BATCHED, ROUNDS = 4, 3
#: the best candidates whose number of examples is refined where the metric may have a turn
POLISHED = 3
#: values that differ less are equal, and the cheaper plan is taken
TIE = 1e-12


@dataclass(frozen=True)
class Candidate:
    """One plan before it is explained."""

    choice: Choice
    #: of the choice and of the point, in the evaluator
    index: int
    point: int
    examples: int
    avg_tokens: float
    #: rows of the pool inside the band
    eligible: int
    #: shortest and longest example, tokens
    band: tuple[int, int]
    #: the expected metric, its sign changed where more is better
    loss: float
    #: what the search minimised
    score: float
    bill: Bill[float]

    @property
    def price(self) -> float:
        return price(self.bill)

    @property
    def trial(self) -> Trials:
        """The candidate as trials of one."""
        return Trials(np.array([self.index]), np.array([self.point]), np.array([float(self.examples)]))


@dataclass(frozen=True)
class Search:
    """One problem over all its choices and points. target: to reach at the least price, None for the best metric."""

    evaluator: Evaluator
    limits: tuple[Budget, ...]
    target: float | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.evaluator.choices

    @property
    def points(self) -> Points:
        return self.evaluator.points

    @property
    def batches(self) -> Batches:
        return self.evaluator.batches

    @property
    def goal(self) -> float | None:
        """The target as a loss."""
        return None if self.target is None else self.evaluator.predictor.sign * self.target

    def under(self, *limits: Budget) -> Search:
        """The same search with these limits in place of those of their kinds."""
        kinds = {b.kind for b in limits}
        return replace(self, limits=(*(b for b in self.limits if b.kind not in kinds), *limits))

    def numbers(self, pairs: Trials, most: Floats) -> Floats:
        """(k, n) numbers of examples to look at, ascending, NaN where there are none; `most` 0 where none fits."""
        least = self.points.least[pairs.point]
        rows = [np.where(most > 0.0, most, np.nan)]
        several = least < most
        if several.any():
            falls = several & self.evaluator.falls(pairs)
            ends = several if self.target is not None else falls
            rows += [np.where(ends, least, np.nan)] if ends.any() else []
            unit = self.evaluator.unit(pairs)
            for where, volumes in zip((several, falls), self.evaluator.looked_at, strict=True):
                for volume in volumes[volumes < np.max(most * unit, where=where, initial=0.0)]:
                    number = np.floor(volume / unit)
                    rows.append(np.where(where & (number > least) & (number < most), number, np.nan))
        return np.sort(np.stack(rows), axis=0)

    def evaluate(self, pairs: Trials) -> tuple[Floats, Floats]:
        """(n,) the least value of each pair (score, or price with a target; infinite where none) and its examples."""
        most = self.evaluator.most(pairs, self.limits)
        numbers = self.numbers(pairs, most)
        scores = np.full(numbers.shape, np.inf)
        k, i = np.nonzero(np.isfinite(numbers))
        if not len(k):
            return np.full(len(pairs), np.inf), np.zeros(len(pairs))
        scores[k, i] = self.evaluator.score(Trials(pairs.choice[i], pairs.point[i], numbers[k, i]))
        column = np.arange(len(pairs))
        if self.goal is not None:
            return self._reached(pairs, numbers, scores)
        best = np.argmin(scores, axis=0)
        return scores[best, column], np.nan_to_num(numbers[best, column])

    def _reached(self, pairs: Trials, numbers: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """(n,) price and examples of the least N that reaches the target, between the first number that does and the
        one before it.
        """
        assert self.goal is not None
        good = scores <= self.goal
        able = np.flatnonzero(good.any(axis=0))
        first = np.argmax(good[:, able], axis=0)
        high = numbers[first, able]
        low = np.where(first > 0, numbers[np.maximum(first - 1, 0), able], high - 1.0)
        own = pairs.take(able)
        while (high - low > 1.0).any():
            middle = np.floor((low + high) / 2.0)
            enough = self.evaluator.score(own.of(np.maximum(middle, 1.0))) <= self.goal
            # a pair that is done has middle = low, and stays as it is
            high, low = np.where(enough & (middle > low), middle, high), np.where(enough, low, middle)
        value, examples = np.full(len(pairs), np.inf), np.zeros(len(pairs))
        if len(able):
            value[able], examples[able] = price(self.evaluator.bill(own.of(high))), high
        return value, examples

    def best(self) -> Candidate | None:
        """The optimum over all choices and points; None where nothing fits."""
        found = self.best_of_each(winner_only=True)
        return found[0] if found else None

    def best_of_each(self, *, winner_only: bool = False) -> list[Candidate]:
        """The best plan of every choice that may win or is the best of its kind, best first; [] where none fits.

        The first is the optimum over all choices and points.
        """
        points, choices = np.arange(len(self.points)), self._promising()
        at_once = max(1, BLOCK // len(points))
        parts = [choices[i : i + at_once] for i in range(0, len(choices), at_once)]
        found = [c for part in parts for c in self.best_among(part, points, winner_only=winner_only)]
        found.sort(key=self._order)
        return sorted([*(self.polished(c) for c in found[:POLISHED]), *found[POLISHED:]], key=self._order)

    def best_among(self, choices: Index, points: Index, *, winner_only: bool = False) -> list[Candidate]:
        """The best plan of each of these choices at these points, best first; only of those that tie for the best."""
        if not len(choices) or not len(points):
            return []
        shape = (len(choices), len(points))
        value, examples = (a.reshape(shape) for a in self.evaluate(every_pair(choices, points)))
        band, round_ = self.points.band[points], 0
        while (open_ := self._open(value, self.batches.exact[band], ROUNDS if winner_only else round_)).any():
            again = self._bounded(value, open_, band, first=not self.batches.exact[band].any())
            again = np.flatnonzero(np.isin(band, band[again]))
            fresh = self.evaluate(every_pair(choices, points[again]))
            value[:, again], examples[:, again] = (a.reshape(len(choices), -1) for a in fresh)
            round_ += 1
        known = np.where(self.batches.exact[band], value, np.inf).min(axis=1)
        ties = known <= known.min() + TIE * abs(known.min()) if np.isfinite(known).any() else known < 0.0
        shown = np.flatnonzero(ties) if winner_only else range(len(choices))
        found = [self._candidate(int(choices[c]), points, value[c], examples[c]) for c in shown]
        return sorted([f for f in found if f is not None], key=self._order)

    def _open(self, value: Floats, exact: Bools, round_: int) -> Bools:
        """Which pairs of a choice and a point to look into: all whose bound is no worse than the best value known, and
        for some rounds the best point of every choice.
        """
        best = np.where(exact, value, np.inf).min()
        able = ~exact & np.isfinite(value)
        open_ = able & ~(value > best + TIE * np.abs(best))
        if round_ < ROUNDS:
            rows = np.arange(len(value))
            top = np.argmin(value, axis=1)
            open_[rows, top] |= able[rows, top]
        return np.asarray(open_)

    def _bounded(self, value: Floats, open_: Bools, band: Index, *, first: bool) -> Index:
        """Sharpens the bounds of the points that may win, or batches the best of every choice; gives their indices."""
        any_ = np.flatnonzero(open_.any(axis=0))
        if not first and not self.batches.tight[band[any_]].all():
            self.batches.tighten(band[any_])
            return any_
        ranked = np.argsort(np.where(open_, value, np.inf), axis=1, kind="stable")[:, :BATCHED]
        wanted = np.unique(ranked[np.take_along_axis(open_, ranked, axis=1)])
        self.batches.make_exact(band[wanted])
        return wanted

    def _candidate(self, choice: int, points: Index, value: Floats, examples: Floats) -> Candidate | None:
        """The best point of one choice among those that are exact; of equal ones the cheapest."""
        exact = self.batches.exact[self.points.band[points]] & np.isfinite(value)
        if not exact.any():
            return None
        least = value[exact].min()
        ties = np.flatnonzero(exact & (value <= least + TIE * abs(least)))
        trials = Trials(np.full(len(ties), choice, np.intp), points[ties], examples[ties])
        second = price(self.evaluator.bill(trials)) if self.target is None else self.evaluator.score(trials)
        return self.candidate(trials.take(np.array([int(np.argmin(second))])))

    def candidate(self, trial: Trials) -> Candidate:
        """One trial (made exact here) as a candidate."""
        point = int(trial.point[0])
        band = self.points.band[trial.point]
        self.batches.make_exact(band)
        bands = self.points.bands
        loss = float(self.evaluator.expected(trial)[0])
        return Candidate(
            choice=self.choices[int(trial.choice[0])],
            index=int(trial.choice[0]),
            point=point,
            examples=int(trial.examples[0]),
            avg_tokens=float(self.points.avg_tokens[point]),
            eligible=int(bands.examples[band[0]]),
            band=(int(bands.lo[band[0]]), int(bands.hi[band[0]])),
            loss=loss,
            score=loss if self.evaluator.risk is None else float(self.evaluator.score(trial)[0]),
            bill=scalar(self.evaluator.bill(trial), 0),
        )

    def polished(self, own: Candidate) -> Candidate:
        """The best number of examples around one where the metric may have a turn; elsewhere it is at an end."""
        trial = own.trial
        most = float(self.evaluator.most(trial, self.limits)[0])
        least = float(self.points.least[own.point])
        # between the neighbours among the numbers looked at
        near = np.sort(np.concatenate(self.evaluator.looked_at)) / float(self.evaluator.unit(trial)[0])
        if self.target is not None or not own.examples > least or not (near <= most).any():
            return own
        low = np.floor(max([least, *near[near < own.examples]]))
        high = np.ceil(min([most, *near[near > own.examples + 1.0]]))
        while high - low >= 1.0:
            tried: Floats = np.unique(np.round(np.linspace(low, high, 33)))
            scores = self.evaluator.score(trial.take(np.zeros(len(tried), np.intp)).of(tried))
            k = int(np.argmin(scores))
            if high - low <= 32.0:
                return self.candidate(trial.of(float(tried[k])))
            low, high = tried[max(k - 1, 0)], tried[min(k + 1, len(tried) - 1)]
        return own

    def _order(self, c: Candidate) -> tuple[float, float, int]:
        """Best first: by metric then price, or by price then metric where a target is set; then as choices stand."""
        score = float(f"{c.score:.12g}")
        return (c.price, score, c.index) if self.target is not None else (score, c.price, c.index)

    def _promising(self) -> Index:
        """All choices, or where these are many those that do best at a few points, and the best of every kind."""
        every = np.arange(len(self.choices))
        if self.points.fixed or len(every) * len(self.points) <= MOST_PAIRS:
            return every
        some = self._first_points
        value = self.evaluate(every_pair(every, some))[0].reshape(len(every), -1).min(axis=1)
        order = [int(i) for i in np.argsort(value, kind="stable") if np.isfinite(value[i])]
        kept = set(order[:KEPT])
        for kind in self._kinds:
            first: dict[object, int] = {}
            for i in order:
                first.setdefault(kind[i], i)
            kept.update(list(first.values())[:MOST_KINDS])
        return np.array(sorted(kept), dtype=np.intp)

    @cached_property
    def _first_points(self) -> Index:
        """Points spread evenly in the logarithm of L."""
        length = np.log(self.points.avg_tokens)
        wanted = np.linspace(length.min(), length.max(), FIRST_POINTS)
        return np.unique([int(np.argmin(np.abs(length - w))) for w in wanted]).astype(np.intp)

    @cached_property
    def _kinds(self) -> tuple[list[object], ...]:
        return (
            [c.method.name for c in self.choices],
            [c.epochs for c in self.choices],
            [(c.trained.model.name, c.trained.tuning) for c in self.choices],
        )
