"""One law on one series: the global optimum, and refits of it under other weights or other values."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ftplan.fit import huber, squares
from ftplan.fit.features import Data
from ftplan.fit.problem import Batch, Solution
from ftplan.fit.scan import best_of_each, best_starts, scan, starts_needed
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

Objective = Literal["squares", "huber"]

#: distinct minima worth starting a refit from: within this factor of the best objective
NEARLY_AS_GOOD = 1.5
REFIT_STARTS = 3
FOLD_STARTS = 2
#: fits x rows x parameters worked on at once: what a processor cache holds
CHUNK = 500_000


def row_weights(data: Data, objective: Objective) -> Floats:
    """(n,) what each row counts for in a fit that is reported: Huber compares logarithms, where all count alike."""
    return data.precision if objective == "squares" else np.ones(len(data))


def solve(data: Data, law: Law, weights: Floats, objective: Objective) -> Solution:
    """Distinct minima of one fit with row weights (n,), best first: a Solution of one or a few."""
    return solve_with_folds(data, law, weights, np.zeros((0, len(weights))), np.zeros((0, len(weights))), objective)[0]


def solve_with_folds(
    data: Data, law: Law, weights: Floats, others: Floats, folds: Floats, objective: Objective
) -> tuple[Solution, Solution, Solution]:
    """Distinct minima under weights (n,), and the optima under other weights (B, n) and under folds (F, n).

    All in one batch. `others` are searched for as globally as the first; folds leave out little, and start from the
    FOLD_STARTS best starts of the first, or, for Huber, whose steps are dearer, from the minima of the first.
    """
    if objective == "huber" and len(folds):
        first, best_rest, _ = solve_with_folds(data, law, weights, others, folds[:0], objective)
        return first, best_rest, refit(data, law, folds, first, objective)
    searched = data.batch(law, np.concatenate([weights[None], others]))
    points, values = scan(searched)
    count = starts_needed(searched)
    wide = np.concatenate([best_starts(points, v, count) for v in values])
    narrow = np.tile(wide[:FOLD_STARTS], (len(folds), 1))
    every = data.batch(law, np.concatenate([searched.w, folds]))
    which = np.repeat(np.arange(len(every)), [count] * len(searched) + [FOLD_STARTS] * len(folds))
    found = refined(every.take(which), np.concatenate([wide, narrow]), objective)
    first, rest = found.take(slice(0, count)), found.take(slice(count, len(wide)))
    best_rest, best_folds = best_of_each(rest, count), best_of_each(found.take(slice(len(wide), None)), FOLD_STARTS)
    return distinct(searched, first.take(np.argsort(first.objective, kind="stable"))), best_rest, best_folds


def refined(batch: Batch, start: Floats, objective: Objective) -> Solution:
    """Local minima of the objective from starts (B, P)."""
    found = squares.refine(batch, start)
    return found if objective == "squares" else huber.refine(batch, found)


def distinct(batch: Batch, found: Solution) -> Solution:
    """The minima, best first, that are not the same point again and not much worse than the best."""
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
            squares.refine(batch, start.theta, squares.REFIT_TOLERANCE, squares.REFIT_ITERATIONS)
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
