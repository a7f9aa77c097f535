"""One law on one series: the global optimum, and refits of it under other weights or other values."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ftplan.fit import huber, squares
from ftplan.fit.features import Data
from ftplan.fit.problem import Solution
from ftplan.fit.scan import minimise
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

Objective = Literal["squares", "huber"]

#: distinct minima worth starting a refit from: within this factor of the best objective
NEARLY_AS_GOOD = 1.5
REFIT_STARTS = 3
#: fits x rows x parameters in memory at once
CHUNK = 1_500_000


def solve(data: Data, law: Law, weights: Floats, objective: Objective) -> Solution:
    """Distinct minima of one fit with row weights (n,), best first: a Solution of one or a few."""
    batch = data.batch(law, weights[None])
    found = minimise(batch)
    if objective == "huber":
        found = huber.refine(batch.take(np.zeros(len(found.theta), dtype=np.intp)), found)
        found = found.take(np.argsort(found.objective, kind="stable"))
    span = batch.theta_high - batch.theta_low
    kept: list[int] = []
    for i in range(len(found.theta)):
        near = any(np.abs((found.theta[i] - found.theta[j]) / span).max() < 0.01 for j in kept)
        if not near and found.objective[i] <= NEARLY_AS_GOOD * found.objective[0] + 1e-300:
            kept.append(i)
    return found.take(np.array(kept[:REFIT_STARTS], dtype=np.intp))


def refit(
    data: Data, law: Law, weights: Floats, starts: Solution, objective: Objective, y: Floats | None = None
) -> Solution:
    """B fits under weights (B, n), values y (B, n): the best of a refinement from each start."""
    values = np.broadcast_to(data.y, weights.shape) if y is None else y
    width = max(1, CHUNK // (weights.shape[1] * (starts.theta.shape[1] + starts.amplitudes.shape[1] + 1)))
    parts = [
        _refit_chunk(data, law, weights[i : i + width], values[i : i + width], starts, objective)
        for i in range(0, len(weights), width)
    ]
    return Solution(
        np.concatenate([p.theta for p in parts]),
        np.concatenate([p.amplitudes for p in parts]),
        np.concatenate([p.objective for p in parts]),
        np.concatenate([p.converged for p in parts]),
    )


def _refit_chunk(
    data: Data, law: Law, weights: Floats, values: Floats, starts: Solution, objective: Objective
) -> Solution:
    batch = data.batch(law, weights, values)
    best: Solution | None = None
    for k in range(len(starts.theta)):
        start = starts.take(np.full(len(batch), k))
        found = (
            squares.refine(batch, start.theta, squares.REFIT_TOLERANCE)
            if objective == "squares"
            else huber.refine(batch, start)
        )
        if best is None:
            best = found
            continue
        better = found.objective < best.objective
        pick = better[:, None]
        best = Solution(
            np.where(pick, found.theta, best.theta),
            np.where(pick, found.amplitudes, best.amplitudes),
            np.where(better, found.objective, best.objective),
            np.where(better, found.converged, best.converged),
        )
    assert best is not None
    return best


def predict(data: Data, law: Law, solution: Solution) -> Floats:
    """(B, n) turned metric of the series' own rows."""
    return law.evaluate(data.rows, solution.theta, data.refs).predict(solution.amplitudes)
