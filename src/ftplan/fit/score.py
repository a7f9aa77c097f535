"""How good a law is on one series: in sample, cross-validated, and ahead of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from ftplan.fit.features import Data, held_out_largest
from ftplan.fit.problem import Bools, Solution
from ftplan.fit.solve import Objective, predict, refit, solve
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

#: cross-validation leaves out one cell at a time, or that many groups of cells where there are more
FOLDS = 40


@dataclass(frozen=True)
class Scored:
    """One law fitted to all rows (the first of `minima` is the fit), and its errors in the metric's unit."""

    law: Law
    minima: Solution
    n_params: int
    sse: float
    rmse: float
    aicc: float | None
    cv_rmse: float | None
    ahead_error: float | None
    ahead_se: float | None

    @property
    def solution(self) -> Solution:
        return self.minima.take(np.array([0]))


def enough(data: Data, law: Law, rows: Bools | None = None) -> bool:
    """Whether the (kept) rows hold at least parameters + 2 distinct design points."""
    cell = data.cell if rows is None else data.cell[rows]
    return len(set(cell.tolist())) >= law.n_params(data.refs) + 2


def score(data: Data, law: Law, objective: Objective) -> Scored:
    """Fit and judge one law. The caller has checked that there is `enough`."""
    minima = solve(data, law, np.ones(len(data)), objective)
    predicted = predict(data, law, minima.take(np.array([0])))[0]
    residual = data.y - predicted
    k = law.n_params(data.refs)
    ahead = ahead_errors(data, law, objective)
    return Scored(
        law=law,
        minima=minima,
        n_params=k,
        sse=float(residual @ residual),
        rmse=float(np.sqrt(np.mean(residual**2))),
        aicc=aicc(data.y, predicted, k, objective),
        cv_rmse=cross_validated(data, law, minima, objective),
        ahead_error=None if ahead is None else ahead[0],
        ahead_se=None if ahead is None else ahead[1],
    )


def aicc(y: Floats, predicted: Floats, k: int, objective: Objective) -> float | None:
    """Corrected Akaike criterion, Gaussian for squares and Laplace on log residuals for Huber; the noise counts as one
    more parameter (Hurvich & Tsai 1989). None where n leaves no room for the correction.
    """
    n = len(y)
    k = k + 1
    if n - k - 1 <= 0:
        return None
    if objective == "squares":
        fit = n * np.log(max(float(np.mean((y - predicted) ** 2)), 1e-300))
    else:
        fit = 2.0 * n * np.log(max(float(np.mean(np.abs(np.log(y / predicted)))), 1e-300))
    return float(fit + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0))


def cross_validated(data: Data, law: Law, minima: Solution, objective: Objective) -> float | None:
    """RMSE of predictions for cells that were left out, replicates together; one batched refit of all folds."""
    if not enough(data, law):
        return None
    fold = data.cell % min(FOLDS, data.n_cells)
    left_out = fold[None, :] == np.arange(int(fold.max()) + 1)[:, None]
    found = refit(data, law, (~left_out).astype(np.float64), minima, objective)
    predicted = predict(data, law, found)
    return float(np.sqrt(np.mean((data.y - predicted)[left_out] ** 2)))


def ahead_errors(data: Data, law: Law, objective: Objective) -> tuple[float, float] | None:
    """Mean absolute error on the largest runs fitted without them, and its standard error over their cells."""
    out = held_out_largest(data)
    if not enough(data, law, ~out):
        return None
    found = solve(data, law, (~out).astype(np.float64), objective).take(np.array([0]))
    error = np.abs(data.y - predict(data, law, found)[0])[out]
    cells = data.cell[out]
    means = np.array([error[cells == c].mean() for c in sorted(set(cells.tolist()))])
    spread = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float(means[0])
    return float(error.mean()), spread


def f_test(small: Scored, large: Scored, n: int) -> float:
    """p-value of the nested F-test: does the larger law's gain exceed what its extra parameters fit by chance?"""
    extra, rest = large.n_params - small.n_params, n - large.n_params
    if extra <= 0 or rest <= 0 or large.sse <= 0.0:
        return 1.0
    ratio = (max(small.sse - large.sse, 0.0) / extra) / (large.sse / rest)
    return float(f_distribution.sf(ratio, extra, rest))
