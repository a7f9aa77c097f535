"""Where one thing overtakes another along an axis (budget, ratio of sizes), for every bootstrap draw, and what the
draws say together.

A draw may have no crossing in the range that was looked at. It then counts as beyond that end of the range, and an
interval that reaches there has no end on that side: nothing is left out, so that intervals keep what they promise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.fit.problem import Bools, Index
from ftplan.laws.parts import Floats

#: an interval from x to more than this many times x says nothing: two orders of magnitude
WIDEST = 100.0


@dataclass(frozen=True)
class Threshold:
    """A point of the range [start, stop] from which something holds, with the interval of probability `level`.

    estimate, low, high: -inf where it holds at `start` already, inf where it does not come to hold by `stop`;
    share: share of draws in which it holds somewhere in the range;
    told: whether the draws agree enough to name it: the interval ends inside the range, or all of it lies on one side.
    """

    estimate: float
    low: float
    high: float
    start: float
    stop: float
    share: float
    level: float

    @property
    def told(self) -> bool:
        if not self.low <= self.estimate <= self.high:
            return False
        if self.low == np.inf:
            return True
        return bool(self.high < np.inf and self.high <= WIDEST * max(self.low, self.start))

    @property
    def never(self) -> bool:
        """Whether it is told that it holds nowhere in the range."""
        return self.low == np.inf

    @property
    def always(self) -> bool:
        """Whether it is told that it holds from the start of the range on."""
        return self.high == -np.inf


def rises(x: Floats, lead: Floats) -> Floats:
    """(B,) the first x (g,), ascending and positive, from which lead (B, g) is above 0: -inf where it is at x[0], inf
    where it is nowhere. Linear in ln x between two points; half way where one of them is not finite.
    """
    above = lead > 0.0
    return _at(x, lead, np.argmax(above, axis=1), np.asarray(above.any(axis=1)), -np.inf)


def falls(x: Floats, lead: Floats) -> Floats:
    """(B,) the first x after `rises` at which lead (B, g) is no longer above 0; inf where it stays, or never was."""
    above = lead > 0.0
    first = np.argmax(above, axis=1)
    after = (np.arange(lead.shape[1]) > first[:, None]) & ~above
    found = np.asarray(above.any(axis=1) & after.any(axis=1))
    return _at(x, lead, np.argmax(after, axis=1), found, np.inf)


def _at(x: Floats, lead: Floats, place: Index, found: Bools, first: float) -> Floats:
    rows = np.arange(len(lead))
    left = np.maximum(place - 1, 0)
    a, b = lead[rows, left], lead[rows, place]
    known = np.isfinite(a) & np.isfinite(b) & (a != b)
    share = np.divide(a, np.subtract(a, b, where=known, out=np.ones_like(a)), where=known, out=np.full_like(a, 0.5))
    between = np.exp(np.log(x[left]) + np.clip(share, 0.0, 1.0) * (np.log(x[place]) - np.log(x[left])))
    return np.where(found, np.where(place == 0, first, between), np.inf)


def threshold(x: Floats, estimate: float, draws: Floats, level: float) -> Threshold:
    """What draws (B,) of a crossing on the range of x say together; an infinite one lies beyond that end."""
    tail = (1.0 - level) / 2.0
    ordered = np.sort(draws)
    # order statistics and nothing between them: half way to infinity is no number
    low, high = (float(ordered[round(q * (len(ordered) - 1))]) for q in (tail, 1.0 - tail))
    share = float(np.mean(draws < np.inf))
    return Threshold(estimate, low, high, float(x[0]), float(x[-1]), share, level)
