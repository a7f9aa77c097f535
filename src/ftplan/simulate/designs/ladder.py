"""More and more data at the pool's mean length: tells what more data brings, and nothing about length."""

from __future__ import annotations

import numpy as np

from ftplan.simulate.designs import DesignShape, sizes

WORDS = "one length, more and more data"
LEAST_RUNS = 5


def shape(runs: int) -> DesignShape:
    return DesignShape(sizes(runs), np.zeros(runs))
