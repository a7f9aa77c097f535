"""What else the runs could have been: weights and values of resampled tables, drawn by cells of replicates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ftplan.fit.features import Data
from ftplan.fit.solve import Objective
from ftplan.laws.parts import Floats

Signs = npt.NDArray[np.int8]
#: random numbers drawn at once
AT_ONCE = 1_000_000


def kind(objective: Objective) -> str:
    """Wild (residual) for squares: it keeps the design. Case for Huber: outliers are not noise to redistribute."""
    return "wild" if objective == "squares" else "case"


def signs(data: Data, draws: int, seed: int) -> Signs:
    """(draws, cells) of 1 and -1 at random."""
    rng = np.random.default_rng(seed)
    out = np.empty((draws, data.n_cells), dtype=np.int8)
    step = max(1, AT_ONCE // data.n_cells)
    for i in range(0, draws, step):
        out[i : i + step] = rng.integers(0, 2, size=(min(step, draws - i), data.n_cells)) * 2 - 1
    return out


def wild(data: Data, predicted: Floats, n_params: int, drawn: Signs) -> Floats:
    """(draws, n) values: prediction (n,) plus residual with one random sign (draws, cells) per cell, so that replicates
    stay together.

    Residuals are widened by c / (c - p) for the freedom that the fit used up, c the number of cells: the jackknife's
    factor (HC3; MacKinnon & White 1985) at even leverage. Its square root, counted over rows, made 90 % intervals that
    held the truth in 78 % of simulated tables of 20 cells; this one makes 90 %.
    """
    out: Floats = predicted + widened(data, n_params) * (data.y - predicted) * drawn[:, data.cell]
    return out


def widened(data: Data, n_params: int) -> float:
    """What residuals are multiplied by."""
    return data.n_cells / max(data.n_cells - n_params, 1)


def case(data: Data, draws: int, seed: int) -> Floats:
    """(draws, n) weights: cells drawn with replacement within each group, replicates together."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((draws, data.n_cells))
    group_of = {int(c): g for c, g in zip(data.cell, data.rows.level, strict=True)}
    for level in sorted(set(group_of.values())):
        own = np.array([c for c, g in sorted(group_of.items()) if g == level])
        weights[:, own] = rng.multinomial(len(own), np.full(len(own), 1.0 / len(own)), size=draws)
    return weights[:, data.cell]
