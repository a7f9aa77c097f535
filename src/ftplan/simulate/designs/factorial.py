"""Every amount of data at a short, a middle and a long length: what most people do."""

from __future__ import annotations

from ftplan.simulate.designs import DesignShape, crossed, sizes

WORDS = "three lengths at every amount of data"
LEAST_RUNS = 6


def shape(runs: int) -> DesignShape:
    return crossed(sizes(runs // 3))
