"""Huber loss on log residuals (delta 1e-3), as the scaling literature fits: Hoffmann et al. 2022, arXiv 2203.15556.

Nearly an absolute error, so Newton's curvature (only the rows within delta) may vanish; it is damped by the curvature
of the majorising weighted squares, delta/|r|, which never does. Large damping is one reweighted-squares step, none is
Newton.
"""

from __future__ import annotations

import numpy as np

from ftplan.fit.problem import Batch, Solution
from ftplan.laws.parts import Floats

DELTA = 1e-3
MAX_ITERATIONS = 200
#: a step that gains less than this share is quiet; QUIET of them in a row end a fit (one may be a kink stepped over)
TOLERANCE = 1e-8
QUIET = 4


def loss(residual: Floats, weight: Floats) -> Floats:
    """(B,) sum of w·huber(residual)."""
    size = np.abs(residual)
    out: Floats = np.einsum("bn,bn->b", weight, np.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA)))
    return out


def log_residual(batch: Batch, theta: Floats, amplitudes: Floats) -> tuple[Floats, Floats]:
    """Ln y - ln prediction and the prediction, each (B, n); inf where the prediction is not positive."""
    predicted = batch.evaluate(theta).predict(amplitudes)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(predicted > 0.0, np.log(batch.y) - np.log(predicted), np.inf)
    return out, predicted


def _newton(batch: Batch, theta: Floats, amplitudes: Floats, damping: Floats) -> tuple[Floats, Floats]:
    """All parameters after one damped step (B, P + K), bounds held; and the gain (B,) that the gradient promises."""
    at = batch.evaluate(theta)
    predicted = at.predict(amplitudes)
    slope = np.concatenate([batch.law.jacobian(batch.rows, theta, amplitudes, at, batch.refs), at.columns], axis=2)
    slope = slope / predicted[:, :, None]
    residual = np.log(batch.y) - np.log(predicted)
    size = np.abs(residual)
    pull = batch.w * np.clip(residual, -DELTA, DELTA)
    within = batch.w * (size <= DELTA)
    majorant = batch.w * np.minimum(1.0, DELTA / np.maximum(size, 1e-300))
    curvature = within + damping[:, None] * majorant
    transposed = slope.transpose(0, 2, 1)
    gradient = np.matmul(transposed, pull[:, :, None])[:, :, 0]
    hessian = np.matmul(transposed * curvature[:, None, :], slope)
    low = np.concatenate([batch.theta_low, batch.amplitude_low])
    high = np.concatenate([batch.theta_high, np.full(amplitudes.shape[1], np.inf)])
    all_of = np.concatenate([theta, amplitudes], axis=1)
    held = ((all_of <= low) & (gradient < 0.0)) | ((all_of >= high) & (gradient > 0.0))
    held[:, theta.shape[1] :] |= batch.held
    diagonal = np.einsum("bpp->bp", hessian)
    ridge = 1e-12 * diagonal + 1e-14 * diagonal.max(axis=1, keepdims=True) + 1e-300
    eye = np.eye(diagonal.shape[1])
    for _ in range(diagonal.shape[1]):
        free = ~held
        system = hessian * free[:, :, None] * free[:, None, :] + eye * (ridge + held * (1.0 + diagonal))[:, :, None]
        step: Floats = np.linalg.solve(system, (gradient * free)[:, :, None])[:, :, 0]
        # at a bound and drawn beyond it by the others: the step of these is only right without it
        beyond = (((all_of <= low) & (step < 0.0)) | ((all_of >= high) & (step > 0.0))) & free
        if not beyond.any():
            break
        held |= beyond
    moved = np.clip(all_of + step, low, high)
    return moved, np.einsum("bp,bp->b", gradient, moved - all_of)


def refine(batch: Batch, start: Solution) -> Solution:
    """Local minima of the Huber objective from theta and amplitudes of `start` (its objective is not read)."""
    theta, amplitudes = start.theta.copy(), start.amplitudes.copy()
    objective = loss(log_residual(batch, theta, amplitudes)[0], batch.w)
    converged = np.zeros(len(batch), dtype=bool)
    damping = np.full(len(batch), 1.0)
    quiet = np.zeros(len(batch), dtype=np.intp)
    live = np.arange(len(batch))
    p = theta.shape[1]
    for _ in range(MAX_ITERATIONS):
        part = batch.take(live)
        moved, promised = _newton(part, theta[live], amplitudes[live], damping[live])
        new = loss(log_residual(part, moved[:, :p], moved[:, p:])[0], part.w)
        old = objective[live]
        better = new < old
        won = live[better]
        theta[won], amplitudes[won], objective[won] = moved[better, :p], moved[better, p:], new[better]
        damping[live] = np.where(better, np.maximum(damping[live] * 0.3, 1e-8), damping[live] * 4.0)
        # a step refused is quiet only when it promised next to nothing: far from the optimum it is merely too long
        still = np.where(better, old - new <= TOLERANCE * old, promised <= TOLERANCE * old)
        quiet[live] = np.where(still, quiet[live] + 1, 0)
        done = (quiet[live] >= QUIET) | (damping[live] > 1e6)
        converged[live[done]] = True
        live = live[~done]
        if not len(live):
            break
    return Solution(theta, amplitudes, objective, converged)
