"""The mixture ahead of the data (`fit.ahead`), for many tables of one design at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.fit import ahead as forecast
from ftplan.fit.ahead import Ahead, Member, doublings, member_laws
from ftplan.fit.features import REPLICATE_LN
from ftplan.fit.problem import Solution
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Rows
from ftplan.simulate.refits import Tables, best_from

#: starts of the bend ln(D0/T_ref): well below, among and well above the runs
BENDS = (-3.0, 0.0, 3.0)


@dataclass(frozen=True)
class Mixtures(Ahead):
    """The mixtures of B tables. Members hold a Solution of B; shares: (members, B) their weights.

    Only `share` and `centre` mean anything: spreads are not worked out.
    """

    shares: Floats

    def centre(self, rows: Rows) -> Floats:
        """(B, n) ln(metric - floor) of each table's mixture."""
        return np.asarray(np.einsum("mb,mbn->bn", self.shares, self.each(rows)))


@dataclass(frozen=True)
class _Seen:
    """The tables, and the law inside with its parameters (B, P), which members start from."""

    tables: Tables
    inside: Law
    theta: Floats


def mixtures(tables: Tables, inside: Law, theta: Floats) -> Mixtures | None:
    """The mixture fitted to every table whose law inside is `inside`, with parameters theta (B, P); None where there is
    none. As `fit.ahead.choose` and `mixture` make it for one table.
    """
    data = tables.data
    if not forecast.possible(data, inside):
        return None
    seen, laws = _Seen(tables, inside, theta), member_laws(inside)
    memory = 1.0 / (1.0 + _noise_variance(seen, laws[-1][0]) / forecast.MEMORY_NOISE**2)
    discounts = [discount * memory for _, _, discount in laws]
    members = tuple(
        Member(law, weight, nominal, _member(seen, law, discount, 0.0))
        for (law, weight, nominal), discount in zip(laws, discounts, strict=True)
    )
    return Mixtures(
        members=members,
        refs=data.refs,
        t_max=float(data.rows.t.max()),
        noise=0.0,
        leverage=np.zeros((0, 0)),
        dof=1.0,
        floor=data.floor_low,
        shares=_gated(seen, laws, discounts),
    )


def _member(seen: _Seen, law: Law, discount: Floats, last: float) -> Solution:
    """One curve of the mixture, fitted as `fit.ahead.fit_member` does; discount (B,)."""
    tables, data = seen.tables, seen.tables.data
    kept = doublings(data) >= last
    top = data.rows.t[kept].max()
    discounted = np.where(kept, np.exp(discount[:, None] * (data.rows.t - top)), 0.0)
    batch = tables.batch(law, discounted / (tables.y - data.floor_low) ** 2)
    if any(p.log_prior for p in law.nonlinear(data.refs)):
        batch = batch.with_prior(forecast.PRIOR_NOISE, discounted.sum(axis=1))
    return best_from(batch, _starts(seen, law))


def _gated(seen: _Seen, laws: Sequence[tuple[Law, float, float]], discounts: Sequence[Floats]) -> Floats:
    """(members, B) weights after the gate of `fit.ahead.gated`."""
    data, count = seen.tables.data, len(seen.tables)
    own = np.repeat(np.array([[weight] for _, weight, _ in laws]), count, axis=1)
    level = doublings(data)
    steps = sorted(set(level.tolist()), reverse=True)
    if len(steps) < forecast.GATE_LEVELS:
        return own
    cuts = [s for i, s in enumerate(steps) if i >= forecast.GATE_FIRST - 1 and s > steps[-1]]
    errors = np.stack([_rolled(seen, law, d, cuts) for (law, _, _), d in zip(laws, discounts, strict=True)])
    ratio = (errors + forecast.GATE_FLOOR) / (errors.min(axis=0) + forecast.GATE_FLOOR)
    own = own / (1.0 + (ratio / forecast.GATE) ** forecast.GATE_POWER)
    return np.asarray(own / own.sum(axis=0))


def _rolled(seen: _Seen, law: Law, discount: Floats, cuts: Sequence[float]) -> Floats:
    """(B,) mean error of forecasts one and two doublings ahead, from every cut."""
    data = seen.tables.data
    level, gap = doublings(data), np.log(seen.tables.y - data.floor_low)
    total, count = np.zeros(len(seen.tables)), 0.0
    for cut in cuts:
        found = _member(seen, law, discount, cut)
        missed = np.abs(_ln_gap(seen, law, found) - gap)
        for h in (1.0, 2.0):
            rows = level == cut - h
            if rows.any():
                age = forecast.GATE_AGE ** (cut - h - float(level.min()))
                total, count = total + age * missed[:, rows].mean(axis=1) / h, count + age
    return total / count if count else total


def _ln_gap(seen: _Seen, law: Law, found: Solution) -> Floats:
    """(B, n) logarithm of the distance to the best value, of every run."""
    data = seen.tables.data
    fitted = law.evaluate(data.rows, found.theta, data.refs).predict(found.amplitudes) - data.floor_low
    return np.asarray(np.log(np.maximum(fitted, 1e-300)))


def _starts(seen: _Seen, law: Law) -> list[Floats]:
    """What the terms are in the law inside, and for the curve the centre of its prior, with a bend at each of BENDS."""
    refs, count = seen.tables.data.refs, len(seen.tables)
    own = {p.name: seen.theta[:, i] for i, p in enumerate(seen.inside.nonlinear(refs))}
    curve = {p.name for p in law.curve.params}
    out = []
    for bend in BENDS if any(p.in_ln_data for p in law.curve.params) else BENDS[:1]:
        columns = []
        for p in law.nonlinear(refs):
            centre = bend if p.in_ln_data else float(np.exp(p.log_prior[0])) if p.log_prior else sum(p.scan) / 2.0
            columns.append(np.full(count, centre) if p.name in curve else own[p.name])
        out.append(np.stack(columns, axis=1))
    return out


def _noise_variance(seen: _Seen, law: Law) -> Floats:
    """(B,) relative variance of one run, as `fit.ahead` estimates it."""
    data = seen.tables.data
    t, gap = data.rows.t, np.log(seen.tables.y - data.floor_low)
    if not law.terms and law.size is None and bool((np.diff(np.sort(t)) > REPLICATE_LN).all()) and len(t) >= 3:
        order = np.argsort(t, kind="stable")[-9:]
        u, v = t[order], gap[:, order]
        a = (u[2:] - u[1:-1]) / (u[2:] - u[:-2])
        residual = (v[:, 1:-1] - a * v[:, :-2] - (1.0 - a) * v[:, 2:]) / np.sqrt(1.0 + a**2 + (1.0 - a) ** 2)
        dof = 2.0 / 3.0 * residual.shape[1]
    else:
        residual = gap - _ln_gap(seen, law, _member(seen, law, np.zeros(len(gap)), 0.0))
        dof = float(max(len(data) - law.n_params(data.refs), 1))
    squares = np.einsum("bn,bn->b", residual, residual)
    before = forecast.NOISE_ROWS * forecast.NOISE_BEFORE**2
    return np.asarray((before + squares) / (forecast.NOISE_ROWS + dof))
