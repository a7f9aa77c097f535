"""Runs whose result does not go with the others: a slipped decimal point, a run that diverged, a size mistyped.

A robust line is fitted to each series, on the logarithms of what was varied: least median of squares over small subsets
(Rousseeuw 1984), then least squares over the rows near it. A row is suspect where a t-test on its distance, corrected
for the number of rows, says that the others do not produce it. Laws bend: the smallest run may be far worse than the
line, and the largest far better, without being wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import stdtrit

from ftplan.fit.problem import Index
from ftplan.laws.parts import Floats
from ftplan.runs import RunTable

#: chance that a table without any wrong run has one named
LEVEL = 0.001
#: distances that nobody would call wrong, and those that decide a fit by themselves, as shares of the others' range
NOTABLE, GROSS = 0.25, 1.5
#: rows that a line must be left with, beyond its parameters
SPARE = 4
#: subsets tried: with half of the rows wrong, 300 of three rows miss all good ones once in 10^17
SUBSETS = 300
#: residuals looked at together
AT_ONCE = 1_000_000
#: what a slipped decimal point multiplies by
SLIPS = (10.0, 0.1, 100.0, 0.01, 1000.0, 0.001)
#: a slipped point explains a value where putting it right lands this near to what is expected
NEAR = 0.2
#: rows from which on the others' range says what a value can be, and how far outside of it a slip begins
LEAST, APART = 4, 3.0
#: where a bend could explain a value too, the others have to lie this near to each other
ALIKE = 1.6
#: times the length of all others from which on a length is more likely mistyped than meant
FAR_LENGTH = 20.0
#: relative noise below which no table is: where a line fits exactly, rounding is no evidence
FINEST = 0.002


@dataclass(frozen=True)
class Outlier:
    """row: index in the table; expected: of the metric, by the other runs; meant: the value with its decimal point
    moved, where that explains it; gross: so far off that it would decide a fit alone.
    """

    row: int
    value: float
    expected: float
    meant: float | None
    gross: bool


def outliers(table: RunTable) -> tuple[Outlier, ...]:
    """The suspect runs of every series, in the table's order. Runs of models before tuning are not looked at."""
    found: list[Outlier] = []
    volume = table.volume
    usable = ~(table.examples == 0.0) & np.isfinite(volume) & (volume > 0.0)
    series: dict[str, list[int]] = {}
    for i in np.flatnonzero(usable).tolist():
        series.setdefault(table.group[i], []).append(i)
    for rows in series.values():
        found += _of_series(table, np.array(rows, dtype=np.intp))
    return tuple(sorted(found, key=lambda o: o.row))


def lone_lengths(table: RunTable) -> list[tuple[int, float]]:
    """(row, what the others have) of the one run of a series whose examples are of another order of length, where all
    others are alike: a digit too many, or the only run that says what length does.
    """
    found = []
    for key in table.groups:
        own = np.flatnonzero(np.array([g == key for g in table.group]) & np.isfinite(table.avg_tokens))
        logs = np.log(table.avg_tokens[own])
        if len(own) <= LEAST:
            continue
        usual = float(np.median(logs))
        away = np.abs(logs - usual)
        far = int(np.argmax(away))
        if away[far] > np.log(FAR_LENGTH) and np.delete(away, far).max() < np.log(ALIKE):
            found.append((int(own[far]), float(np.exp(usual))))
    return found


def _of_series(table: RunTable, own: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[Outlier]:
    y = table.value[own]
    if len(own) < LEAST or np.ptp(y) == 0.0:
        return []
    x = _features(table, own)
    # no other value is outside the range of the others
    ends = sorted({int(np.argmin(y)), int(np.argmax(y))})
    slipped = [o for i in ends if (o := _slip(table, own, i)) is not None]
    if x is None or len(slipped) > len(own) // 4:
        return slipped if len(slipped) <= len(own) // 4 else []
    inside = _near_the_line(x, y)
    inside[[int(np.flatnonzero(own == o.row)[0]) for o in slipped]] = False
    if inside.sum() < x.shape[1] + SPARE - 1 or (~inside).sum() > len(own) // 4:
        return slipped
    expected, error = _prediction(x, y, inside)
    limit = float(stdtrit(int(inside.sum()) - x.shape[1], 1.0 - LEVEL / (2.0 * len(own))))
    span = float(np.ptp(y[inside]))
    known = {o.row for o in slipped}
    suspect = []
    for i in np.flatnonzero(~inside).tolist():
        off = abs(y[i] - expected[i])
        if int(own[i]) in known or off <= max(limit * error[i], NOTABLE * span) or _bends(table, own, i):
            continue
        suspect.append(Outlier(int(own[i]), float(y[i]), float(expected[i]), None, bool(off > GROSS * span)))
    # several rows a little off are what the line does not know of the law; a wrong run stands alone
    return slipped + [o for o in suspect if o.gross or len(suspect) == 1]


def _slip(table: RunTable, own: np.ndarray[tuple[int], np.dtype[np.intp]], i: int) -> Outlier | None:
    """A value far outside the range of the others that lands among them with its decimal point moved."""
    y = table.value[own]
    others = np.delete(y, i)
    low, high = float(others.min()), float(others.max())
    if low <= 0.0 or y[i] <= 0.0 or high > APART * low or low / APART <= y[i] <= APART * high:
        return None
    if high > ALIKE * low and _bends(table, own, i):
        return None
    middle = float(np.median(others))
    for factor in SLIPS:
        meant = float(y[i] / factor)
        if low * (1.0 - NEAR) <= meant <= high * (1.0 + NEAR):
            return Outlier(int(own[i]), float(y[i]), middle, float(f"{meant:.12g}"), gross=True)
    return None


def _features(table: RunTable, own: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats | None:
    """(n, p) what was varied, the most telling first, as many as the rows can carry; None where they carry no line."""
    t = np.log(table.volume[own])
    columns = [np.ones(len(own)), t]
    methods = sorted({table.method[i] for i in own})
    columns += [np.array([float(table.method[i] == name) for i in own]) for name in methods[1:]]
    for values in (table.model_params, table.avg_tokens, table.epochs):
        if np.isfinite(values[own]).all() and np.ptp(np.log(values[own])) > np.log(1.2):
            columns.append(np.log(values[own]))
    columns.append((t - t.mean()) ** 2)
    if len(own) < 2 + SPARE or np.ptp(t) == 0.0:
        return None
    kept: list[Floats] = []
    for column in columns:
        tried = np.stack([*kept, column], axis=1)
        if len(own) >= tried.shape[1] + SPARE and np.linalg.matrix_rank(tried) == tried.shape[1]:
            kept.append(column)
    return np.stack(kept, axis=1)


def _near_the_line(x: Floats, y: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) rows within 3 robust standard deviations of the line with the least median square."""
    n, p = x.shape
    order = (n + p + 1) // 2 - 1
    best, residual = np.inf, np.zeros(n)
    rows = _subsets(n, p)
    rows = rows[np.abs(np.linalg.det(x[rows])) >= 1e-9]
    lines = np.linalg.solve(x[rows], y[rows][:, :, None])[:, :, 0]
    for i in range(0, len(lines), max(1, AT_ONCE // n)):
        away = np.abs(y - lines[i : i + max(1, AT_ONCE // n)] @ x.T)
        middle = np.partition(away, order, axis=1)[:, order]
        least = int(np.argmin(middle))
        if float(middle[least]) < best:
            best, residual = float(middle[least]), away[least]
    scale = max(1.4826 * (1.0 + 5.0 / (n - p)) * best, FINEST * float(np.abs(np.median(y))))
    return np.asarray(residual <= 3.0 * scale)


@cache
def _subsets(n: int, p: int) -> Index:
    """(SUBSETS, p) rows of n, at random but always the same."""
    rng = np.random.default_rng(0)
    return np.stack([rng.choice(n, size=p, replace=False) for _ in range(SUBSETS)])


def _prediction(x: Floats, y: Floats, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Floats, Floats]:
    """(n,) what the rows inside say of each row, and the standard error of a new run there."""
    used = x[inside]
    inverse = np.linalg.pinv(used.T @ used)
    theta = inverse @ used.T @ y[inside]
    rest = y[inside] - used @ theta
    noise = max(float(np.sqrt(rest @ rest / max(len(rest) - x.shape[1], 1))), FINEST * float(np.abs(np.median(y))))
    return x @ theta, noise * np.sqrt(1.0 + np.einsum("np,pq,nq->n", x, inverse, x))


def _bends(table: RunTable, own: np.ndarray[tuple[int], np.dtype[np.intp]], i: int) -> bool:
    """Whether a law that bends explains a row: of the least data and worse than all, or of the most and better."""
    volume, y = table.volume[own], table.value[own] * (1.0 if table.metric.direction == "min" else -1.0)
    least, most = volume[i] <= volume.min() * 1.01, volume[i] >= volume.max() * 0.99
    return bool((least and y[i] >= y.max()) or (most and y[i] <= y.min()))
