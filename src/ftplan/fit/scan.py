"""Global search: a low-discrepancy scan of the nonlinear parameters, then refinement of the best distinct starts."""

from __future__ import annotations

import numpy as np

from ftplan.fit.problem import Batch, Solution
from ftplan.fit.project import project
from ftplan.fit.squares import refine
from ftplan.laws.parts import Floats

#: scan points per nonlinear parameter; doubling it changed no optimum of the benchmark tables
POINTS_PER_PARAMETER = 400
STARTS = 6
#: rows x scan points held in memory at once
CHUNK = 400_000


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
    """Points (S, P) of the scan and their projected sums of squares (S,), for a batch of one fit."""
    ranges = [p.scan for p in batch.law.nonlinear(batch.refs)]
    low, high = np.array([r[0] for r in ranges]), np.array([r[1] for r in ranges])
    points = lattice(POINTS_PER_PARAMETER * max(len(ranges), 1), low, high)
    size = max(1, CHUNK // batch.y.shape[1])
    values = []
    for i in range(0, len(points), size):
        some = points[i : i + size]
        many = batch.take(np.zeros(len(some), dtype=np.intp))
        values.append(project(many, many.evaluate(some))[1])
    return points, np.concatenate(values)


def best_starts(points: Floats, values: Floats, count: int = STARTS) -> Floats:
    """The best points that are not neighbours of a better one: (count or fewer, P)."""
    order = np.argsort(values, kind="stable")[: 60 * count]
    span = np.ptp(points, axis=0) + 1e-300
    chosen: list[int] = []
    for i in order:
        if all(np.abs((points[i] - points[j]) / span).max() > 0.12 for j in chosen):
            chosen.append(int(i))
        if len(chosen) == count:
            break
    return points[chosen]


def minimise(batch: Batch) -> tuple[Solution, Solution]:
    """The best least-squares fit of a batch of one, and all distinct local minima found, best first."""
    starts = best_starts(*scan(batch))
    found = refine(batch.take(np.zeros(len(starts), dtype=np.intp)), starts)
    order = np.argsort(found.objective, kind="stable")
    return found.take(order[:1]), found.take(order)
