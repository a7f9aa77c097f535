"""Predicting more data than any run had: a fixed mixture of three curves fitted mostly to the largest runs.

No single law is best at every distance, and the law that was best one step ahead is not the best four steps ahead, so
the curves are averaged and not chosen: power0 goes on with the present slope (too pessimistic while curves steepen),
rectified0 goes on steepening (too optimistic), rectified flattens out. Errors of opposite sign cancel. Everything is
done on the logarithm of the distance to the best value that the metric can take, with relative residuals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from ftplan.fit.features import REPLICATE_LN, Data
from ftplan.fit.problem import Solution
from ftplan.fit.scan import best_from, minimise_each
from ftplan.fit.stack import Tail, half_width
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats, Refs, Rows, Term

#: curve, weight, discount: rows count (T/T_max)^discount. Misfit of a law grows with distance in ln T, hence a power
#: of T; a tangent may be more local than a curve with a bend. Half the weight goes to the tangent, half to the curves.
MEMBERS = (("power0", 0.5, 1.5), ("rectified0", 0.25, 1.0), ("rectified", 0.25, 1.0))
#: relative noise that no fit may undercut: evaluation noise of fine-tunes is 0.3 to 1 %
PRIOR_NOISE = 0.01
#: a member whose rolling forecasts were GATE times worse than the best one's is dropped, softly; insurance only
GATE, GATE_POWER, GATE_FLOOR, GATE_AGE = 6.0, 8.0, 0.003, 0.6
GATE_LEVELS, GATE_FIRST = 6, 5
#: noisy runs need a longer memory: discounts are halved where one run is known to 3 %
MEMORY_NOISE = 0.03
#: noise before any residual is seen (relative), and how many residuals that counts for
NOISE_BEFORE, NOISE_ROWS = 0.005, 2.0
#: how much of the members' spread one standard deviation is: set so that 90 % intervals cover 90 % at 2 to 8 times
SPREAD = 0.55
#: parameters that a forecast has used up: between the two of the line and the four of the rectified law
FORECAST_PARAMS = 3
#: standard normal quantile of 95 %
Z90 = 1.6448536269514722
#: of every member: none but those of a search
NO_STARTS: Mapping[str, Sequence[Floats]] = {}


@dataclass(frozen=True)
class Member:
    """One curve of the mixture, fitted: theta and amplitudes in a Solution of one."""

    law: Law
    weight: float
    discount: float
    point: Solution


@dataclass(frozen=True)
class Extrapolation:
    """The mixture and its error. t_max: ln(T_max/T_ref); noise: relative standard deviation of one run.

    leverage: (q, q), covariance of the discounted log-linear line's coefficients per unit of noise variance;
    dof: for Student's t; floor: the best that the turned metric can be; tail: what is not a law in the forecast.
    """

    members: tuple[Member, ...]
    refs: Refs
    t_max: float
    noise: float
    leverage: Floats
    dof: float
    floor: float
    tail: Tail | None = None

    def share(self, rows: Rows) -> Floats:
        """(n,) how much of a prediction comes from here: nothing inside the data, all from twice the largest run on."""
        return np.asarray(np.clip((rows.t - self.t_max) / np.log(2.0), 0.0, 1.0))

    def each(self, rows: Rows) -> Floats:
        """(members, B, n) ln(metric - floor) of every member; B is 1, or as many as the rows' features have."""
        out = []
        count = rows.t.shape[0] if rows.t.ndim == 2 else 1
        for m in self.members:
            # one fit for all draws of the features; several fits (what is assumed is drawn) come one a draw as they are
            one = len(m.point.theta) == 1
            theta, amplitudes = (np.repeat(v, count, axis=0) if one else v for v in (m.point.theta, m.point.amplitudes))
            gap = m.law.evaluate(rows, theta, self.refs).predict(amplitudes) - self.floor
            out.append(np.log(np.maximum(gap, 1e-300)))
        return np.stack(out)

    @property
    def weights(self) -> Floats:
        return np.array([m.weight for m in self.members])

    def centre(self, rows: Rows) -> Floats:
        """(B, n) ln(metric - floor) of the forecast: the geometric mean."""
        mixed = self.mixed(rows)
        if self.tail is None:
            return mixed
        return np.asarray(np.einsum("k,kbn->bn", *self._stacked(rows, mixed)))

    def mixed(self, rows: Rows) -> Floats:
        """(B, n) the same of the laws alone."""
        return np.asarray(np.einsum("m,mbn->bn", self.weights, self.each(rows)))

    def _stacked(self, rows: Rows, mixed: Floats) -> tuple[Floats, Floats]:
        """(3,) weights and (3, B, n) ln(gap) of the laws, the prior and the line."""
        assert self.tail is not None
        of = self.tail.shares
        parts = np.broadcast_arrays(mixed, self.tail.quantile(rows, 0.5), self.tail.line(rows))
        return np.array([1.0 - sum(of), *of]), np.stack(parts)

    def spread(self, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """(B, n) one-sided spreads of the members below and above the mixture, and the leverage of the line."""
        each = self.each(rows)
        away = each - np.einsum("m,mbn->bn", self.weights, each)
        below = 2.0 * np.einsum("m,mbn->bn", self.weights, np.minimum(away, 0.0) ** 2)
        above = 2.0 * np.einsum("m,mbn->bn", self.weights, np.maximum(away, 0.0) ** 2)
        x = line(rows, self.members[-1].law, self.refs, self.t_max)
        return np.sqrt(below), np.sqrt(above), np.einsum("...nq,qr,...nr->...n", x, self.leverage, x)

    def half_widths(self, rows: Rows, level: float) -> tuple[Floats, Floats]:
        """(n,) distances in ln(metric - floor), down and up, that hold a new run with probability `level`."""
        below, above, leverage = self.spread(rows)
        quantile = float(stdtrit(self.dof, 0.5 + level / 2.0))
        own = self.noise**2 * (1.0 + leverage)
        down, up = (quantile * np.sqrt(own + (SPREAD * s) ** 2)[0] for s in (below, above))
        if self.tail is None:
            return down, up
        weights, parts = self._stacked(rows, self.mixed(rows))
        each = np.sqrt(np.einsum("k,kn->n", weights, (parts - np.einsum("k,kbn->bn", weights, parts))[:, 0] ** 2))
        middle = parts[1][0]
        sides = (
            (down, middle - self.tail.quantile(rows, 0.5 - level / 2.0)[0]),
            (up, self.tail.quantile(rows, 0.5 + level / 2.0)[0] - middle),
        )
        low, high = (half_width(self.tail, rows, each, (prior, laws), level) for laws, prior in sides)
        return low, high

    def draws(self, rows: Rows, count: int, seed: int) -> Floats:
        """(count, n) of ln(metric - floor), noise of new runs left out: one line and one member spread a draw, so that
        plans compared within a draw share its luck.
        """
        if self.tail is not None and rows.t.ndim == 1:
            return self._wandering(rows, count, seed)
        rng = np.random.default_rng(seed)
        below, above, _ = self.spread(rows)
        x = line(rows, self.members[-1].law, self.refs, self.t_max)
        coefficients = rng.standard_normal((count, len(self.leverage))) @ _root(self.leverage).T * self.noise
        heavy = np.sqrt(self.dof / rng.chisquare(self.dof, size=(count, 1)))
        side = rng.standard_normal((count, 1))
        wander = SPREAD * np.where(side < 0.0, side * below, side * above)
        shifted = (
            np.einsum("bq,...nq->bn", coefficients, x) if x.ndim == 2 else np.einsum("bq,bnq->bn", coefficients, x)
        )
        return np.asarray(self.centre(rows) + heavy * (shifted + wander))

    def _wandering(self, rows: Rows, count: int, seed: int) -> Floats:
        """(count, n) of ln(metric - floor): the prior's draws around the forecast, as wide as the forecast is."""
        assert self.tail is not None
        down, up = self.half_widths(rows, 0.9)
        wander = self.tail.wanders(rows, count, seed)
        low, high = np.quantile(wander, [0.05, 0.95], axis=0)
        noise = Z90 * self.noise
        side = np.where(wander < 0.0, _ratio(down, noise, -low), _ratio(up, noise, high))
        return np.asarray(self.centre(rows) + wander * side)


def _ratio(half: Floats, noise: float, drawn: Floats) -> Floats:
    """(n,) what draws that reach to `drawn` are multiplied with to reach to `half`, less the noise of a new run."""
    return np.asarray(np.sqrt(np.maximum(half**2 - noise**2, (0.1 * half) ** 2)) / np.maximum(drawn, 1e-12))


def line(rows: Rows, law: Law, refs: Refs, t_max: float) -> Floats:
    """(n, q) or (B, n, q) regressors of the log-linear line around the largest run: ln T, and what the terms act on."""
    near = replace(rows, t=rows.t - t_max)
    still = 0.0 * near.t
    columns = [1.0 + still, near.t]
    for term in _in_line(law):
        own = term.regressors(near, refs)
        columns += [own[..., i] + still for i in range(own.shape[-1])]
    if law.size is not None:
        columns.append(rows.m + still)
    return np.stack(columns, axis=-1)


def line_names(law: Law, refs: Refs) -> list[str]:
    """What the columns of `line` belong to."""
    zero, none = np.zeros(1), np.zeros(1, dtype=np.intp)
    one = Rows(zero, zero, zero, zero, zero, zero, none, none, zero)
    widths = [(t, t.regressors(one, refs).shape[-1]) for t in _in_line(law)]
    names = [p.name for t, width in widths for p in t.params(refs)[:width]]
    return ["1", "ln T", *names, *([law.size.name] if law.size else [])]


def _in_line(law: Law) -> list[Term]:
    """Terms in the order of their columns, on which draws depend."""
    return sorted(law.terms, key=lambda t: t.family or t.name, reverse=True)


def _root(matrix: Floats) -> Floats:
    """A square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def member_laws(inside: Law) -> list[tuple[Law, float, float]]:
    """(law, weight, discount) of the mixture, with the terms and the size part of the law used inside the data."""
    tail = [t.name for t in inside.terms] + ([inside.size.name] if inside.size else [])
    return [(parse("+".join([curve, *tail])), weight, discount) for curve, weight, discount in MEMBERS]


def possible(data: Data, inside: Law) -> bool:
    """Whether the mixture can be fitted: a metric with a best value, and enough levels of data for a slope."""
    cells = len(set(data.cell.tolist()))
    needed = max(law.n_params(data.refs) for law, _, _ in member_laws(inside))
    return np.isfinite(data.floor_low) and bool((data.y > data.floor_low).all()) and cells >= needed + 1


def doublings(data: Data) -> Floats:
    """(n,) how many whole doublings of data each row lies below the largest one."""
    return np.asarray(np.floor((data.rows.t.max() - data.rows.t) / np.log(2.0) + 0.15))


def fit_member(
    tables: Tables, law: Law, discounts: Floats, last: Sequence[float], starts: Sequence[Floats] = ()
) -> Solution:
    """One law fitted to every table, rows discounted by discounts (m,), and for each b to the rows at least `last[b]`
    doublings below the largest run: a Solution of m·b. starts: each (m, P), searched from nothing without any.
    """
    data, count = tables.data, len(last)
    level = doublings(data)
    kept = np.tile(level[None, :] >= np.asarray(last)[:, None], (len(tables), 1))
    which = np.repeat(np.arange(len(tables)), count)
    top = np.where(kept, data.rows.t, -np.inf).max(axis=1, keepdims=True)
    discounted = np.where(kept, np.exp(discounts[which][:, None] * (data.rows.t - top)), 0.0)
    batch = tables.batch(law, which, discounted / (tables.y[which] - data.floor_low) ** 2)
    if any(p.log_prior for p in law.nonlinear(data.refs)):
        batch = batch.with_prior(PRIOR_NOISE, discounted.sum(axis=1))
    return best_from(batch, [s[which] for s in starts]) if starts else minimise_each(batch)


def mixture(data: Data, chosen: Sequence[tuple[Law, float, float]]) -> Extrapolation:
    """The mixture of (law, weight, discount) fitted to all rows."""
    tables = Tables.of([data])
    members = tuple(Member(law, w, d, fit_member(tables, law, np.array([d]), [0.0])) for law, w, d in chosen)
    law = members[-1].law
    t_max = float(data.rows.t.max())
    x = line(data.rows, law, data.refs, t_max)
    w = np.exp(members[0].discount * (data.rows.t - t_max))
    solver = np.linalg.pinv((x.T * w) @ x) @ (x.T * w)
    used = sum(len(t.params(data.refs)) for t in law.terms)
    return Extrapolation(
        members=members,
        refs=data.refs,
        t_max=t_max,
        noise=float(np.sqrt(noise_variance(tables, law)[0])),
        leverage=solver @ solver.T,
        dof=float(max(data.n_cells - used - FORECAST_PARAMS, 1)),
        floor=data.floor_low,
    )


def noise_variance(tables: Tables, law: Law, starts: Sequence[Floats] = ()) -> Floats:
    """(m,) relative variance of one run around its own curve, with a prior worth NOISE_ROWS residuals.

    One curve: each run against the chord of its neighbours, which no law can misfit. Otherwise: residuals of the
    undiscounted fit.
    """
    data = tables.data
    t, gap = data.rows.t, np.log(tables.y - data.floor_low)
    # runs of one amount of data (several lengths, or seeds) have no neighbours to lie between
    apart = bool((np.diff(np.sort(t)) > REPLICATE_LN).all())
    if len(law.terms) == 0 and law.size is None and apart and len(data) >= 3:
        order = np.argsort(t, kind="stable")[-9:]
        u, v = t[order], gap[:, order]
        a = (u[2:] - u[1:-1]) / (u[2:] - u[:-2])
        residual = (v[:, 1:-1] - a * v[:, :-2] - (1.0 - a) * v[:, 2:]) / np.sqrt(1.0 + a**2 + (1.0 - a) ** 2)
        dof = 2.0 / 3.0 * residual.shape[1]
    else:
        residual = gap - _ln_gap(tables, law, fit_member(tables, law, np.zeros(len(tables)), [0.0], starts))
        dof = float(max(len(data) - law.n_params(data.refs), 1))
    squares = np.einsum("mn,mn->m", residual, residual)
    return np.asarray((NOISE_ROWS * NOISE_BEFORE**2 + squares) / (NOISE_ROWS + dof))


def _ln_gap(tables: Tables, law: Law, found: Solution) -> Floats:
    """(B, n) logarithm of the distance to the best value, of every run."""
    data = tables.data
    fitted = law.evaluate(data.rows, found.theta, data.refs).predict(found.amplitudes) - data.floor_low
    return np.asarray(np.log(np.maximum(fitted, 1e-300)))


def choose(tables: Tables, inside: Law) -> list[list[tuple[Law, float, float]]]:
    """(law, weight, discount) of the mixture of every table: discounts by its noise, weights after the gate."""
    laws = [law for law, _, _ in member_laws(inside)]
    discounts = memory(tables, inside)
    weights = gated(tables, inside, discounts)
    return [
        [(law, float(w[m]), float(d[m])) for law, w, d in zip(laws, weights, discounts, strict=True)]
        for m in range(len(tables))
    ]


def memory(tables: Tables, inside: Law, starts: Mapping[str, Sequence[Floats]] = NO_STARTS) -> Floats:
    """(members, m) discounts: noisy runs are remembered for longer. starts: of each member, by its name."""
    laws = member_laws(inside)
    last = laws[-1][0]
    kept = 1.0 / (1.0 + noise_variance(tables, last, starts.get(last.name, ())) / MEMORY_NOISE**2)
    return np.array([discount for _, _, discount in laws])[:, None] * kept


def noise_of(chosen: Sequence[tuple[Law, float, float]]) -> float:
    """The relative noise of one run that a mixture's discounts were made for."""
    kept = chosen[0][2] / MEMBERS[0][2]
    return float(MEMORY_NOISE * np.sqrt(max(1.0 / kept - 1.0, 0.0)))


def gated(tables: Tables, inside: Law, discounts: Floats, starts: Mapping[str, Sequence[Floats]] = NO_STARTS) -> Floats:
    """(members, m) weights after the gate: rolling forecasts one and two doublings ahead, at every earlier cut."""
    laws, level = member_laws(inside), doublings(tables.data)
    weights = np.repeat(np.array([[w] for _, w, _ in laws]), len(tables), axis=1)
    steps = sorted(set(level.tolist()), reverse=True)
    if len(steps) < GATE_LEVELS:
        return weights
    cuts = [s for i, s in enumerate(steps) if i >= GATE_FIRST - 1 and s > steps[-1]]
    gap = np.log(tables.y - tables.data.floor_low)
    errors = np.zeros_like(weights)
    for k, (law, _, _) in enumerate(laws):
        found = fit_member(tables, law, discounts[k], cuts, starts.get(law.name, ()))
        missed = np.abs(_ln_gap(tables, law, found).reshape(len(tables), len(cuts), -1) - gap[:, None, :])
        count = 0.0
        for b, cut in enumerate(cuts):
            for h in (1.0, 2.0):
                rows = level == cut - h
                if rows.any():
                    age = GATE_AGE ** (cut - h - steps[-1])
                    errors[k], count = errors[k] + age * missed[:, b, rows].mean(axis=1) / h, count + age
        errors[k] /= count or 1.0
    ratio = (errors + GATE_FLOOR) / (errors.min(axis=0) + GATE_FLOOR)
    weights = weights / (1.0 + (ratio / GATE) ** GATE_POWER)
    return np.asarray(weights / weights.sum(axis=0))
