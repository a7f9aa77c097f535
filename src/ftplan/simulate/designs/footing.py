"""A factorial over a wider span of data, with its smallest runs made twice: they cost next to nothing, tell where the
curve starts, and leave the budget to the largest ones.
"""

from __future__ import annotations

import numpy as np

from ftplan.simulate.designs import SPAN, DesignShape, crossed, sizes

WORDS = "three lengths at every amount of data, the smallest runs twice"
LEAST_RUNS = 9


def shape(runs: int) -> DesignShape:
    levels = sizes(runs // 3 - 1, 2.0 * SPAN)
    return crossed(np.concatenate([levels[:1], levels]))
