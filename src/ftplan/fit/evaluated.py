"""Rows of a run table as evaluations of the law over rate-weighted tokens (`fit.histories`), and runs not made yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np

from ftplan.errors import InputError
from ftplan.fit.histories import Evaluations
from ftplan.laws.annealed import Floats, HistoryPoints
from ftplan.laws.schedules import SCHEDULES, mean_rate, rate_at
from ftplan.runs import History, RunTable

#: what trainers do where nothing says it (`lr_scheduler_type` of Hugging Face's)
USUAL_SCHEDULE = "linear"
#: warm-ups that a schedule is looked for with, and totals over what was seen: a run may be on its first tenth
_WARMUPS = (0.0, 0.01, 0.03, 0.05, 0.1, 0.2)
_TOTALS = np.concatenate([[1.0], np.geomspace(1.005, 16.0, 400)])
#: mean rates that differ by less are one schedule's
_ALIKE = 0.03
#: in a warm-up S/T is half of the rate, after it more than half of any rate that follows
_RISING = 0.75
#: the best that a score can be
_BEST = {"fraction": 1.0, "percent": 100.0}


@dataclass(frozen=True)
class Made:
    """How most runs of a series were made, which is how one is made that does not say otherwise.

    warmup: share of the run; peak_rate, batch_tokens: NaN where no run says it; said: whether the runs name their
    schedule; total: tokens seen at the end of the longest run by its schedule, which may not be there yet.
    """

    schedule: str
    warmup: float
    peak_rate: float
    batch_tokens: float
    epochs: float
    said: bool
    total: float


def best_of(table: RunTable) -> float:
    """The best that the metric can be: errors are counted from there. InputError for a score without a known end."""
    if table.metric.direction == "min":
        return 0.0
    if table.metric.unit not in _BEST:
        raise InputError(
            f"{table.source}: the best that {table.metric.name} can be is not known, and a history needs an error to "
            "be lowered",
            hint="--metric with a loss, or an accuracy",
        )
    return _BEST[table.metric.unit]


def evaluations(table: RunTable, made: Made) -> Evaluations:
    """All rows of one series. Raises InputError where they are no evaluations of one curve."""
    _refuse(table)
    best = best_of(table)
    error = np.abs(table.value - best)
    if not (error > 0.0).all():
        raise InputError(f"{table.source}: a history needs a metric above 0 where lower is better")
    return Evaluations(error, run_numbers(table), points(table, made))


def settled(own: Evaluations) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) which to fit: until a run is better than the untuned model it is getting over its first steps, which no law
    here describes. All, where none would be left or the untuned model was not evaluated.
    """
    seen = own.points.tokens
    trained = seen > 0.0
    keep = np.ones(len(seen), dtype=bool)
    if trained.all():
        return keep
    worse = trained & (own.metric > own.metric[~trained].mean())
    last = np.full(own.run.max() + 1, -1.0)
    np.maximum.at(last, own.run[worse], seen[worse])
    keep = ~trained | (seen > last[own.run])
    return keep if keep[trained].any() else np.ones(len(seen), dtype=bool)


def _refuse(table: RunTable) -> None:
    """Rows that one curve over tokens cannot hold."""
    trained = ~(table.examples == 0.0)
    if not np.isfinite(table.tokens[trained]).all():
        raise InputError(f"{table.source}: a history counts tokens, and some rows have none", hint="add tokens_seen")
    if len({m for m in table.method if m not in ("", "random")}):
        raise InputError(
            f"{table.source}: runs of several selection methods are no histories of one curve", hint="--by method"
        )
    sizes = table.model_params[np.isfinite(table.model_params)]
    if len(sizes) and sizes.max() > 1.001 * sizes.min():
        raise InputError(
            f"{table.source}: models of several sizes are no histories of one curve", hint="--by model_params"
        )


def run_numbers(table: RunTable) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) number of the run of each row: those with a rate belong to the run they name, each other one is its own."""
    history = _history(table)
    names: dict[str, int] = {}
    out = np.empty(len(table), dtype=np.int64)
    count = 0
    for i in range(len(table)):
        name = history.run[i]
        own = np.isfinite(history.rate[i]) and table.examples[i] != 0.0
        if own and name in names:
            out[i] = names[name]
            continue
        if own:
            names[name] = count
        out[i] = count
        count += 1
    return out


def _history(table: RunTable) -> History:
    """What the rows say of how they were trained: nothing, where the table has no such columns."""
    if table.history is not None:
        return table.history
    n = len(table)
    nothing = np.full(n, np.nan)
    return History(("",) * n, ("",) * n, nothing, nothing, nothing, nothing, nothing)


def made_by(table: RunTable) -> Made:
    """How most runs of one series were made."""
    history = _history(table)
    seen = _seen(table)
    trained = seen > 0.0
    first = {r: i for i, r in reversed([*enumerate(run_numbers(table))]) if trained[i]}
    rows = list(first.values())
    names = [s for i in rows if (s := history.schedule[i]) in SCHEDULES]
    schedule = Counter(names).most_common(1)[0][0] if names else ""
    alike = [i for i in rows if history.schedule[i] == schedule]
    warmup = _most(history.warmup[alike])
    found = _longest(table, seen, schedule, warmup)
    return Made(
        schedule=schedule or found[0],
        warmup=found[1] if np.isnan(warmup) else warmup,
        peak_rate=_most(history.peak_rate[rows]),
        batch_tokens=_most(history.batch_tokens[rows]),
        epochs=_most(_run_epochs(table)[rows], 1.0),
        said=bool(names),
        total=found[2],
    )


def _longest(table: RunTable, seen: Floats, schedule: str, warmup: float) -> tuple[str, float, float]:
    """(schedule, warm-up, tokens at its end) of the longest run, by its rates where its settings do not say them."""
    history = _history(table)
    runs = run_numbers(table)
    last = int(np.argmax(seen))
    own = np.flatnonzero((runs == runs[last]) & np.isfinite(history.rate) & (seen > 0.0))
    wanted = history.schedule[last] if history.schedule[last] in SCHEDULES else schedule
    known = history.warmup[last] if np.isfinite(history.warmup[last]) else warmup
    named, warm = wanted or USUAL_SCHEDULE, 0.0 if np.isnan(known) else float(known)
    if not len(own):
        return named, warm, float(seen[last])
    rate, share = history.rate[own], history.rate_tokens[own] / seen[own]
    best = (np.inf, named, warm, float(seen[last]))
    for name in (wanted,) if wanted else SCHEDULES:
        for w in _WARMUPS if np.isnan(known) else (float(known),):
            done = (seen[own] / seen[last])[None, :] / _TOTALS[:, None]
            apart = (rate_at(name, w, done) - rate) ** 2
            if np.isfinite(share).all():
                apart = apart + (mean_rate(name, w, done) - share) ** 2
            away = apart.mean(axis=1)
            k = int(np.argmin(away))
            if away[k] < best[0] - 1e-9:
                best = (float(away[k]), name, w, float(seen[last] * _TOTALS[k]))
    return best[1:]


def _most(values: Floats, otherwise: float = np.nan) -> float:
    """What most have, of those that say it."""
    known = values[np.isfinite(values)].tolist()
    return Counter(known).most_common(1)[0][0] if known else otherwise


def _seen(table: RunTable) -> Floats:
    """(n,) tokens seen by then, repeats included."""
    epochs = np.nan_to_num(table.epochs, nan=1.0)
    return np.where(table.examples == 0.0, 0.0, table.tokens * epochs)


def _run_epochs(table: RunTable) -> Floats:
    """(n,) epochs of the run of each row, as far as it has come."""
    runs, epochs = run_numbers(table), np.nan_to_num(table.epochs, nan=1.0)
    most = np.zeros(runs.max() + 1)
    np.maximum.at(most, runs, epochs)
    return most[runs]


def points(table: RunTable, made: Made) -> HistoryPoints:
    """Where the law is asked for each row: at its rate, or as a finished run under its schedule, or that of most."""
    history, seen = _history(table), _seen(table)
    n = len(table)
    schedule, warmup = _schedules(table, history, seen, made)
    weighted, fall = np.empty(n), np.empty(n)
    for i in range(n):
        weighted[i], fall[i] = _area(table, i, history, float(seen[i]), schedule[i], warmup[i])
    ratio = [
        _log_ratio(history.peak_rate, made.peak_rate),
        _log_ratio(history.batch_tokens, made.batch_tokens),
        np.log(np.nan_to_num(table.epochs, nan=1.0)),
    ]
    shifts = np.where((seen > 0.0)[:, None], np.stack(ratio, axis=1), 0.0)
    return HistoryPoints(seen, weighted, fall, shifts)


def _schedules(table: RunTable, history: History, seen: Floats, made: Made) -> tuple[list[str], Floats]:
    """Of each row; where only rate-weighted tokens are given, the schedule that has so many."""
    warmup = np.where(np.isfinite(history.warmup), history.warmup, made.warmup)
    out = []
    usual = _mean(made.schedule, made.warmup)
    means = {name: _mean(name, made.warmup) for name in SCHEDULES}
    for i in range(len(table)):
        name = history.schedule[i]
        if not name and np.isnan(history.rate[i]) and np.isfinite(history.rate_tokens[i]) and seen[i] > 0.0:
            share = float(history.rate_tokens[i] / seen[i])
            near = min(means, key=lambda k: abs(means[k] - share))
            name = made.schedule if abs(usual - share) < _ALIKE else near
        out.append(name or made.schedule)
    return out, warmup


@cache
def _mean(schedule: str, warmup: float) -> float:
    """Over a whole run."""
    return float(mean_rate(schedule, warmup))


def _area(table: RunTable, i: int, history: History, seen: float, schedule: str, warmup: float) -> tuple[float, float]:
    """(S, fall) of one row."""
    rate, weighted = float(history.rate[i]), float(history.rate_tokens[i])
    if seen == 0.0:
        return 0.0, 0.0
    finished = np.isnan(rate)
    if schedule not in SCHEDULES and (finished or np.isnan(weighted)):
        raise InputError(
            f"{table.source}: row {i + 1}, column schedule: {schedule!r} is not known",
            hint=f"known are {', '.join(SCHEDULES)}; or give rate and rate_tokens",
        )
    if finished:
        end = float(rate_at(schedule, warmup, 1.0))
        return weighted if np.isfinite(weighted) else seen * _mean(schedule, warmup), 1.0 - end
    if np.isnan(weighted):
        grid = np.linspace(warmup, 1.0, 2001)
        done = float(grid[int(np.argmin(np.abs(rate_at(schedule, warmup, grid) - rate)))])
        weighted = seen * float(mean_rate(schedule, warmup, done))
    if weighted > 1.01 * seen:
        raise InputError(
            f"{table.source}: row {i + 1}, column rate_tokens: {weighted:g} is more than the {seen:g} tokens seen"
        )
    rising = weighted / seen <= _RISING * rate
    return weighted, 0.0 if rising else max(0.0, 1.0 - rate)


def _log_ratio(values: Floats, usual: float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.log(values / usual), nan=0.0, posinf=0.0, neginf=0.0)
