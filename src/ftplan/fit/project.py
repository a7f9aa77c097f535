"""The linear half of a fit: the best amplitudes at given nonlinear parameters, bounds kept (variable projection,
Golub & Pereyra 1973).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ftplan.fit.problem import Batch, Bools
from ftplan.laws.law import Evaluation
from ftplan.laws.parts import Floats

#: relative ridge on the unit-diagonal normal equations: far below any digit printed, and keeps a flat curve solvable
RIDGE = 1e-13
#: up to this many bounded amplitudes every set of active bounds is tried, which is exact
ENUMERATE = 4


def project(batch: Batch, at: Evaluation) -> tuple[Floats, Floats]:
    """Amplitudes (B, K) that minimise sum w (y - prediction)^2 within bounds, and that minimum (B,)."""
    columns = np.broadcast_to(at.columns, (len(batch), *at.columns.shape[1:]))
    weighted = columns * batch.w[:, :, None]
    target = batch.y - at.offset
    gram = np.matmul(weighted.transpose(0, 2, 1), columns)
    moment = np.matmul(weighted.transpose(0, 2, 1), target[:, :, None])[:, :, 0]
    scale = np.sqrt(np.maximum(np.einsum("bkk->bk", gram), 1e-300))
    gram = gram / (scale[:, :, None] * scale[:, None, :])
    gram = gram + RIDGE * np.eye(gram.shape[1])
    amplitudes = _bounded(gram, moment / scale, batch.amplitude_low * scale) / scale
    residual = target - np.matmul(columns, amplitudes[:, :, None])[:, :, 0]
    return amplitudes, np.einsum("bn,bn->b", batch.w * residual, residual)


def _solve(system: Floats, right: Floats) -> Floats:
    """Batched solve for one right-hand side each: (b, K, K), (b, K) -> (b, K)."""
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0], dtype=np.float64)


def _solve_fixed(gram: Floats, moment: Floats, low: Floats, fixed: Bools) -> Floats:
    """Solve with some amplitudes held at their lower bounds: (b, K)."""
    held = np.where(fixed, low, 0.0)
    right = moment - np.einsum("bkj,bj->bk", gram, held)
    free = ~fixed
    system = gram * free[:, :, None] * free[:, None, :]
    system = system + np.eye(gram.shape[1]) * fixed[:, :, None]
    return _solve(system, np.where(fixed, low, right))


def _bounded(gram: Floats, moment: Floats, low: Floats) -> Floats:
    """Min a'Ga/2 - m'a with a >= low: exact by enumeration for few bounds, else by holding violators in turn."""
    best = _solve(gram, moment)
    bad = np.flatnonzero((best < low - 1e-12).any(axis=1))
    if not len(bad):
        return best
    g, m, lo = gram[bad], moment[bad], low[bad]
    if g.shape[1] > ENUMERATE:
        fixed = np.zeros_like(lo, dtype=bool)
        for _ in range(g.shape[1]):
            trial = _solve_fixed(g, m, np.where(np.isfinite(lo), lo, 0.0), fixed)
            worse = (trial < lo - 1e-12) & ~fixed
            if not worse.any():
                break
            fixed |= worse
        best[bad] = np.maximum(trial, lo)
        return best
    value = np.full(len(bad), np.inf)
    kept = np.zeros_like(m)
    bounded = np.all(np.isfinite(lo), axis=0)
    for held in product(*[(False, True) if b else (False,) for b in np.atleast_1d(bounded).tolist()]):
        fixed = np.broadcast_to(np.array(held), lo.shape)
        trial = _solve_fixed(g, m, np.where(np.isfinite(lo), lo, 0.0), fixed)
        cost = 0.5 * np.einsum("bk,bkj,bj->b", trial, g, trial) - np.einsum("bk,bk->b", m, trial)
        better = (trial >= lo - 1e-12).all(axis=1) & (cost < value)
        value[better] = cost[better]
        kept[better] = np.maximum(trial, lo)[better]
    best[bad] = kept
    return best
