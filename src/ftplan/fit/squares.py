"""Least squares: batched Levenberg-Marquardt on the nonlinear parameters, amplitudes projected out after every step.

The step uses Kaufman's approximation (1975): the part of the Jacobian that amplitudes could take over is removed.

With a prior (`Batch.prior_noise`) the objective is (n + 1)·ln(S + noise^2) + sum of ((ln theta - centre)/sd)^2, S the
sum of squares and n the sum of weights in units of rows: a posterior with the noise integrated out, one pseudo-row of
the smallest noise beside the data, so that a perfect fit of few points cannot outvote what is known of exponents.
"""

from __future__ import annotations

import numpy as np

from ftplan.fit.linear import solve
from ftplan.fit.problem import Batch, Solution
from ftplan.fit.project import project
from ftplan.laws.law import Evaluation
from ftplan.laws.parts import Floats

#: stop a fit when a step gains less than this share of its sum of squares
TOLERANCE = 1e-10
MAX_ITERATIONS = 80
#: the same for refits of resampled tables, whose spread is many orders of magnitude wider; what still moves after that
#: many steps creeps along a flat valley, where one resample is as good as the next
REFIT_TOLERANCE, REFIT_ITERATIONS = 1e-7, 40


def penalised(batch: Batch, theta: Floats, squares: Floats) -> Floats:
    """(B,) the objective: the sum of squares itself, or with a prior the negative log posterior (twice)."""
    if batch.prior_noise is None:
        return squares
    centre, precision = batch.log_prior
    away = np.log(np.where(precision > 0.0, theta, 1.0)) - centre
    out: Floats = (batch.row_count + 1.0) * np.log(squares + batch.prior_noise**2) + (precision * away**2).sum(axis=1)
    return out


def normal_equations(
    batch: Batch, theta: Floats, amplitudes: Floats, at: Evaluation, squares: Floats
) -> tuple[Floats, Floats]:
    """H (B, P, P) and gradient (B, P) of the projected objective (Gauss-Newton), on the scale of the squares."""
    root = np.sqrt(batch.w)[:, :, None]
    slope = batch.law.jacobian(batch.rows, theta, amplitudes, at, batch.refs) * root
    free = (amplitudes > batch.amplitude_low)[:, None, :]
    columns = at.columns * root * free
    residual = (batch.y - at.predict(amplitudes))[:, :, None] * root
    gram = np.matmul(columns.transpose(0, 2, 1), columns)
    diagonal = np.einsum("bkk->bk", gram)
    gram = gram + np.eye(gram.shape[1]) * (1e-12 * diagonal + 1e-300 + 1.0 * (diagonal == 0.0))[:, :, None]
    taken = solve(gram, np.matmul(columns.transpose(0, 2, 1), slope))
    reduced = slope - np.matmul(columns, taken)
    transposed = reduced.transpose(0, 2, 1)
    hessian, gradient = np.matmul(transposed, reduced), np.matmul(transposed, residual)[:, :, 0]
    if batch.prior_noise is None:
        return hessian, gradient
    centre, precision = batch.log_prior
    scale = ((squares + batch.prior_noise**2) / (batch.row_count + 1.0))[:, None] * precision
    # 1 where there is no prior: parameters without one may be zero or negative
    safe = np.where(precision > 0.0, theta, 1.0)
    gradient = gradient - scale * (np.log(safe) - centre) / safe
    return hessian + np.eye(theta.shape[1]) * (scale / safe**2)[:, :, None], gradient


def damped_step(hessian: Floats, gradient: Floats, damping: Floats, theta: Floats, low: Floats, high: Floats) -> Floats:
    """Marquardt's step (B, P) with parameters that push against their bounds held there."""
    held = ((theta <= low) & (gradient < 0.0)) | ((theta >= high) & (gradient > 0.0))
    free = ~held
    diagonal = np.einsum("bpp->bp", hessian)
    # a parameter the rows say nothing about has a zero row and stays where it is; a product of two floors is not 0
    scale = np.maximum(diagonal, 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-140)
    system = hessian * free[:, :, None] * free[:, None, :]
    system = system + np.eye(hessian.shape[1]) * (damping[:, None] * scale + held)[:, :, None]
    return solve(system, (gradient * free)[:, :, None])[:, :, 0]


def refine(batch: Batch, start: Floats, tolerance: float = TOLERANCE, iterations: int = MAX_ITERATIONS) -> Solution:
    """Local minima from start (B, P): every fit of the batch runs until it stops gaining, none waits for another."""
    theta = np.clip(start, batch.theta_low, batch.theta_high)
    amplitudes, squares = project(batch, batch.evaluate(theta))
    objective = penalised(batch, theta, squares)
    converged = np.zeros(len(batch), dtype=bool)
    damping = np.full(len(batch), 1e-2)
    live = np.arange(len(batch))
    for _ in range(iterations):
        part, now = batch.take(live), theta[live]
        hessian, gradient = normal_equations(part, now, amplitudes[live], part.evaluate(now), squares[live])
        step = damped_step(hessian, gradient, damping[live], now, batch.theta_low, batch.theta_high)
        trial = np.clip(now + step, batch.theta_low, batch.theta_high)
        new_amplitudes, new_squares = project(part, part.evaluate(trial))
        new, old = penalised(part, trial, new_squares), objective[live]
        better = new < old
        gained = live[better]
        theta[gained], amplitudes[gained] = trial[better], new_amplitudes[better]
        squares[gained], objective[gained] = new_squares[better], new[better]
        damping[live] = np.where(better, np.maximum(damping[live] * 0.2, 1e-9), damping[live] * 6.0)
        small = np.abs(trial - now).max(axis=1) < 1e-9
        done = (
            (better & (old - new <= tolerance * np.abs(old))) | small | (damping[live] > 1e8) | (squares[live] <= 1e-26)
        )
        converged[live[done]] = True
        live = live[~done]
        if not len(live):
            break
    return Solution(theta, amplitudes, objective, converged)
