"""The linear half of a fit: the best amplitudes at given nonlinear parameters, bounds kept (variable projection,
Golub & Pereyra 1973).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ftplan.fit.linear import solve
from ftplan.fit.problem import Batch, Bools
from ftplan.laws.law import Evaluation
from ftplan.laws.parts import Floats

#: relative ridge on the unit-diagonal normal equations: far below any digit printed, and keeps a flat curve solvable
RIDGE = 1e-13
#: up to this many bounded amplitudes every set of active bounds is tried, which is exact
ENUMERATE = 4
#: rounds of exchanging bounds where there are more, far above what any table needs, and rounds without progress
#: before they are exchanged one at a time
PIVOTS, PATIENCE = 200, 3


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
    amplitudes = _bounded(gram, moment / scale, batch.amplitude_low * scale, batch.held) / scale
    residual = target - np.matmul(columns, amplitudes[:, :, None])[:, :, 0]
    return amplitudes, np.einsum("bn,bn->b", batch.w * residual, residual)


def _solve(system: Floats, right: Floats) -> Floats:
    """Batched solve for one right-hand side each: (b, K, K), (b, K) -> (b, K)."""
    return solve(system, right[:, :, None])[:, :, 0]


def _solve_fixed(gram: Floats, moment: Floats, low: Floats, fixed: Bools) -> Floats:
    """Solve with some amplitudes held at their lower bounds: (b, K)."""
    held = np.where(fixed, low, 0.0)
    right = moment - np.einsum("bkj,bj->bk", gram, held)
    free = ~fixed
    system = gram * free[:, :, None] * free[:, None, :]
    system = system + np.eye(gram.shape[1]) * fixed[:, :, None]
    return _solve(system, np.where(fixed, low, right))


def _bounded(gram: Floats, moment: Floats, low: Floats, held: Bools) -> Floats:
    """The amplitudes (B, K) that minimise a'Ga/2 - m'a with a >= low, and a = low where held (K,)."""
    always = np.broadcast_to(held, low.shape)
    best = _solve_fixed(gram, moment, low, always) if held.any() else _solve(gram, moment)
    bad = np.flatnonzero((best < low - 1e-12).any(axis=1))
    if len(bad):
        exact = gram.shape[1] <= ENUMERATE
        best[bad] = (_enumerated if exact else _pivoted)(gram[bad], moment[bad], low[bad], held)
    return best


def _pivoted(gram: Floats, moment: Floats, low: Floats, held: Bools) -> Floats:
    """The same by block principal pivoting (Portugal, Júdice & Vicente 1994): amplitudes below their bounds are held
    there and held ones that pull away are let go, all at once, and one at a time where that goes in circles.
    """
    finite = np.where(np.isfinite(low), low, 0.0)
    fixed = np.broadcast_to(held, low.shape).copy()
    small = 1e-12 * np.abs(moment).max(axis=1, keepdims=True)
    fewest, patience = np.full(len(low), low.shape[1] + 1), np.full(len(low), PATIENCE)
    trial = _solve_fixed(gram, moment, finite, fixed)
    for _ in range(PIVOTS):
        pull = np.einsum("bkj,bj->bk", gram, trial) - moment
        wrong = np.where(fixed, pull < -small, trial < low - small) & ~held
        count = wrong.sum(axis=1)
        if not count.any():
            break
        patience = np.where(count < fewest, PATIENCE, patience - 1)
        fewest = np.minimum(fewest, count)
        last = wrong & (np.cumsum(wrong, axis=1) == count[:, None])
        fixed ^= np.where(patience[:, None] < 0, last, wrong)
        trial = _solve_fixed(gram, moment, finite, fixed)
    return np.maximum(trial, low)


def _enumerated(gram: Floats, moment: Floats, low: Floats, held: Bools) -> Floats:
    """The best of all sets of active bounds, which is the optimum of a convex problem."""
    finite = np.where(np.isfinite(low), low, 0.0)
    value, kept = np.full(len(low), np.inf), np.zeros_like(moment)
    bounded = np.isfinite(low[0]).tolist()
    sides = [(True,) if h else (False, True) if b else (False,) for b, h in zip(bounded, held.tolist(), strict=True)]
    for active in product(*sides):
        fixed = np.broadcast_to(np.array(active), low.shape)
        trial = _solve_fixed(gram, moment, finite, fixed)
        cost = 0.5 * np.einsum("bk,bkj,bj->b", trial, gram, trial) - np.einsum("bk,bk->b", moment, trial)
        better = (trial >= low - 1e-12).all(axis=1) & (cost < value)
        value[better] = cost[better]
        kept[better] = np.maximum(trial, low)[better]
    return kept
