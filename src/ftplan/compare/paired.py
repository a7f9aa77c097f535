"""How much worse one law's held-out errors are than another's on the same rows, with the standard error of that.

Both laws were fitted to the same other rows, so a hard row is hard for both: the errors are paired, and the design
points, not the runs, are what was drawn independently. The error says how far design points differ. It does not know
the luck of the one fit behind all forecasts: over simulated tables differences ahead varied 0.6 to 1.7 times as much as
it says, cross-validated ones 0.5 to 0.8 times. A jackknife over the fitted points as well said two times too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ftplan.fit.problem import Index
from ftplan.laws.parts import Floats

#: two laws are tied where a t-test at this level does not tell them apart, or where the difference is this share of
#: the error itself: laws that run into one another differ by very little, and that with great certainty
TIED_LEVEL, NEGLIGIBLE = 0.05, 0.01


@dataclass(frozen=True)
class Difference:
    """value: how much larger an error is than the other's, in the metric's unit; se: its standard error over `cells`
    design points, None where one cannot say how much chance has a hand in it; other: the other's error.
    """

    value: float
    se: float | None
    cells: int
    other: float

    @property
    def tied(self) -> bool:
        """Whether chance may explain the difference, or nobody would mind it; a single design point cannot tell."""
        if abs(self.value) <= NEGLIGIBLE * self.other:
            return True
        if self.se is None:
            return False
        return abs(self.value) <= float(stdtrit(self.cells - 1, 1.0 - TIED_LEVEL / 2.0)) * self.se


def mean_absolute(errors: Floats, others: Floats, cells: Index) -> Difference:
    """Of the mean absolute errors. errors, others: (n,) of the same rows; cells: (n,) their design points."""
    gaps = np.abs(errors) - np.abs(others)
    return Difference(float(gaps.mean()), *_error_of_mean(gaps, cells), float(np.abs(others).mean()))


def root_mean_square(errors: Floats, others: Floats, cells: Index) -> Difference:
    """Of the root mean squares, by the delta method: d sqrt(s) = ds / (2 sqrt(s))."""
    own, its = (max(float(np.sqrt(np.mean(e**2))), 1e-300) for e in (errors, others))
    slope = errors**2 / (2.0 * own) - others**2 / (2.0 * its)
    return Difference(own - its, *_error_of_mean(slope, cells), its)


def _error_of_mean(values: Floats, cells: Index) -> tuple[float | None, int]:
    """The standard error of the mean of (n,) values where whole cells are drawn at random, and how many these are."""
    label = np.unique(cells, return_inverse=True)[1]
    count = int(label.max()) + 1
    if count < 2:
        return None, count
    totals = np.bincount(label, weights=values - values.mean(), minlength=count)
    return math.sqrt(count / (count - 1.0) * float(totals @ totals)) / len(values), count
