"""Another amount of data in every run, long, short and middle lengths in turn: amount and length are not correlated."""

from __future__ import annotations

import numpy as np

from ftplan.simulate.designs import DesignShape, sizes

WORDS = "another amount of data in every run, three lengths in turn"
LEAST_RUNS = 6
PLACES = (1.0, -1.0, 0.0)


def shape(runs: int) -> DesignShape:
    return DesignShape(sizes(runs), np.resize(PLACES, runs))
