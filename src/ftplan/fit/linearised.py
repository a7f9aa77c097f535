"""Refits of many rows by one step: how the optimum moves with what was measured, to first order."""

from __future__ import annotations

import numpy as np

from ftplan.fit import bootstrap
from ftplan.fit.bootstrap import Signs
from ftplan.fit.features import Data
from ftplan.fit.problem import Solution
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

#: rows from which on refits are one step: by then parameters that the runs tell move by a small share of what curves
#: the law, and one that they do not tell is reported as such whatever its draws
ROWS = 5_000
#: numbers of signs turned into floats at once
AT_ONCE = 4_000_000
#: directions that move the prediction less than this share of the one that moves it most are left alone
FLAT = 1e-12


def refits(data: Data, law: Law, point: Solution, weights: Floats, signs: Signs) -> Solution:
    """Least squares refits to wild draws (`ftplan.fit.bootstrap.wild`) with signs (draws, cells), from the optimum
    `point` (a Solution of one) under weights (n,): Gauss-Newton, clipped to the bounds.
    """
    at = law.evaluate(data.rows, point.theta, data.refs)
    slope = law.jacobian(data.rows, point.theta, point.amplitudes, at, data.refs)[0]
    columns = np.broadcast_to(at.columns[0], (len(data), point.amplitudes.shape[1]))
    whole = np.concatenate([slope, columns], axis=1)
    batch = data.batch(law, weights[None])
    low = np.concatenate([batch.theta_low, batch.amplitude_low])
    high = np.concatenate([batch.theta_high, np.full(columns.shape[1], np.inf)])
    now = np.concatenate([point.theta[0], point.amplitudes[0]])
    # what is held at its bound stays there
    free = (now > low) & (now < high)
    size = np.sqrt(np.maximum((weights[:, None] * whole**2).sum(axis=0), 1e-300))
    scaled = whole / size * free
    fitted = at.predict(point.amplitudes)[0]
    pull = scaled * (weights * bootstrap.widened(data, law.n_params(data.refs)) * (data.y - fitted))[:, None]
    by_cell = np.stack([np.bincount(data.cell, p, data.n_cells) for p in pull.T], axis=1)
    rows = max(1, AT_ONCE // data.n_cells)
    pulls = np.concatenate([signs[i : i + rows].astype(np.float64) @ by_cell for i in range(0, len(signs), rows)])
    inverse = np.linalg.pinv(scaled.T @ (scaled * weights[:, None]), rcond=FLAT, hermitian=True)
    moved = np.clip(now + pulls @ inverse / size, low, high)
    p, count = point.theta.shape[1], len(signs)
    return Solution(moved[:, :p], moved[:, p:], np.zeros(count), np.ones(count, dtype=bool))
