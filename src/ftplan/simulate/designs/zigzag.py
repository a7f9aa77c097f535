"""Another amount of data in every run, five lengths in turn: amount and length are not correlated, and a best length
lies between runs rather than at one.
"""

from __future__ import annotations

import numpy as np

from ftplan.simulate.designs import DesignShape, sizes

WORDS = "another amount of data in every run, five lengths in turn"
#: with 12 runs still far worse than with 15: the large runs are too few to have a length on either side of the best
LEAST_RUNS = 10
#: from the largest run down
PLACES = (-0.5, 0.5, 0.0, -1.0, 1.0)


def shape(runs: int) -> DesignShape:
    return DesignShape(sizes(runs)[::-1], np.resize(PLACES, runs))
