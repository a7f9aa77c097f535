"""What `fit` makes of many tables of one design at once: B tables that differ in nothing but what was measured.

The choice is that of `fit.series` with `--law auto` (candidates, nested tests of length, AICc, cross-validation where
runs are too few for it) and the mixture ahead that of `fit.ahead`, for all tables in one batch. Global searches share
one scan, since the design decides what every scan point predicts; a law also starts from the smaller one's optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ftplan.fit.candidates import LENGTH_TERMS, candidates, compared, with_length, without_length
from ftplan.fit.choose import COMPOSITION_LEVEL, LENGTH_LEVEL, one_sided
from ftplan.fit.features import Data
from ftplan.fit.identify import varies_length
from ftplan.fit.problem import Batch, Bools, Index, Solution
from ftplan.fit.scan import NEIGHBOURS, POINTS_PER_PARAMETER, best_from, lattice
from ftplan.fit.score import aicc, enough, folds, p_values
from ftplan.fit.series import PARSIMONY
from ftplan.fit.squares import REFIT_ITERATIONS, REFIT_TOLERANCE, refine
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats

#: starts of a law from the scan, beside that from the law that it contains
STARTS = 2
#: scan points of a table that starts are picked from
PICKED_FROM = 100


@dataclass(frozen=True)
class Refit:
    """One law fitted to every table: sse (B,) weighted as `Tables.w`."""

    law: Law
    solution: Solution

    @property
    def sse(self) -> Floats:
        return self.solution.objective


@dataclass(frozen=True)
class Refits:
    """Every law that `fit` would try on the tables. chosen: (B,) index of the one used inside the data; supported: (B,)
    whether length matters by the nested tests.
    """

    fits: tuple[Refit, ...]
    chosen: npt.NDArray[np.intp]
    supported: Bools


def refits(tables: Tables) -> Refits:
    """Fit all candidates to all tables and choose one law for each."""
    data = tables.data
    laws = [law for law in candidates(data) if enough(data, law)]
    laws += [law for law in compared(data, laws) if law not in laws and enough(data, law)]
    done: dict[str, Refit] = {}
    for law in sorted(laws, key=lambda law: law.n_params(data.refs)):
        done[law.name] = _fitted(tables, law, _contained(law, done))
    fits = [done[law.name] for law in laws]
    scores = np.stack([_aicc(f, data) for f in fits])
    supported = _supported(done, data, len(tables))
    return Refits(tuple(fits), _choose(tables, fits, scores, supported), supported)


def _contained(law: Law, done: dict[str, Refit]) -> Refit | None:
    """The largest law fitted before that this one contains."""
    bare = without_length(law)
    smaller = [t for t in LENGTH_TERMS if not law.has(t) or not any(u.name == t for u in law.terms)]
    names = [bare.name, *(with_length(bare, t).name for t in smaller if law.has(t))]
    known = [done[name] for name in names if name in done and name != law.name]
    return known[-1] if known else None


def _fitted(tables: Tables, law: Law, smaller: Refit | None) -> Refit:
    batch = tables.batch(law, np.arange(len(tables)), tables.w)
    starts = scanned(batch)
    if smaller is not None:
        starts.append(widened(law, smaller.law, smaller.solution.theta, tables.data))
    return Refit(law, best_from(batch, starts))


def widened(law: Law, smaller: Law, theta: Floats, data: Data) -> Floats:
    """Parameters (B, P) of a law where it is the smaller one that it contains."""
    have = {p.name: theta[:, i] for i, p in enumerate(smaller.nonlinear(data.refs))}
    return np.stack([have.get(p.name, np.zeros(len(theta))) for p in law.nonlinear(data.refs)], axis=1)


def scanned(batch: Batch) -> list[Floats]:
    """STARTS starts (B, P) of every fit, apart from each other, from one scan under the mean weights of the batch."""
    ranges = [p.scan for p in batch.law.nonlinear(batch.refs)]
    low, high = np.array([r[0] for r in ranges]), np.array([r[1] for r in ranges])
    points = lattice(POINTS_PER_PARAMETER * len(ranges), low, high)
    value = _scan_values(batch, points)
    top = np.argpartition(value, PICKED_FROM, axis=1)[:, :PICKED_FROM]
    value = np.take_along_axis(value, top, axis=1)
    near = points[top] / (high - low)
    rows, out = np.arange(len(batch)), []
    for _ in range(STARTS):
        best = np.argmin(value, axis=1)
        out.append(points[top[rows, best]])
        away = np.abs(near - near[rows, best][:, None, :]).max(axis=2)
        value = np.where(away > NEIGHBOURS, value, np.inf)
    return out


def _scan_values(batch: Batch, points: Floats) -> Floats:
    """(B, S) sums of squares at every scan point, amplitudes projected out; with floors free, or at their bound."""
    rows = batch.rows
    if batch.law.curve.anchored:
        rows = replace(rows, anchor=rows.anchor[0] if rows.anchor.ndim == 2 else rows.anchor)
    at = batch.law.evaluate(rows, points, batch.refs)
    w = batch.w.mean(axis=0)
    offset = np.broadcast_to(at.offset, (len(points), batch.y.shape[1]))
    target = batch.y[:, None, :] - offset[None] if batch.law.curve.anchored else batch.y[:, None, :]
    free = _sse(at.columns, target, w, batch.amplitude_low)
    floor = batch.amplitude_low
    if not np.isfinite(floor[0]) or len(floor) < 2:
        return free
    held = _sse(at.columns[:, :, 1:], target - floor[0] * at.columns[None, :, :, 0], w, floor[1:])
    return np.minimum(free, held)


def _sse(columns: Floats, target: Floats, w: Floats, low: Floats) -> Floats:
    """(B, S) of regressions of target (B, S or 1, n) on columns (S, n, K); infinite where a bound is broken."""
    weighted = columns * w[:, None]
    gram = np.einsum("snk,snj->skj", weighted, columns)
    gram = gram + 1e-10 * np.einsum("skk->s", gram)[:, None, None] * np.eye(gram.shape[1])
    solver = np.linalg.solve(gram, weighted.transpose(0, 2, 1))
    if target.shape[1] == 1:
        amplitudes = np.tensordot(target[:, 0], solver, axes=([1], [2]))
        moment = np.tensordot(target[:, 0], weighted, axes=([1], [1]))
    else:
        amplitudes = np.einsum("bsn,skn->bsk", target, solver)
        moment = np.einsum("bsn,snk->bsk", target, weighted)
    total = np.einsum("bsn,bsn,n->bs", target, target, w)
    sse = total - np.einsum("bsk,bsk->bs", amplitudes, moment)
    return np.where((amplitudes >= low).all(axis=2), np.maximum(sse, 0.0), np.inf)


def _aicc(fit: Refit, data: Data) -> Floats:
    """(B,) AICc, NaN where runs are too few for it. `fit.score.aicc` at variance 1 is its penalty."""
    n = len(data)
    penalty = aicc(1.0, n, fit.law.n_params(data.refs))
    if penalty is None:
        return np.full(len(fit.sse), np.nan)
    return np.asarray(n * np.log(np.maximum(fit.sse / n, 1e-300)) + penalty)


def _supported(done: dict[str, Refit], data: Data, count: int) -> Bools:
    """(B,) the outcome of `fit.choose.length_tests`, on the curve that fits each table best."""
    if not varies_length(data)[0]:
        return np.zeros(count, dtype=bool)
    least, passed = np.full(count, np.inf), np.zeros(count, dtype=bool)
    for bare in {without_length(f.law).name: without_length(f.law) for f in done.values()}.values():
        family = [bare.name, *(with_length(bare, t).name for t in LENGTH_TERMS)]
        if any(name not in done for name in family[:2]):
            continue
        values = np.stack([_aicc(done[name], data) for name in family if name in done])
        known = np.where(np.isnan(values), np.inf, values).min(axis=0)
        # as `length_tests` counts it where no AICc is known
        known = np.where(np.isinf(known), 0.0, known)
        small = done[family[0]]
        composed = done[family[1]]
        place = [q.name for q in composed.law.nonlinear(data.refs)].index("b1")
        composition = one_sided(_p_value(small, composed, data), composed.solution.theta[:, place])
        length = _p_value(small, done[family[2]], data) if family[2] in done else np.ones(count)
        own = (composition < COMPOSITION_LEVEL) | (length < LENGTH_LEVEL)
        passed, least = np.where(known < least, own, passed), np.minimum(least, known)
    return passed


def _p_value(small: Refit, large: Refit, data: Data) -> Floats:
    """(B,) of the nested F-test."""
    most = large.law.n_params(data.refs)
    return p_values(small.sse, large.sse, most - small.law.n_params(data.refs), len(data) - most)


def _choose(tables: Tables, fits: list[Refit], scores: Floats, supported: Bools) -> npt.NDArray[np.intp]:
    """(B,) index of the law with the least AICc among those allowed, else by cross-validation (`fit.series`)."""
    bare = np.array([without_length(f.law).name == f.law.name for f in fits])
    out = np.zeros(len(tables), dtype=np.intp)
    for length in (False, True):
        own = np.flatnonzero(supported == length)
        allowed = np.flatnonzero(bare | length)
        if not len(own):
            continue
        value = scores[np.ix_(allowed, own)]
        if np.isnan(value).any():
            few = tables.take(own)
            value = np.stack([_crossed(few, fits[i], own) for i in allowed])
        out[own] = allowed[np.argmin(value, axis=0)]
    return out


def _crossed(tables: Tables, fit: Refit, own: Index) -> Floats:
    """(B,) cross-validated error, raised by PARSIMONY for every parameter."""
    left_out = folds(tables.data)
    which = np.repeat(np.arange(len(tables)), len(left_out))
    kept = np.tile(~left_out, (len(tables), 1))
    batch = tables.batch(fit.law, which, tables.w[which] * kept)
    found = refine(batch, fit.solution.theta[own][which], REFIT_TOLERANCE, REFIT_ITERATIONS)
    missed = np.where(kept, 0.0, batch.y - batch.evaluate(found.theta).predict(found.amplitudes)) ** 2
    mean = missed.reshape(len(tables), -1).sum(axis=1) / left_out.sum()
    return np.asarray(np.sqrt(mean) * (1.0 + PARSIMONY) ** fit.law.n_params(tables.data.refs))
