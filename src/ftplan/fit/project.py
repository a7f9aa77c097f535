"""The linear half of a fit: the best amplitudes at given nonlinear parameters, bounds kept (variable projection,
Golub & Pereyra 1973).
"""

from __future__ import annotations

import numpy as np

from ftplan.fit.linear import solve
from ftplan.fit.problem import Bools
from ftplan.laws.parts import Floats

#: relative ridge on the unit-diagonal normal equations: far below any digit printed, and keeps a flat curve solvable
RIDGE = 1e-13
#: rounds of exchanging bounds, far above what any table needs, and rounds without progress before they are exchanged
#: one at a time
PIVOTS, PATIENCE = 200, 3


def project(gram: Floats, moment: Floats, low: Floats, held: Bools) -> Floats:
    """Amplitudes (B, K) that minimise a'Ga - 2 m'a with a >= low, and a = low where held, both (K,).

    gram: (B, K, K) weighted sums of products of the columns; moment: (B, K) of columns and what is to be explained.
    """
    scale = np.sqrt(np.maximum(np.einsum("bkk->bk", gram), 1e-300))
    even = gram / (scale[:, :, None] * scale[:, None, :]) + RIDGE * np.eye(gram.shape[1])
    return np.asarray(_bounded(even, moment / scale, low * scale, held) / scale)


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
        best[bad] = _pivoted(gram[bad], moment[bad], low[bad], held, best[bad])
    return best


def _pivoted(gram: Floats, moment: Floats, low: Floats, held: Bools, trial: Floats) -> Floats:
    """The same by block principal pivoting (Portugal, Júdice & Vicente 1994): amplitudes below their bounds are held
    there and held ones that pull away are let go, all at once, and one at a time where that goes in circles.

    trial: the solution without bounds.
    """
    bounds, finite = low, np.where(np.isfinite(low), low, 0.0)
    out, live = trial.copy(), np.arange(len(low))
    fixed = np.broadcast_to(held, low.shape)
    small = 1e-12 * np.abs(moment).max(axis=1, keepdims=True)
    fewest, patience = np.full(len(low), low.shape[1] + 1), np.full(len(low), PATIENCE)
    for _ in range(PIVOTS):
        pull = np.matmul(gram, trial[:, :, None])[:, :, 0] - moment
        wrong = np.where(fixed, pull < -small, trial < low - small) & ~held
        count = wrong.sum(axis=1)
        out[live] = trial
        going = count > 0
        if not going.any():
            break
        # those that are done leave the batch
        live, gram, moment, low, finite = live[going], gram[going], moment[going], low[going], finite[going]
        fixed, small, wrong, count = fixed[going], small[going], wrong[going], count[going]
        fewest, patience = fewest[going], patience[going]
        patience = np.where(count < fewest, PATIENCE, patience - 1)
        fewest = np.minimum(fewest, count)
        last = wrong & (np.cumsum(wrong, axis=1) == count[:, None])
        fixed = fixed ^ np.where(patience[:, None] < 0, last, wrong)
        trial = _solve_fixed(gram, moment, finite, fixed)
    return np.maximum(out, bounds)
