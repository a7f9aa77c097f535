"""One law on tables of one design: global optima, and refits under other weights or other values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ftplan.fit import huber, squares
from ftplan.fit.features import Data
from ftplan.fit.problem import Batch, Index, Solution
from ftplan.fit.scan import minima, starts_needed
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

Objective = Literal["squares", "huber"]

#: distinct minima worth starting a refit from: within this factor of the best objective
NEARLY_AS_GOOD = 1.5
REFIT_STARTS = 3
#: fits x rows x parameters worked on at once
CHUNK = 500_000


def row_weights(tables: Tables, objective: Objective) -> Floats:
    """(m, n) what each row counts for in a fit that is reported: Huber compares logarithms, where all count alike."""
    return tables.w if objective == "squares" else np.ones_like(tables.w)


def solve(data: Data, law: Law, weights: Floats, objective: Objective) -> Solution:
    """Distinct minima of one fit with row weights (n,), best first: a Solution of one or a few."""
    none = np.zeros((0, len(weights)))
    return solve_with_folds(Tables.of([data]), law, weights[None], none, none, objective)[0][0]


def solve_with_folds(
    tables: Tables, law: Law, weights: Floats, others: Floats, folds: Floats, objective: Objective
) -> tuple[list[Solution], Solution, Solution]:
    """Distinct minima of m tables under weights (m, n), and the optima under these times others (o, n), a Solution of
    m·o, and times folds (F, n), a Solution of m·F.

    `others` are searched for as globally as the first, in one batch with them; folds leave out little, and start from
    the minima of the first.
    """
    each = 1 + len(others)
    searched_for, owner = _masked(weights, np.concatenate([np.ones((1, weights.shape[1])), others]))
    searched = tables.batch(law, owner, searched_for)
    count = starts_needed(searched)
    found = minima(searched, count)
    found = (
        found
        if objective == "squares"
        else huber.refine(searched.take(np.repeat(np.arange(len(searched)), count)), found)
    )
    first, rest = [], []
    for i in range(len(searched)):
        own = found.take(slice(i * count, (i + 1) * count))
        if i % each == 0:
            first.append(distinct(searched, own.take(np.argsort(own.objective, kind="stable"))))
        else:
            rest.append(i * count + int(np.argmin(own.objective)))
    left, keeper = _masked(weights, folds)
    held = refit(tables, law, keeper, left, first, objective, exact=True) if len(keeper) else found.take(slice(0, 0))
    return first, found.take(np.array(rest, dtype=np.intp)), held


def _masked(weights: Floats, masks: Floats) -> tuple[Floats, Index]:
    """(m·k, n) weights (m, n) under each of k masks, and the table that each belongs to."""
    m, n = weights.shape
    return (weights[:, None, :] * masks[None]).reshape(-1, n), np.repeat(np.arange(m), len(masks))


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
    tables: Tables,
    law: Law,
    which: Index,
    weights: Floats,
    starts: Sequence[Solution],
    objective: Objective,
    y: Floats | None = None,
    *,
    exact: bool = False,
) -> Solution:
    """B fits of the tables `which` under weights (B, n), values y (B, n): the best of a refinement from each start of
    their table. exact: to the last step, as a fit that is reported; draws need less.
    """
    p, k = starts[0].theta.shape[1], starts[0].amplitudes.shape[1]
    width = max(1, CHUNK // (weights.shape[1] * (p + k + 1)))
    parts = []
    for i in range(0, len(which), width):
        some = slice(i, i + width)
        batch = tables.batch(law, which[some], weights[some], None if y is None else y[some])
        parts.append(_best(batch, which[some], starts, objective, exact))
    return joined(parts)


def _best(batch: Batch, which: Index, starts: Sequence[Solution], objective: Objective, exact: bool) -> Solution:
    """The best of a refinement from each start of every fit's table."""
    counts = np.array([len(s.theta) for s in starts])
    fit = np.repeat(np.arange(len(batch)), counts[which])
    place = np.concatenate([np.arange(c) for c in counts[which]])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    start = joined(starts).take(first[which][fit] + place)
    wide = batch.take(fit)
    if objective == "squares" and exact:
        found = squares.refine(wide, start.theta)
    elif objective == "squares":
        found = squares.refine(wide, start.theta, squares.REFIT_TOLERANCE, squares.REFIT_ITERATIONS)
    else:
        found = huber.refine(wide, start)
    # the first of the best of each fit
    order = np.lexsort((place, found.objective, fit))
    return found.take(order[np.searchsorted(fit, np.arange(len(batch)))])


def joined(parts: Sequence[Solution]) -> Solution:
    """Solutions one after another."""
    if len(parts) == 1:
        return parts[0]
    return Solution(
        *(np.concatenate([getattr(p, k) for p in parts]) for k in ("theta", "amplitudes", "objective", "converged"))
    )


def predict(data: Data, law: Law, solution: Solution) -> Floats:
    """(B, n) loss of the series' own rows."""
    return law.evaluate(data.rows, solution.theta, data.refs).predict(solution.amplitudes)
