"""A few amounts of data, each at many lengths: a best length between two of three lengths is told by the shape assumed
for the rest; here by runs on either side of it, at the smallest and at the largest amount alike.
"""

from __future__ import annotations

import numpy as np

from ftplan.simulate.designs import DesignShape, sizes

WORDS = "many lengths at each of three amounts of data"
LEAST_RUNS = 10
#: two amounts cannot tell a curve from a line, four leave fewer lengths to each
AMOUNTS = 3


def shape(runs: int) -> DesignShape:
    lengths = runs // AMOUNTS
    return DesignShape(np.repeat(sizes(AMOUNTS), lengths), np.tile(np.linspace(-1.0, 1.0, lengths), AMOUNTS))
