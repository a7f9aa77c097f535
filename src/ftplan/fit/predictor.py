"""Predictions from what a series selected: the point, bootstrap draws of the curve, and intervals for a new run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.errors import InputError
from ftplan.fit import bootstrap, linearised
from ftplan.fit.ahead import Extrapolation, mixture
from ftplan.fit.features import Data, features, prepare
from ftplan.fit.problem import Solution
from ftplan.fit.result import SeriesFit, Weighted
from ftplan.fit.solve import Objective, joined, predict, refit, row_weights, solve
from ftplan.fit.stack import LINE, PRIOR, tail
from ftplan.fit.tables import Tables
from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats, Refs, Rows
from ftplan.runs import Metric, RunTable

#: rows of resampled tables held in memory at once
AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Inside:
    """The law used inside the data: its fit (a Solution of one) and its refits to B resampled tables."""

    law: Law
    point: Solution
    draws: Solution


@dataclass(frozen=True)
class Drawn:
    """The law in use as it was fitted, its refits drawn with a seed."""

    inside: Inside
    seed: int


@dataclass(frozen=True)
class Predictor:
    """Predicts the metric of runs of one series.

    ahead: the mixture used from twice the largest run on, None where the law inside goes all the way; between, both
    count, by the logarithm of T. residuals: (n,) of the fitted rows, widened for the parameters used; ranges as in
    `SeriesFit.ranges`; base: score before tuning by group; runs: features of the fitted rows, of a borrowed law those
    of its largest run; bounds: what the turned metric can at best and at worst be.
    """

    key: str
    inside: Inside
    ahead: Extrapolation | None
    refs: Refs
    sign: float
    residuals: Floats
    ranges: dict[str, tuple[float, float]]
    base: dict[str, float]
    seed: int
    metric: Metric
    runs: Rows
    bounds: tuple[float, float] = (-np.inf, np.inf)

    @property
    def n_draws(self) -> int:
        return len(self.inside.draws.objective)

    def features(self, table: RunTable) -> Rows:
        """Rows of any table, seen from this fit.

        InputError for a method or a number of epochs that the fit has not seen, and for a row without its data counted.
        """
        for i, method in enumerate(table.method):
            if method and method not in self.refs.methods:
                known = ", ".join(self.refs.methods)
                raise InputError(
                    f"{table.source}: row {i + 1}, column method: {method!r} is not in the fit",
                    hint=f"it knows {known}",
                )
        self._refuse_unknown(table)
        anchor = np.array([self.sign * self.base.get(g, next(iter(self.base.values()), np.nan)) for g in table.group])
        return features(table, self.refs, anchor)

    def _refuse_unknown(self, table: RunTable) -> None:
        """Rows that this fit has nothing to say about."""
        counted = self.volume(table)
        low, high = self.ranges.get("epochs", (1.0, 1.0))
        for i in range(len(table)):
            where = f"{table.source}: row {i + 1}"
            if not np.isfinite(counted[i]):
                have = "examples without avg_tokens" if self.refs.counts == "tokens" else "tokens without examples"
                raise InputError(
                    f"{where}: {have}, and the fit counts {self.refs.counts}",
                    hint="give avg_tokens (or tokens) in every row" if self.refs.counts == "tokens" else None,
                )
            # a model before tuning was trained for no epoch
            trained = table.examples[i] != 0.0
            if trained and low == high and np.isfinite(table.epochs[i]) and table.epochs[i] != low:
                raise InputError(
                    f"{where}, column epochs: {table.epochs[i]:g}, and every fitted run has {low:g}",
                    hint="leave the column out, or fit runs with other epochs",
                )

    def design(
        self,
        *,
        examples: Floats,
        avg_tokens: Floats,
        epochs: float | Floats,
        method: str,
        selector_params: float | Floats,
        eligible: Floats,
        model_params: float | Floats,
        counts: str,
    ) -> Rows:
        """Rows for candidate plans, each number a scalar or (n,); method 'random' has no selection in it.

        counts: 'tokens' or 'examples', what T means in the fitted table. model_params is ignored by one-size series.
        """
        refs, n = self.refs, len(examples)
        volume = examples * avg_tokens if counts == "tokens" else examples
        index = refs.methods.index(method) if method in refs.methods else 0
        zeros = np.zeros(n)
        # no selection model is the size that the method was measured with
        selector = np.where(np.asarray(selector_params) > 0.0, selector_params, refs.S.get(method, 1.0))
        return Rows(
            t=np.log(volume / refs.T),
            x=np.log(avg_tokens / refs.L) if "avg_tokens" in self.ranges else zeros,
            m=zeros + np.log(np.asarray(model_params) / refs.M) if "model_params" in self.ranges else zeros,
            s=zeros + np.log(selector / refs.S[method]) if index and method in refs.S else zeros,
            ln_pool=np.log(eligible / examples) if index else zeros,
            repeats=zeros + epochs - 1.0,
            method=np.full(n, index, dtype=np.intp),
            level=np.zeros(n, dtype=np.intp),
            anchor=np.full(n, self.sign * next(iter(self.base.values()), np.nan)),
        )

    def point(self, rows: Rows) -> Floats:
        """(n,) expected metric, in its own sign and unit; (B, n) where the rows' features differ from draw to draw."""
        loss = self.loss(rows)
        return np.asarray(self.sign * (loss if rows.t.ndim == 2 else loss[0]))

    def loss(self, rows: Rows) -> Floats:
        """(B, n) expected loss of as many fits as `inside.point` and the mixture ahead hold."""
        loss = self._inside(rows, self.inside.point)
        if self.ahead is not None:
            loss = self._blend(loss, self.ahead.centre(self._beyond(rows)), self.ahead.share(rows))
        return np.asarray(np.clip(loss, *self.bounds))

    def draws(self, rows: Rows) -> Floats:
        """(B, n) expected metric under each bootstrap draw, noise of new runs left out."""
        loss = self._inside(rows, self.inside.draws)
        if self.ahead is not None and bool((self.ahead.share(rows) > 0.0).any()):
            ahead = self.ahead.draws(self._beyond(rows), self.n_draws, self.seed + 2)
            loss = self._blend(loss, ahead, self.ahead.share(rows))
        return np.asarray(self.sign * np.clip(loss, *self.bounds))

    def _inside(self, rows: Rows, solution: Solution) -> Floats:
        theta, amplitudes = solution.theta, solution.amplitudes
        if rows.t.ndim == 2 and len(theta) == 1:
            theta, amplitudes = (np.repeat(v, len(rows.t), axis=0) for v in (theta, amplitudes))
        with np.errstate(over="ignore", invalid="ignore"):
            out = self.inside.law.evaluate(rows, theta, self.refs).predict(amplitudes)
        # a power law has no value before tuning (T = 0)
        return np.where(np.isfinite(out), out, np.nan)

    def _beyond(self, rows: Rows) -> Rows:
        """The rows as the mixture ahead sees them: those inside the data, where it has no share, at the largest run."""
        assert self.ahead is not None
        return replace(rows, t=np.maximum(rows.t, self.ahead.t_max))

    def _blend(self, inside: Floats, ahead: Floats, share: Floats) -> Floats:
        """Loss from the law inside (linear) and the extrapolation (logarithm of the distance to the floor)."""
        assert self.ahead is not None
        floor = self.ahead.floor
        own = np.log(np.maximum(inside - floor, 1e-300))
        blended = np.exp((1.0 - share) * np.where(share < 1.0, own, 0.0) + share * ahead)
        return np.asarray(np.where(share > 0.0, floor + blended, inside))

    def interval(self, rows: Rows, level: float) -> tuple[Floats, Floats]:
        """Bounds (n,) that a new run falls between with probability `level`.

        Inside the data: quantiles of the draws with noise. Ahead: the mixture's own width. Between: both, blended.
        """
        tail = (1.0 - level) / 2.0
        bounds = np.quantile(
            self.sign * self.with_noise(self.sign * self._inside(rows, self.inside.draws)), [tail, 1.0 - tail], axis=0
        )
        if self.ahead is not None and rows.t.ndim == 1:
            down, up = self.ahead.half_widths(self._beyond(rows), level)
            share, centre = self.ahead.share(rows), self.ahead.centre(self._beyond(rows))[0]
            bounds = np.stack(
                [self._blend(bounds[0], centre - down, share), self._blend(bounds[1], centre + up, share)]
            )
        # noise is added as it is seen near the runs; no result is better than the best there is
        bounds = np.clip(bounds, *self.bounds)
        low, high = bounds if self.sign > 0 else -bounds[::-1]
        return low, high

    def with_noise(self, draws: Floats) -> Floats:
        """Draws (B, n) of the curve as draws of a new run: a residual of the fit, with a random sign, is added."""
        rng = np.random.default_rng(self.seed + 1)
        noise = rng.choice(self.residuals, size=draws.shape) * rng.choice([-1.0, 1.0], size=draws.shape)
        out: Floats = draws + noise
        return out

    def volume(self, table: RunTable) -> Floats:
        """(n,) amount of data of each row as the fit counts it; 0 before tuning."""
        counted = table.tokens if self.refs.counts == "tokens" else table.examples
        return np.where(table.examples == 0.0, 0.0, counted)

    def data_multiplier(self, rows: Rows) -> Floats:
        """(n,) what one unit of a run's data counts for by its epochs and its selection, r·(P_e/N)^kap; 1 where the law
        has neither. What has a range of its own is left out: length, and epochs where repeats may be worth more.
        """
        plain = replace(rows, t=np.zeros_like(rows.t), x=np.zeros_like(rows.x))
        return np.asarray(np.exp(self.inside.law.log_data(plain, self.inside.point.theta, self.refs, ranged=False)[0]))

    def effective_beyond(self, rows: Rows, tokens: Floats) -> Floats:
        """(n,) effective data (data times their multiplier) over the most that any fitted run had; below 1 inside."""
        # seen from the largest run, so that where nothing is worth more than itself this is tokens / tokens
        most = np.max(np.exp(self.runs.t - self.runs.t.max()) * self.data_multiplier(self.runs))
        return np.asarray(tokens * self.data_multiplier(rows) / self.ranges["tokens"][1] / most)

    def extrapolation(
        self, rows: Rows, tokens: Floats, avg_tokens: Floats | None = None, model_params: Floats | None = None
    ) -> Floats:
        """(n,) factor by which a run lies outside the fitted range: the largest of data, effective data, length, size
        and, where the law is told by them alone, epochs; 1 inside.

        rows: the runs' features. NaN counts as inside: what a row does not say is not beyond anything.
        """
        out = np.fmax(1.0, self.effective_beyond(rows, tokens))
        given = {"tokens": tokens, "avg_tokens": avg_tokens, "model_params": model_params}
        if any(t.range == "epochs" for t in self.inside.law.terms):
            given["epochs"] = 1.0 + rows.repeats
        for name, values in given.items():
            if values is None or name not in self.ranges:
                continue
            low, high = self.ranges[name]
            with np.errstate(divide="ignore"):
                beyond = np.maximum(values / high, np.where(values > 0.0, low / values, np.inf))
            out = np.fmax(out, beyond)
        return out


def build(
    data: Data,
    selected: Sequence[Weighted],
    objective: Objective,
    draws: int,
    seed: int,
    key: str = "",
    drawn: Drawn | None = None,
) -> Predictor:
    """Fit the selected laws to a series and resample it, if that was not done before (drawn): the same table, laws and
    seed give the same draws.
    """
    law = next(parse(w.law) for w in selected if w.zone == "within")
    tables = Tables.of([data])
    if drawn is not None and (drawn.seed, len(drawn.inside.draws.theta)) == (seed, draws):
        inside = drawn.inside
    else:
        minima = solve(data, law, row_weights(tables, objective)[0], objective)
        refits = resample(tables, law, [minima], objective, draws, seed)[0]
        inside = Inside(law, minima.take(np.array([0])), refits)
    fitted = predict(data, law, inside.point)[0]
    beyond = {w.law: w for w in selected if w.zone == "ahead"}
    given = (beyond.pop(PRIOR).weight if PRIOR in beyond else 0.0, beyond.pop(LINE).weight if LINE in beyond else 0.0)
    laws = sum(w.weight for w in beyond.values())
    chosen = [(parse(w.law), w.weight / laws, w.discount) for w in beyond.values()]
    ahead = mixture(data, chosen) if chosen else None
    if ahead is not None and sum(given) > 0.0:
        ahead = replace(ahead, tail=tail(data, law, inside.point, given, ahead.noise))
    widened = np.sqrt(len(data) / max(len(data) - law.n_params(data.refs), 1.0))
    return Predictor(
        key=key,
        inside=inside,
        ahead=ahead,
        refs=data.refs,
        sign=data.sign,
        residuals=widened * (data.y - fitted),
        ranges=ranges(data),
        base=bases(data),
        seed=seed,
        metric=data.table.metric,
        runs=data.rows,
        bounds=bounds(data),
    )


def bases(data: Data) -> dict[str, float]:
    """The score before tuning of each group, where all groups have one."""
    groups = list(data.table.group)
    if not data.has_base:
        return {}
    return {g: data.sign * float(data.rows.anchor[groups.index(g)]) for g in data.refs.levels}


def bounds(data: Data) -> tuple[float, float]:
    """The best and the worst that the turned metric can be: a bounded score ends on both sides."""
    return data.floor_low, 0.0 if data.sign < 0.0 and np.isfinite(data.floor_low) else np.inf


def resample(
    tables: Tables, law: Law, minima: Sequence[Solution], objective: Objective, draws: int, seed: int
) -> list[Solution]:
    """Refits of one law to `draws` resamples of every table, from its minima: wild draws for squares, case draws for
    Huber (see `bootstrap.kind`).
    """
    data, used = tables.data, law.n_params(tables.data.refs)
    wild = bootstrap.kind(objective) == "wild"
    signs = bootstrap.signs(data, draws, seed) if wild else np.empty((0, 0), dtype=np.int8)
    cases = np.empty((0, 0)) if wild else bootstrap.case(data, draws, seed)
    if wild and len(data) > linearised.ROWS:
        best = [(tables.one(i), own.take(slice(0, 1))) for i, own in enumerate(minima)]
        return [linearised.refits(d, law, point, w, signs) for (d, point), w in zip(best, tables.w, strict=True)]
    at_once = max(1, AT_ONCE // len(data))
    out: list[list[Solution]] = [[] for _ in minima]
    for first in range(0, len(tables), max(1, at_once // draws)):
        some = np.arange(first, min(first + max(1, at_once // draws), len(tables)))
        for start in range(0, draws, at_once):
            part = slice(start, min(start + at_once, draws))
            count = part.stop - part.start
            which, values = np.repeat(some, count), None
            weights = np.tile(cases[part], (len(some), 1))
            if wild:
                ones = [(tables.one(i), minima[i].take(slice(0, 1))) for i in some.tolist()]
                drawn = [bootstrap.wild(d, predict(d, law, best)[0], used, signs[part]) for d, best in ones]
                values = np.concatenate(drawn)
                weights = row_weights(tables, objective)
                weights = np.broadcast_to(weights, values.shape) if len(tables) == 1 else weights[which]
            found = refit(tables, law, which, weights, minima, objective, values)
            for k, i in enumerate(some):
                out[i].append(found.take(slice(k * count, (k + 1) * count)))
    return [joined(parts) for parts in out]


def ranges(data: Data) -> dict[str, tuple[float, float]]:
    """(min, max) of what the fitted rows cover; columns the table does not have are left out."""
    columns = {
        "examples": data.table.examples,
        "avg_tokens": data.table.avg_tokens,
        "tokens": data.table.volume,
        "model_params": data.table.model_params,
        "epochs": data.table.epochs,
    }
    return {k: (float(np.nanmin(v)), float(np.nanmax(v))) for k, v in columns.items() if np.isfinite(v).any()}


def from_series(table: RunTable, series: SeriesFit, objective: Objective, draws: int, seed: int) -> Predictor:
    """The predictor of one series of a fit, its draws made again from the runs where it was read from a file."""
    return build(prepare(table), series.selected, objective, draws, seed, series.key, series.drawn)
