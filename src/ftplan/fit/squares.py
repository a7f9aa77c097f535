"""Least squares: batched Levenberg-Marquardt on the nonlinear parameters, amplitudes projected out after every step.

The step uses Kaufman's approximation (1975): the part of the Jacobian that amplitudes could take over is removed
(`ftplan.fit.equations`).

With a prior (`Batch.prior_noise`) the objective is (n + 1)·ln(S + noise^2) + sum of ((ln theta - centre)/sd)^2, S the
sum of squares and n the sum of weights in units of rows: a posterior with the noise integrated out, one pseudo-row of
the smallest noise beside the data, so that a perfect fit of few points cannot outvote what is known of exponents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.fit.equations import Products, Shapes, gram, normal, shapes, total
from ftplan.fit.linear import solve
from ftplan.fit.problem import Batch, Bools, Index, Solution
from ftplan.fit.project import project
from ftplan.laws.design import Design
from ftplan.laws.parts import Floats

#: stop a fit when a step gains less than this share of its sum of squares
TOLERANCE = 1e-10
MAX_ITERATIONS = 80
#: the same for refits of resampled tables, whose spread is many orders of magnitude wider; what still moves after that
#: many steps creeps along a flat valley, where one resample is as good as the next
REFIT_TOLERANCE, REFIT_ITERATIONS = 1e-7, 40
#: fits x rows worked on at once: arrays of that size stay in a processor's cache, and in memory that is not given back
CHUNK = 24_000


def penalised(batch: Batch, theta: Floats, squares: Floats) -> Floats:
    """The objective: the sum of squares itself, or with a prior the negative log posterior (twice). squares: (B,) at
    theta (B, P), or (B, S) where all fits are seen at the same S points.
    """
    if batch.prior_noise is None:
        return squares
    centre, precision = batch.log_prior
    away = np.log(np.where(precision > 0.0, theta, 1.0)) - centre
    count = np.reshape(batch.row_count, (-1, 1)) if squares.ndim == 2 else batch.row_count
    out: Floats = (count + 1.0) * np.log(squares + batch.prior_noise**2) + (precision * away**2).sum(axis=1)
    return out


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


@dataclass(frozen=True)
class _Look:
    """B fits at one point: everything that the next step is made of."""

    amplitudes: Floats
    squares: Floats
    at: Shapes
    residual: Floats
    gram: Floats

    def take(self, keep: Bools) -> _Look:
        return _Look(
            self.amplitudes[keep], self.squares[keep], self.at.take(keep), self.residual[keep], self.gram[keep]
        )


class _Steps:
    """The fits of one batch, and sums over their rows at any point."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.design = Design.of(batch.law, batch.rows, batch.refs)
        self.products = Products()
        self.width = max(1, CHUNK // batch.y.shape[1])

    def look(self, part: Batch, theta: Floats) -> _Look:
        """The best amplitudes of a part of the batch, and what they leave."""
        at = shapes(self.design, theta, part.rows)
        target = part.y - at.offset
        weighted = part.w * target
        sums = gram(at.blocks, at.blocks, part.w, self.products)
        moment = np.concatenate([b.sums(weighted) for b in at.blocks], axis=1)
        amplitudes = project(sums, moment, self.batch.amplitude_low, self.batch.held)
        residual = target - total(at.blocks, amplitudes)
        return _Look(amplitudes, np.einsum("bn,bn->b", part.w * residual, residual), at, residual, sums)

    def equations(self, part: Batch, theta: Floats, seen: _Look) -> tuple[Floats, Floats]:
        """H (B, P, P) and gradient (B, P) of the projected objective (Gauss-Newton), on the scale of the squares."""
        free = (seen.amplitudes > self.batch.amplitude_low).astype(np.float64)
        seen_by = (seen.amplitudes, seen.at, seen.residual, seen.gram, free)
        hessian, gradient = normal(self.design, self.products, theta, part.rows, part.w, *seen_by)
        if part.prior_noise is None:
            return hessian, gradient
        centre, precision = self.batch.log_prior
        scale = ((seen.squares + part.prior_noise**2) / (part.row_count + 1.0))[:, None] * precision
        # 1 where there is no prior: parameters without one may be zero or negative
        safe = np.where(precision > 0.0, theta, 1.0)
        gradient = gradient - scale * (np.log(safe) - centre) / safe
        return hessian + np.eye(theta.shape[1]) * (scale / safe**2)[:, :, None], gradient


def refine(batch: Batch, start: Floats, tolerance: float = TOLERANCE, iterations: int = MAX_ITERATIONS) -> Solution:
    """Local minima from start (B, P): every fit of the batch runs until it stops gaining, none waits for another."""
    steps = _Steps(batch)
    low, high = batch.theta_low, batch.theta_high
    theta = np.clip(start, low, high)
    count, (_, p) = len(batch), theta.shape
    amplitudes, squares = np.empty((count, len(batch.amplitude_low))), np.empty(count)
    objective, damping, converged = np.empty(count), np.full(count, 1e-2), np.zeros(count, dtype=bool)
    hessian, gradient = np.empty((count, p, p)), np.empty((count, p))
    for some in _chunks(np.arange(count), steps.width):
        part, now = batch.take(some), theta[some]
        seen = steps.look(part, now)
        amplitudes[some], squares[some] = seen.amplitudes, seen.squares
        objective[some] = penalised(part, now, seen.squares)
        hessian[some], gradient[some] = steps.equations(part, now, seen)
    live = np.arange(count)
    for _ in range(iterations):
        going = []
        for some in _chunks(live, steps.width):
            part, now, old = batch.take(some), theta[some], objective[some]
            step = damped_step(hessian[some], gradient[some], damping[some], now, low, high)
            trial = np.clip(now + step, low, high)
            seen = steps.look(part, trial)
            new = penalised(part, trial, seen.squares)
            better = new < old
            gained = some[better]
            theta[gained], amplitudes[gained] = trial[better], seen.amplitudes[better]
            squares[gained], objective[gained] = seen.squares[better], new[better]
            damping[some] = np.where(better, np.maximum(damping[some] * 0.2, 1e-9), damping[some] * 6.0)
            small = np.abs(trial - now).max(axis=1) < 1e-9
            done = (better & (old - new <= tolerance * np.abs(old))) | small
            done |= (damping[some] > 1e8) | (squares[some] <= 1e-26)
            converged[some[done]] = True
            going.append(some[~done])
            # a step refused leaves the equations as they are
            fresh = better & ~done
            if fresh.all():
                hessian[some], gradient[some] = steps.equations(part, trial, seen)
            elif fresh.any():
                moved = some[fresh]
                hessian[moved], gradient[moved] = steps.equations(batch.take(moved), trial[fresh], seen.take(fresh))
        live = np.concatenate(going)
        if not len(live):
            break
    return Solution(theta, amplitudes, objective, converged)


def _chunks(index: Index, width: int) -> list[Index]:
    return [index[i : i + width] for i in range(0, len(index), width)]
