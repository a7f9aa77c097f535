"""Global search: a low-discrepancy scan of the nonlinear parameters, then refinement of the best distinct starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ftplan.fit.equations import Block, Products, each_sums, grams, shapes
from ftplan.fit.problem import Batch, Bools, Solution
from ftplan.fit.project import project
from ftplan.fit.squares import CHUNK, REFIT_ITERATIONS, REFIT_TOLERANCE, TOLERANCE, penalised, refine
from ftplan.laws.design import Design
from ftplan.laws.parts import Floats

#: scan points per nonlinear parameter; doubling it changed no optimum of the benchmark tables
POINTS_PER_PARAMETER = 400
#: starts to refine, for up to three nonlinear parameters and for more: on tables of pure noise, where minima abound,
#: the first number misses the best one three times as often with four and more
STARTS, MANY_STARTS = 6, 24
#: rows that a search looks at; where there are more, evenly spaced ones along the amount of data
SEARCH_ROWS = 2_000
#: starts closer than this share of the scanned range, in every parameter, lead to the same minimum
NEIGHBOURS = 0.12
#: a first heat stops a start when a step gains less than this share, or after so many steps; those go on whose sum of
#: squares is within a factor of the best one's, and that are not within a share of the bounds of a better one: what a
#: heat's last gain leaves is far less than that factor
HEAT_TOLERANCE, HEAT_STEPS = 1e-3, 12
HEAT_FACTOR, SAME_POINT = 2.0, 0.01


def lattice(points: int, low: Floats, high: Floats) -> Floats:
    """(points, P) additive-recurrence lattice in a box: even in every dimension (Roberts 2018, R_d sequence)."""
    dims = len(low)
    root = 2.0
    for _ in range(40):  # the generalised golden ratio: root^(d+1) = root + 1
        root = (1.0 + root) ** (1.0 / (dims + 1.0))
    steps = root ** -np.arange(1.0, dims + 1.0)
    unit = (0.5 + np.arange(1, points + 1)[:, None] * steps) % 1.0
    out: Floats = low + unit * (high - low)
    return out


def scan(batch: Batch) -> tuple[Floats, Floats]:
    """Points (S, P) of the scan, and the objective of every fit of the batch at each of them (B, S)."""
    ranges = [p.scan for p in batch.law.nonlinear(batch.refs)]
    low, high = np.array([r[0] for r in ranges]), np.array([r[1] for r in ranges])
    points = lattice(POINTS_PER_PARAMETER * max(len(ranges), 1), low, high)
    size = max(1, CHUNK // batch.y.shape[1])
    values = np.empty((len(batch), len(points)))
    # of an anchored curve everything but the score before tuning is the same for all fits
    rows = replace(batch.rows, anchor=np.zeros(batch.y.shape[1])) if batch.law.curve.anchored else batch.rows
    design, products = Design.of(batch.law, rows, batch.refs), Products()
    moments = batch.w * batch.y
    total = np.einsum("bn,bn->b", moments, batch.y)
    for i in range(0, len(points), size):
        some = points[i : i + size]
        # what does not depend on weights and values is computed once for all fits
        at = shapes(design, some, design.rows)
        sums = grams(at.blocks, batch.w, products)
        moment = each_sums(at.blocks, moments, len(some))
        explain = np.broadcast_to(total[:, None], moment.shape[:2])
        if batch.law.curve.anchored:
            # the score before tuning, times g, is no amplitude's
            before = batch.w * batch.rows.anchor
            shifted = [Block(b.times(at.g), b.columns) for b in at.blocks]
            moment = moment - each_sums(shifted, before, len(some))
            explain = explain - 2.0 * ((before * batch.y) @ at.g.T) + (before * batch.rows.anchor) @ (at.g**2).T
        k = moment.shape[2]
        flat, aims = sums.reshape(-1, k, k), moment.reshape(-1, k)
        amplitudes = project(flat, aims, batch.amplitude_low, batch.held)
        left = np.einsum("sk,skj,sj->s", amplitudes, flat, amplitudes) - 2.0 * np.einsum("sk,sk->s", amplitudes, aims)
        squares = np.maximum(explain + left.reshape(explain.shape), 0.0)
        values[:, i : i + size] = penalised(batch, some, squares)
    return points, values


def starts_needed(batch: Batch) -> int:
    """How many starts the law of a batch is worth."""
    return STARTS if batch.theta_low.size <= 3 else MANY_STARTS


def best_starts(points: Floats, values: Floats, count: int = STARTS) -> Floats:
    """The best points that are not neighbours of a better one: (count, P), the best repeated where there are fewer."""
    order = np.argsort(values, kind="stable")[: 60 * count]
    left = points[order] / (np.ptp(points, axis=0) + 1e-300)
    chosen: list[int] = []
    while len(order) and len(chosen) < count:
        chosen.append(int(order[0]))
        apart = np.abs(left - left[0]).max(axis=1) > NEIGHBOURS
        order, left = order[apart], left[apart]
    return points[chosen + chosen[:1] * (count - len(chosen))]


def minima(batch: Batch, count: int = STARTS, tolerance: float = TOLERANCE) -> Solution:
    """The local minima from the best starts of every fit: a Solution of B·count, those of one fit side by side; the
    objective of starts that were given up is infinite.

    Of many rows some are enough to find the valleys, and all of them to reach the bottom.
    """
    which = np.repeat(np.arange(len(batch)), count)
    if batch.y.shape[1] > SEARCH_ROWS:
        order = np.argsort(batch.rows.t, kind="stable")
        some = np.sort(order[np.linspace(0, len(order) - 1, SEARCH_ROWS).astype(np.intp)])
        found = minima(batch.with_rows(some), count, tolerance)
        kept = np.isfinite(found.objective)
    else:
        points, values = scan(batch)
        starts = np.concatenate([best_starts(points, v, count) for v in values])
        found = refine(batch.take(which), starts, HEAT_TOLERANCE, HEAT_STEPS)
        kept = in_the_running(batch, found, count)
    last = refine(batch.take(which[kept]), found.theta[kept], tolerance)
    found.objective[~kept] = np.inf
    for own, new in zip(vars(found).values(), vars(last).values(), strict=True):
        own[kept] = new
    return found


def in_the_running(batch: Batch, found: Solution, count: int) -> Bools:
    """(B·count,) which starts of every fit can still lead to a minimum of their own that is worth having."""
    objective = found.objective.reshape(-1, count)
    least = objective.min(axis=1, keepdims=True)
    if batch.prior_noise is None:
        kept = objective <= HEAT_FACTOR * least + 1e-300
    else:
        rows = np.reshape(batch.row_count, (-1, 1)) + 1.0
        kept = objective <= least + rows * np.log(HEAT_FACTOR)
    order = np.argsort(objective, axis=1, kind="stable")
    theta = (found.theta / (batch.theta_high - batch.theta_low)).reshape(*objective.shape, -1)
    fits = np.arange(len(batch))
    for i in range(1, count):
        own = order[:, i]
        # starts that were dropped are the same as one that is kept, or far worse
        better = np.take_along_axis(theta, order[:, :i, None], axis=1)
        near = np.abs(better - theta[fits, own][:, None, :]).max(axis=2, initial=0.0) < SAME_POINT
        kept[fits, own] &= ~near.any(axis=1)
    return np.asarray(kept.reshape(-1))


def minimise_each(batch: Batch, count: int = 3, tolerance: float = TOLERANCE) -> Solution:
    """The global optimum of every fit of a batch: a Solution of B."""
    return best_of_each(minima(batch, count, tolerance), count)


def best_of_each(found: Solution, count: int) -> Solution:
    """The best of every `count` solutions side by side."""
    best = np.argmin(found.objective.reshape(-1, count), axis=1)
    return found.take(np.arange(len(best)) * count + best)


def best_from(batch: Batch, starts: Sequence[Floats]) -> Solution:
    """The best of a refinement from each start (B, P) of every fit of a batch."""
    every = np.stack(starts, axis=1).reshape(-1, starts[0].shape[1])
    wide = batch.take(np.repeat(np.arange(len(batch)), len(starts)))
    return best_of_each(refine(wide, every, REFIT_TOLERANCE, REFIT_ITERATIONS), len(starts))
