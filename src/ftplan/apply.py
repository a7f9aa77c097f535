"""Which rows of a pool a plan's recipe draws: exactly N of those in its length band, with mean length L where it can.

At random, every row of the band is equally likely, but the mean is not left to luck: N of P rows drawn one by one miss
the band's mean by about sd / sqrt(N), several per cent for a hundred rows with a long tail. So rows are laid out by
length, each moved by up to P/N places, and every P/N-th is taken from a random start (systematic sampling: Madow and
Madow 1944), which takes each row with chance N/P and leaves little to luck. A draw whose mean is off all the same is
made again; where that does not help, since L is not the band's own mean or rows are few, rows are exchanged.
By score, the best rows or the middle ones are what they are, and so is their mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ftplan.errors import Infeasible, InputError
from ftplan.measure import Measure
from ftplan.plan.result import PlannedData

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: the mean is matched this closely where rows are drawn at random, as a share of it; better than promised
CLOSE = 0.005
#: how far the mean of a random draw may be off, as a share of L
PROMISED = 0.01
#: draws made before rows are exchanged, and the rows that all of them together may sort, for time's sake
MOST_DRAWS, MOST_SORTED = 200, 20_000_000


@dataclass(frozen=True)
class Order:
    """What `apply` is asked for. data: of the plan; method: of selection; measure: None where its pool was no profile.

    tokenizer: where the tokenizer.json of the measure should lie, '' for none.
    """

    data: PlannedData
    method: str
    measure: Measure | None
    tokenizer: str


@dataclass(frozen=True)
class DrawnRows:
    """rows: (N,) indices into the pool, in the order to train in; total_tokens: after the cut; eligible: P_e."""

    rows: Ints
    total_tokens: int
    eligible: int

    @property
    def avg_tokens(self) -> float:
        return self.total_tokens / len(self.rows)


def eligible_rows(lengths: npt.NDArray[np.int32], wanted: PlannedData) -> Ints:
    """Indices of the rows in the band. lengths: (n,) tokens, 0 for a row without a text.

    Raises Infeasible where there are fewer than N.
    """
    cut = np.minimum(lengths, wanted.recipe.cut_tokens)
    low, high = wanted.recipe.band
    rows: Ints = np.flatnonzero((cut >= max(low, 1)) & (cut <= high))
    if len(rows) < wanted.examples:
        raise Infeasible(
            f"the plan takes {wanted.examples:,} examples of {low:,} to {high:,} tokens, this pool has {len(rows):,}",
            hint="profile this pool and plan again",
        )
    return rows


def draw(lengths: npt.NDArray[np.int32], wanted: PlannedData, scores: Floats | None = None) -> DrawnRows:
    """The rows of the plan. scores: (n,) of all rows of the pool, more is better; None where rows are drawn at random.

    Same lengths, recipe and scores: same rows in the same order. Raises Infeasible where the band holds fewer than N.
    """
    rows = eligible_rows(lengths, wanted)
    cut = np.minimum(lengths[rows], wanted.recipe.cut_tokens).astype(np.int64)
    random = np.random.default_rng(wanted.recipe.seed)
    if wanted.recipe.sampling == "uniform":
        picked = _balanced(cut, wanted, random)
    else:
        if scores is None:
            raise InputError("rows chosen by score need scores")
        picked = _by_score(scores[rows], random.random(len(rows)), wanted)
    picked = np.sort(picked)
    shuffled = picked[np.argsort(random.random(len(picked)), kind="stable")]
    return DrawnRows(rows[shuffled], int(cut[shuffled].sum()), len(rows))


def _by_score(scores: Floats, keys: Floats, wanted: PlannedData) -> Ints:
    """The best rows, or those around the middle of the ranking; of equal scores those with the least keys."""
    order: Ints = np.lexsort((keys, -scores))
    first = (len(order) - wanted.examples) // 2 if wanted.recipe.sampling == "mid" else 0
    return order[first : first + wanted.examples]


def _balanced(cut: Ints, wanted: PlannedData, random: np.random.Generator) -> Ints:
    """Rows drawn at random, with mean L as closely as lengths allow."""
    rows, examples = len(cut), wanted.examples
    keys = random.random(rows)
    order: Ints = np.lexsort((keys, cut))
    sizes, total = cut[order], round(wanted.avg_tokens * examples)
    best: Ints | None = None
    for _ in range(max(1, min(MOST_DRAWS, MOST_SORTED // rows))):
        moved = np.argsort(np.arange(rows) + random.random(rows) * (rows / examples), kind="stable")
        picked = moved[every_nth(rows, examples, float(random.random()))]
        if best is None or abs(total - sizes[picked].sum()) < abs(total - sizes[best].sum()):
            best = picked
        if abs(total - sizes[best].sum()) <= CLOSE * total:
            return order[best]
    assert best is not None, "at least one draw is made"
    return order[_with_total(sizes, best, total)]


def every_nth(rows: int, examples: int, start: float) -> Ints:
    """(examples,) places among `rows`, all different and rows / examples apart. start: 0 to 1, where the first is.

    Over a uniform start each place is taken with chance examples / rows. In whole numbers: no rounding takes one twice.
    """
    places: Ints = (np.arange(examples, dtype=np.int64) * rows + int(start * rows)) // examples
    return places


def _with_total(sizes: Ints, picked: Ints, total: int) -> Ints:
    """Places among rows of these sizes, ascending: the picked ones with some exchanged for the sake of the total.

    Of rows of one size the first are taken: they stand in random order.
    """
    lengths, first, counts = np.unique(sizes, return_index=True, return_counts=True)
    had = np.bincount(np.searchsorted(lengths, sizes[picked]), minlength=len(lengths))
    taken = exchanged(lengths, counts, had, total)
    within = np.arange(len(sizes)) - np.repeat(first, counts)
    return np.flatnonzero(within < np.repeat(taken, counts))


def exchanged(lengths: Ints, counts: Ints, taken: Ints, total_tokens: int) -> Ints:
    """`taken` with rows exchanged, one at a time, until their tokens are within CLOSE of the total wanted.

    lengths, counts, taken: (k,), lengths ascending. Each exchange is the one that comes nearest; it ends as well where
    none comes nearer.
    """
    taken = taken.copy()
    missing = total_tokens - int(lengths @ taken)
    while abs(missing) > CLOSE * total_tokens:
        out, into = np.flatnonzero(taken > 0), np.flatnonzero(taken < counts)
        if not len(into):
            break
        # the length to put in for each that could be taken out: a neighbour of the one that would be right
        right = np.searchsorted(lengths[into], lengths[out] + missing)
        candidates = np.stack([np.clip(right - 1, 0, len(into) - 1), np.clip(right, 0, len(into) - 1)])
        off = np.abs(lengths[out] + missing - lengths[into[candidates]])
        side, at = np.unravel_index(int(np.argmin(off)), off.shape)
        if off[side, at] >= abs(missing):
            break
        old, new = out[at], into[candidates[side, at]]
        taken[old] -= 1
        taken[new] += 1
        missing -= int(lengths[new] - lengths[old])
    return taken
