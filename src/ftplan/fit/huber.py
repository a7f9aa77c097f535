"""Huber loss on log residuals (delta 1e-3), as the scaling literature fits: Hoffmann et al. 2022, arXiv 2203.15556.

Nearly an absolute error, so Newton's curvature (only the rows within delta) may vanish; it is damped by the curvature
of the majorising weighted squares, delta/|r|, which never does. Large damping is one reweighted-squares step, none is
Newton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.fit.problem import Batch, Bools, Index, Solution
from ftplan.laws.parts import Floats, side_by_side

DELTA = 1e-3
MAX_ITERATIONS = 200
#: a step that gains less than this share is quiet; QUIET of them in a row end a fit (one may be a kink stepped over)
TOLERANCE = 1e-8
QUIET = 2


def loss(residual: Floats, weight: Floats) -> Floats:
    """(B,) sum of w·huber(residual)."""
    size = np.abs(residual)
    out: Floats = np.einsum("bn,bn->b", weight, np.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA)))
    return out


@dataclass(frozen=True)
class _Local:
    """What a step needs of B fits at one point: the gradient (B, Q), and the curvature (B, Q, Q) of the rows within
    delta and of the majorising squares.
    """

    gradient: Floats
    within: Floats
    majorant: Floats

    def store(self, places: Index, other: _Local, picked: Bools) -> None:
        """Overwrite the fits at `places` with the picked ones of another."""
        for own, new in zip(vars(self).values(), vars(other).values(), strict=True):
            own[places] = new[picked]


@np.errstate(over="ignore", invalid="ignore")
def _look(batch: Batch, theta: Floats, amplitudes: Floats) -> tuple[Floats, _Local]:
    """The objective (B,) and its first two derivatives at one point of every fit."""
    at = batch.evaluate(theta)
    predicted = at.predict(amplitudes)
    # where a step went much too far, a prediction is not positive and the objective infinite: nothing here is used
    positive = predicted > 0.0
    predicted = np.where(positive, predicted, 1.0)
    residual = np.where(positive, np.log(batch.y / predicted), np.inf)
    slope = side_by_side([batch.law.jacobian(batch.rows, theta, amplitudes, at, batch.refs), at.columns])
    slope = slope / predicted[:, :, None]
    size = np.abs(residual)
    pull = batch.w * np.clip(residual, -DELTA, DELTA)
    within = batch.w * (size <= DELTA)
    majorant = batch.w * np.minimum(1.0, DELTA / np.maximum(size, 1e-300))
    transposed = slope.transpose(0, 2, 1)
    local = _Local(
        np.matmul(transposed, pull[:, :, None])[:, :, 0],
        np.matmul(transposed * within[:, None, :], slope),
        np.matmul(transposed * majorant[:, None, :], slope),
    )
    return loss(residual, batch.w), local


def _step(batch: Batch, now: Floats, gradient: Floats, hessian: Floats) -> Floats:
    """All parameters (B, Q) after one step of Newton's method, bounds held."""
    low = np.concatenate([batch.theta_low, batch.amplitude_low])
    high = np.concatenate([batch.theta_high, np.full(len(batch.amplitude_low), np.inf)])
    held = ((now <= low) & (gradient < 0.0)) | ((now >= high) & (gradient > 0.0))
    held[:, len(batch.theta_low) :] |= batch.held
    diagonal = np.einsum("bpp->bp", hessian)
    ridge = 1e-12 * diagonal + 1e-14 * diagonal.max(axis=1, keepdims=True) + 1e-300
    eye = np.eye(diagonal.shape[1])
    for _ in range(diagonal.shape[1]):
        free = ~held
        system = hessian * free[:, :, None] * free[:, None, :] + eye * (ridge + held * (1.0 + diagonal))[:, :, None]
        step: Floats = np.linalg.solve(system, (gradient * free)[:, :, None])[:, :, 0]
        # at a bound and drawn beyond it by the others: the step of these is only right without it
        beyond = (((now <= low) & (step < 0.0)) | ((now >= high) & (step > 0.0))) & free
        if not beyond.any():
            break
        held |= beyond
    return np.clip(now + step, low, high)


def refine(batch: Batch, start: Solution) -> Solution:
    """Local minima of the Huber objective from theta and amplitudes of `start` (its objective is not read)."""
    p = start.theta.shape[1]
    point = np.concatenate([start.theta, start.amplitudes], axis=1)
    objective, local = _look(batch, start.theta, start.amplitudes)
    converged = np.zeros(len(batch), dtype=bool)
    damping = np.full(len(batch), 1.0)
    quiet = np.zeros(len(batch), dtype=np.intp)
    live = np.arange(len(batch))
    for _ in range(MAX_ITERATIONS):
        part, now, gradient, old = batch.take(live), point[live], local.gradient[live], objective[live]
        moved = _step(part, now, gradient, local.within[live] + damping[live, None, None] * local.majorant[live])
        promised = np.einsum("bq,bq->b", gradient, moved - now)
        new, there = _look(part, moved[:, :p], moved[:, p:])
        better = new < old
        won = live[better]
        point[won], objective[won] = moved[better], new[better]
        local.store(won, there, better)
        damping[live] = np.where(better, np.maximum(damping[live] * 0.3, 1e-8), damping[live] * 4.0)
        # a step refused is quiet only when it promised next to nothing: far from the optimum it is merely too long
        still = np.where(better, old - new <= TOLERANCE * old, promised <= TOLERANCE * old)
        quiet[live] = np.where(still, quiet[live] + 1, 0)
        done = (quiet[live] >= QUIET) | (damping[live] > 1e6)
        converged[live[done]] = True
        live = live[~done]
        if not len(live):
            break
    return Solution(point[:, :p], point[:, p:], objective, converged)
