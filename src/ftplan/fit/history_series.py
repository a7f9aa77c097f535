"""One series of histories from end to end: the law over rate-weighted tokens, what it says, and a predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from ftplan.errors import InputError
from ftplan.fit import evaluated
from ftplan.fit.evaluated import Made
from ftplan.fit.histories import PRIOR, SHIFTS, Evaluations, HistoryLaw, covariance, fit
from ftplan.fit.predictor import Inside, Predictor
from ftplan.fit.problem import Solution
from ftplan.fit.result import Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.fit.score import aicc
from ftplan.laws.annealed import (
    ANNEAL,
    CORE,
    FLOOR,
    LEVEL,
    SCALE,
    SHAPE,
    SLOW,
    Floats,
    HistoryPoints,
    log_metric,
    log_metric_and_slopes,
)
from ftplan.laws.law import parse
from ftplan.laws.parts import Refs, Rows
from ftplan.laws.schedules import SCHEDULES, mean_rate, rate_at
from ftplan.runs import RunTable, from_rows
from ftplan.units import format_count

#: the law's name in a fit
NAME = "annealed"
#: past its knee with this chance, a history is called so (docs/one-run.md: 82 % of those that are, 4 % of the others)
PAST = 0.5
#: a run that its schedule ends so much later is still going on
ON_THE_WAY = 1.05
_TAIL = (0.05, 0.95)
#: normal quantiles that stand for the scatter of single runs
_QUANTILES = 200
#: what one run does not vary, and the prior says, in words
_WORDS = {"peak_rate": "another peak rate", "batch_tokens": "another batch", "epochs": "more epochs"}


@dataclass(frozen=True)
class Told:
    """A fitted series. best: the value that errors are counted from (0 for a loss); unsettled: evaluations left out."""

    table: RunTable
    made: Made
    law: HistoryLaw
    best: float
    unsettled: int

    @property
    def own(self) -> Evaluations:
        return self.law.evaluations

    @property
    def sign(self) -> float:
        return 1.0 if self.table.metric.direction == "min" else -1.0

    @property
    def runs(self) -> int:
        """Runs that were trained."""
        return len(set(self.own.run[self.own.points.tokens > 0.0].tolist()))

    def metric(self, error: Floats) -> Floats:
        """An error as the metric it is of."""
        return np.asarray(error if self.sign > 0.0 else self.best - error)


def told(table: RunTable, seed: int) -> Told:
    """The law of one series. Raises InputError where its rows are no evaluations of one curve."""
    made = evaluated.made_by(table)
    own = evaluated.evaluations(table, made)
    if not (own.points.tokens > 0.0).any():
        raise InputError(f"{table.source}: only the model before tuning (examples = 0), and no run that was trained")
    keep = evaluated.settled(own)
    return Told(table, made, fit(own.take(keep), PRIOR, seed), evaluated.best_of(table), int((~keep).sum()))


def refuse_laws(table: RunTable, laws: Sequence[str]) -> None:
    """Raises InputError for another law than the one that knows learning rates."""
    others = [name for name in laws if name not in ("auto", NAME)]
    if others:
        raise InputError(
            f"{table.source}: law {others[0]!r} is of finished runs, and these evaluated themselves on the way",
            hint="leave out --law, or fit the finished runs alone: rows without the column rate",
        )


def series_of(found: Told, key: str) -> SeriesFit:
    """Its record in a fit."""
    misses = _left_out(found)
    residual = found.own.metric * np.expm1(log_metric(found.law.best[None], found.own.points)[0] - _log(found.own))
    ends = _ends(found)
    n_params = CORE + int(_varied(found).sum())
    law = LawFit(
        name=NAME,
        params=_params(found),
        n_params=n_params,
        rmse=float(np.sqrt(np.mean(residual**2))),
        aicc=aicc(float(np.mean(residual[ends] ** 2)), len(ends), n_params),
        cv_rmse=float(np.sqrt(np.mean(misses**2))) if len(misses) > 1 else None,
        extrapolation_error=None,
        extrapolation_se=None,
    )
    return SeriesFit(
        key=key,
        selected=(Weighted(NAME, 1.0),),
        laws=(law,),
        identified=_identified(),
        ranges=_ranges(found.table),
        residual_sd=float(_scatter(found) * np.median(found.own.metric[ends])),
        n_runs=found.runs,
        verdict=_verdict(found, law),
        warnings=_warnings(found),
    )


def _log(own: Evaluations) -> Floats:
    return np.asarray(np.log(own.metric))


def _ends(found: Told) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The last evaluation of each run that was trained."""
    seen, run = found.own.points.tokens, found.own.run
    order = np.lexsort((seen, run))
    last = order[np.append(np.diff(run[order]) > 0, True)]
    return np.asarray(np.sort(last[seen[last] > 0.0]), dtype=np.intp)


def _left_out(found: Told) -> Floats:
    """(runs,) how far the last evaluation of each run is from what the others say, in the metric's unit.

    All runs at once: about the mode the law is linear and everything normal, so that what is left out has the residual
    (K^-1)_gg^-1 (K^-1 r)_g, K being the covariance of all evaluations with the prior's doubt in it.
    """
    own = found.own
    mean, sd = PRIOR.at(own)
    at, slopes = (values[0] for values in log_metric_and_slopes(found.law.best[None], own.points))
    K = covariance(own, found.law.errors) + (slopes * sd**2) @ slopes.T
    factor = cho_factor(K, lower=True)
    inverse = cho_solve(factor, np.eye(len(K)))
    pulled = inverse @ (_log(own) - at - slopes @ (mean - found.law.best))
    out = []
    for end in _ends(found):
        rows = np.flatnonzero(own.run == own.run[end])
        missed = np.linalg.solve(inverse[np.ix_(rows, rows)], pulled[rows])[int(np.flatnonzero(rows == end)[0])]
        out.append(own.metric[end] * -np.expm1(-missed))
    return np.array(out)


def _varied(found: Told) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(3,) which of `SHIFTS` differ between evaluations."""
    trained = found.own.points.tokens > 0.0
    return np.asarray(np.ptp(found.own.points.shifts[trained], axis=0) > 1e-9)


def _params(found: Told) -> dict[str, Param]:
    """The law's own parameters with 90 % intervals of the posterior; what the runs do not vary is the prior's."""
    draws = found.law.draws
    y0 = np.exp(draws[:, LEVEL])
    natural = {
        "y0": (found.metric(y0), "", True),
        "E": (found.metric(y0 / (1.0 + np.exp(-draws[:, FLOOR]))), "", True),
        "S0": (np.exp(draws[:, SCALE]), "tokens", True),
        "beta": (np.exp(draws[:, SHAPE]), "", True),
        "C": (np.exp(draws[:, ANNEAL]), "", True),
        "kappa": (1.0 / (1.0 + np.exp(-draws[:, SLOW])), "", True),
    }
    for k, (name, told_by_runs) in enumerate(zip(SHIFTS, _varied(found), strict=True)):
        natural[f"w[{name}]"] = (draws[:, CORE + k], "", bool(told_by_runs))
    out = {}
    for name, (values, unit, own) in natural.items():
        low, high = np.quantile(values, _TAIL)
        out[name] = Param(float(np.median(values)), float(low), float(high), "ok" if own else "borrowed", unit)
    return out


def _identified() -> Identified:
    """A history varies the amount of data, and nothing that a plan may vary beside it."""
    silent = "not told by histories: the law over rate-weighted tokens has no term for it"
    what = dict.fromkeys(("avg_tokens", "model_params", "epochs", "selector_params"), False)
    return Identified(what, dict.fromkeys(("avg_tokens", "epochs"), silent))


def _ranges(table: RunTable) -> dict[str, tuple[float, float]]:
    trained = table.subset(~(table.examples == 0.0))
    columns = {
        "examples": trained.examples,
        "avg_tokens": trained.avg_tokens,
        "tokens": trained.volume,
        "model_params": trained.model_params,
        "epochs": trained.epochs,
    }
    return {k: (float(np.nanmin(v)), float(np.nanmax(v))) for k, v in columns.items() if np.isfinite(v).any()}


def _scatter(found: Told) -> float:
    """Relative standard deviation of single runs about the law."""
    errors = found.law.errors
    return float(np.median(found.law.scale) * np.hypot(errors.luck, errors.noise))


def _verdict(found: Told, law: LawFit) -> tuple[str, ...]:
    """What the law is, whether its history is old enough, and what one run cannot tell."""
    runs, rows = found.runs, int((found.own.points.tokens > 0.0).sum())
    name = found.table.metric.name
    said = [f"{_count(runs, 'run')} with {_count(rows, 'evaluation')}: {name} is fitted over rate-weighted tokens."]
    if law.cv_rmse is not None:
        unit = {"nats": " nats", "percent": " points"}.get(found.table.metric.unit, "")
        said = [f"{said[0][:-1]}, and misses the end of a run by {law.cv_rmse:.2g}{unit} without it."]
    chance = found.law.past_knee
    history = "The history is" if runs == 1 else "The longest history is"
    if chance >= PAST:
        said.append(f"{history} past the knee of its curve (chance {chance:.2f}): its bend is measured.")
    else:
        said.append(
            f"{history} too young: it has not reached the knee of its curve (chance that it has {chance:.2f}), so "
            "beyond its end the prior says most, and the intervals are as wide as that."
        )
    alone = [words for (k, words), own in zip(_WORDS.items(), _varied(found), strict=True) if not own and k]
    noise = [f"the noise between runs ({100 * _scatter(found):.1f} %)"] if runs < 3 else []
    said.append(
        f"What {'one run' if runs == 1 else 'these runs'} cannot tell comes from a prior with its range: "
        f"{', '.join((*noise, *alone))}. The best length and selection are not in it at all."
        if noise or alone
        else "The best length and selection are not told by histories."
    )
    made = found.made
    how = f"{made.schedule} with a warm-up of {100 * made.warmup:.3g} %"
    said.append(
        f"Predictions are of finished runs under {how}, {'as most runs had' if made.said else 'by their rates'}."
    )
    return (*said, *_going_on(found), _other_schedules(found))


def _going_on(found: Told) -> list[str]:
    """Where the longest run will end if it is still going on, and what a run of twice its tokens would gain."""
    made, seen = found.made, float(found.own.points.tokens.max())
    if made.total < ON_THE_WAY * seen:
        return []
    row = {"examples": 1.0, "epochs": made.epochs}
    rows = [{**row, "schedule": made.schedule, "tokens": factor * made.total / made.epochs} for factor in (1.0, 2.0)]
    end = foretell(found, evaluated.points(from_rows(rows, found.table.metric), made), 0.9, 0)
    stop, on = (f"{end.value[i]:.4g} ({end.low[i]:.4g} to {end.high[i]:.4g})" for i in (0, 1))
    where = f"{format_count(seen)} of {format_count(made.total)} tokens"
    return [f"The longest run is at {where}, by its rates: it will end at {stop}, and one of twice its tokens at {on}."]


def _other_schedules(found: Told) -> str:
    """What the schedules would end at with the data of the longest run, and the usual one with a longer warm-up."""
    made, tokens = found.made, _ranges(found.table)["tokens"][1]
    ways = [(name, made.warmup) for name in SCHEDULES]
    longer = min(2.0 * made.warmup, 0.5)
    ways += [(made.schedule, longer)] * (longer > 0.0)
    row = {"examples": 1.0, "tokens": tokens, "epochs": made.epochs}
    rows = [{**row, "schedule": name, "warmup": warmup} for name, warmup in ways]
    end = foretell(found, evaluated.points(from_rows(rows, found.table.metric), made), 0.9, 0)
    names = [*SCHEDULES, f"{made.schedule} with a warm-up of {100 * longer:.3g} %"]
    each = [
        f"{name} {value:.4g} ({low:.4g} to {high:.4g})"
        for name, value, low, high in zip(names, end.value, end.low, end.high, strict=False)
    ]
    return f"At {format_count(tokens)} tokens a new run would end at: {', '.join(each)}."


def _warnings(found: Told) -> tuple[str, ...]:
    if not found.unsettled:
        return ()
    left = _count(found.unsettled, "evaluation")
    return (
        f"{left} left out, of runs not better than the untuned model yet: a run that is getting over its first steps "
        "follows no law",
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


@dataclass(frozen=True)
class Foretold:
    """(n,) the metric of runs not made yet, with an interval."""

    value: Floats
    low: Floats
    high: Floats


def foretell(found: Told, at: HistoryPoints, level: float, seed: int) -> Foretold:
    """Separate runs at these points. A row's forecast does not depend on the rows beside it."""
    parts = [found.law.forecast(at.take(slice(i, i + 1)), seed) for i in range(len(at))]
    value = found.metric(np.array([part.value[0] for part in parts]))
    ends = np.array([[float(end[0]) for end in part.interval(level)] for part in parts])
    low, high = found.metric(ends[:, 0]), found.metric(ends[:, 1])
    return Foretold(value, np.minimum(low, high), np.maximum(low, high))


def predictor_of(found: Told, key: str, seed: int, schedule: str = "", warmup: float | None = None) -> Predictor:
    """What plans with the law: under one schedule it is a rectified curve of the tokens, draw by draw."""
    name = schedule or found.made.schedule
    warm = found.made.warmup if warmup is None else warmup
    lengths = found.table.avg_tokens[np.isfinite(found.table.avg_tokens)]
    refs = Refs(T=1.0, L=float(np.exp(np.mean(np.log(lengths)))) if len(lengths) else 1.0, counts="tokens")
    drawn = _rectified(found, found.law.draws, name, warm)
    middle = _rectified(found, np.median(found.law.draws, axis=0)[None], name, warm)
    normal = np.sort(np.random.default_rng(0).standard_normal(20_000))
    normal = normal[((np.arange(_QUANTILES) + 0.5) / _QUANTILES * 20_000).astype(int)]
    zero = np.zeros(1)
    ranges = _ranges(found.table)
    most = np.log(np.array([ranges["tokens"][1]]))
    return Predictor(
        key=key,
        inside=Inside(parse("rectified"), middle, drawn),
        ahead=None,
        refs=refs,
        sign=found.sign,
        residuals=_scatter(found) * float(np.median(found.own.metric[_ends(found)])) * normal,
        ranges=ranges,
        base={},
        seed=seed,
        metric=found.table.metric,
        runs=Rows(most, zero, zero, zero, zero, zero, zero.astype(np.intp), zero.astype(np.intp), zero * np.nan),
    )


def _rectified(found: Told, draws: Floats, schedule: str, warmup: float) -> Solution:
    """The law under a schedule: y0 - (y0 - E)·(1 + C·fall) is the floor, and P is a share of the tokens."""
    y0, low = np.exp(draws[:, LEVEL]), 1.0 / (1.0 + np.exp(-draws[:, FLOOR]))
    kappa, share = 1.0 / (1.0 + np.exp(-draws[:, SLOW])), float(mean_rate(schedule, warmup))
    fall = 1.0 - float(rate_at(schedule, warmup, 1.0))
    gain = y0 * (1.0 - low) * (1.0 + np.exp(draws[:, ANNEAL]) * fall)
    epochs = found.made.epochs
    weighted = (share + kappa * (1.0 - share)) * epochs * epochs ** draws[:, CORE + SHIFTS.index("epochs")]
    theta = np.stack([np.exp(draws[:, SHAPE]), draws[:, SCALE] - np.log(weighted)], axis=1)
    turned = y0 - gain - (0.0 if found.sign > 0.0 else found.best)
    amplitudes = np.stack([turned, gain], axis=1)
    return Solution(theta, amplitudes, np.zeros(len(theta)), np.ones(len(theta), dtype=bool))
