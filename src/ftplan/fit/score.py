"""How good a law is on one series: in sample, cross-validated, and ahead of the data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from ftplan.fit.features import Data, held_out_largest
from ftplan.fit.problem import Bools, Solution
from ftplan.fit.solve import Objective, predict, row_weights, solve_with_folds
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

#: cross-validation leaves out one cell at a time, or that many groups of cells where there are more
FOLDS = 40
#: curves that a law was the best of
CURVES = 3


@dataclass(frozen=True)
class Scored:
    """One law fitted to all rows (the first of `minima` is the fit), and its errors in the metric's unit.

    sse: weighted as the fit is (`Data.precision`). crossed: (n,) measured less predicted, each row from a fit without
    its fold; ahead: (h,) the same of the h held-out largest runs, or None where the others cannot carry the law. Both
    are empty, and their errors None, where nobody asked for them.
    """

    law: Law
    minima: Solution
    n_params: int
    sse: float
    rmse: float
    aicc: float | None
    cv_rmse: float | None
    ahead_error: float | None
    ahead_se: float | None
    crossed: Floats = field(default_factory=lambda: np.zeros(0))
    ahead: Floats | None = None

    @property
    def solution(self) -> Solution:
        return self.minima.take(np.array([0]))


def enough(data: Data, law: Law, rows: Bools | None = None) -> bool:
    """Whether the (kept) rows hold at least parameters + 2 distinct design points."""
    cell = data.cell if rows is None else data.cell[rows]
    return len(set(cell.tolist())) >= law.n_params(data.refs) + 2


def score(tables: Tables, law: Law, objective: Objective, errors: bool = True) -> list[Scored]:
    """Fit one law to every table; errors: and judge it by runs that were left out. The caller has checked that there is
    `enough`.
    """
    data = tables.data
    out, left_out = held_out_largest(data), folds(data) if errors else np.zeros((0, len(data)), dtype=bool)
    judged = errors and enough(data, law, ~out)
    ahead = (~out).astype(np.float64)[None] if judged else np.zeros((0, len(data)))
    minima, without, crossed = solve_with_folds(
        tables, law, row_weights(tables, objective), ahead, (~left_out).astype(np.float64), objective
    )
    f, h = len(left_out), len(ahead)
    each = []
    for i in range(len(tables)):
        one = tables.one(i)
        each.append(
            _scored(
                one,
                law,
                objective,
                minima[i],
                without.take(slice(i * h, (i + 1) * h)),
                crossed.take(slice(i * f, (i + 1) * f)),
                out,
                left_out,
            )
        )
    return each


def _scored(
    data: Data,
    law: Law,
    objective: Objective,
    minima: Solution,
    without: Solution,
    crossed: Solution,
    out: Bools,
    left_out: Bools,
) -> Scored:
    """Errors of one table: without (0 or 1 fits) from the rows that are not in out, crossed from those of each fold."""
    residual = data.y - predict(data, law, minima.take(np.array([0])))[0]
    k = law.n_params(data.refs)
    beyond = data.y - predict(data, law, without)[0] if len(without.theta) else None
    missed = (None, None) if beyond is None else ahead_errors(data, out, beyond)
    kept_out = np.where(left_out, data.y - predict(data, law, crossed), 0.0).sum(axis=0)
    return Scored(
        law=law,
        minima=minima,
        n_params=k,
        sse=float(data.precision @ residual**2),
        rmse=float(np.sqrt(np.mean(residual**2))),
        aicc=aicc(misfit(data, residual, objective), len(data), k),
        cv_rmse=float(np.sqrt(np.mean(kept_out**2))) if len(left_out) else None,
        ahead_error=missed[0],
        ahead_se=missed[1],
        crossed=kept_out,
        ahead=None if beyond is None else beyond[out],
    )


def misfit(data: Data, residual: Floats, objective: Objective) -> float:
    """Variance of the residuals (n,): Gaussian for squares; Laplace, on logarithms, for Huber."""
    if objective == "squares":
        return float(np.mean(data.precision * residual**2))
    return float(np.mean(np.abs(np.log(data.y / (data.y - residual))))) ** 2


def aicc(variance: float, n: int, k: int) -> float | None:
    """Corrected Akaike criterion of n rows and k parameters; the noise counts as one more parameter (Hurvich & Tsai
    1989). None where n leaves no room for the correction.
    """
    k = k + 1
    if n - k - 1 <= 0:
        return None
    return float(n * np.log(max(variance, 1e-300)) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0))


def folds(data: Data) -> Bools:
    """(F, n) True for the cell, or group of cells, that each fold of the cross-validation leaves out."""
    fold = data.cell % min(FOLDS, data.n_cells)
    return np.asarray(fold[None, :] == np.arange(int(fold.max()) + 1)[:, None])


def ahead_errors(data: Data, out: Bools, residual: Floats) -> tuple[float, float | None]:
    """Mean absolute error on the rows held out, and its standard error over their cells: one has none. out, residual:
    (n,).
    """
    error = np.abs(residual)[out]
    cells = data.cell[out]
    means = np.array([error[cells == c].mean() for c in sorted(set(cells.tolist()))])
    spread = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None
    return float(error.mean()), spread


def f_test(small: Scored, large: Scored, n: int) -> float:
    """p-value of the nested F-test: does the larger law's gain exceed what its extra parameters fit by chance?"""
    extra, rest = large.n_params - small.n_params, n - large.n_params
    return float(p_values(np.array([small.sse]), np.array([large.sse]), extra, rest)[0])


def p_values(small: Floats, large: Floats, extra: int, rest: int) -> Floats:
    """(B,) p-values of nested F-tests from the sums of squares of both laws: `extra` parameters more in the larger,
    `rest` degrees of freedom left; 1 where nothing can be tested.
    """
    if extra <= 0 or rest <= 0:
        return np.ones(len(small))
    ratio = (np.maximum(small - large, 0.0) / extra) / (np.maximum(large, 1e-300) / rest)
    return np.where(large > 0.0, fdtrc(extra, rest, ratio), 1.0)


def more_data_helps(data: Data, scored: Scored) -> tuple[bool, float]:
    """Whether the metric gets better along ln T, and the p-value of its getting anything: the better of F-tests of the
    straight line and of the law against a constant per group, both counted in; where it gets worse, of the line alone.
    """
    root = np.sqrt(data.precision)
    groups = root[:, None] * (data.rows.level[:, None] == np.unique(data.rows.level)[None, :])
    y, t = (v - groups @ (groups.T @ v / (groups**2).sum(axis=0)) for v in (root * data.y, root * data.rows.t))
    n, k = len(data), groups.shape[1]
    slope = float(t @ y) / max(float(t @ t), 1e-300)
    line = y - slope * t

    def p_value(sse: float, used: int) -> float:
        if n - k - used <= 0 or used <= 0:
            return 1.0
        if sse <= 0.0:
            return 0.0
        ratio = (max(float(y @ y) - sse, 0.0) / used) / (sse / (n - k - used))
        return float(fdtrc(used, n - k - used, ratio))

    straight = p_value(float(line @ line), 1)
    if slope > 0.0:
        return False, straight
    # the law is the best of several, and one of two tests: on flat runs its own p-value is too small too often
    return True, min(1.0, 2.0 * min(straight, CURVES * p_value(scored.sse, scored.n_params - k)))


@dataclass(frozen=True)
class Visible:
    """What runs can see of more data. effect: change of the metric per tenfold data that they would have found four
    times in five at 5 %; helps: probability that the metric gets better along ln T, nothing being known before.
    """

    effect: float
    helps: float


def visible(data: Data) -> Visible | None:
    """By a straight line in ln T, a level per group; None where runs are too few for its error."""
    root = np.sqrt(data.precision)
    groups = root[:, None] * (data.rows.level[:, None] == np.unique(data.rows.level)[None, :])
    y, t = (v - groups @ (groups.T @ v / (groups**2).sum(axis=0)) for v in (root * data.y, root * data.rows.t))
    spare = len(data) - groups.shape[1] - 1
    across = float(t @ t)
    if spare < 1 or across <= 0.0:
        return None
    slope = float(t @ y) / across
    error = float(np.sqrt(max(float(((y - slope * t) ** 2).sum()), 1e-300) / spare / across))
    seen = float(stdtrit(spare, 0.975) + stdtrit(spare, 0.8)) * error * np.log(10.0)
    return Visible(float(seen), float(stdtr(spare, -slope / error)))
