"""Fitting laws to runs: `fit_runs` gives a `Fit`, `predict_rows` uses one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from json import dumps

import numpy as np

from ftplan.errors import InputError
from ftplan.fit import bootstrap, evaluated, history_series, standing
from ftplan.fit.agreement import agreement, doubt
from ftplan.fit.borrowed import borrowed_fit, borrowed_predictor
from ftplan.fit.curve_prior import shipped
from ftplan.fit.features import Data, prepare
from ftplan.fit.methods import methods_of
from ftplan.fit.panel import LEAST_CURVES
from ftplan.fit.predictor import Predictor, from_series
from ftplan.fit.result import Fit, SeriesFit
from ftplan.fit.series import Extent, fit_series
from ftplan.fit.solve import Objective
from ftplan.fit.verdict import told_winner
from ftplan.fit.winner import winner
from ftplan.laws.parts import Floats, Rows
from ftplan.runs import RunTable

__all__ = ["Predicted", "borrowed_fit", "fit_runs", "predict_rows", "predictor", "refuse_objective"]

Progress = Callable[[str], None]

#: bootstrap draws, also those of predictions from a fit that was made without any
DRAWS = 1000


@dataclass(frozen=True)
class Predicted:
    """One row of a prediction, in the metric's unit; extrapolation: factor beyond the fitted data, 1 inside."""

    value: float
    low: float
    high: float
    extrapolation: float


def fit_runs(
    table: RunTable,
    laws: Sequence[str] = ("auto",),
    *,
    objective: Objective = "squares",
    draws: int = DRAWS,
    seed: int = 0,
    share: str | None = None,
    progress: Progress = lambda _: None,
    extent: Extent = "full",
) -> Fit:
    """Laws fitted to every series of a table, ranked, one selected each. `share`='shape': all groups in one fit;
    extent: how much is worked out for laws that are not used.

    Where a series cannot carry any law, the forecast of the prior over curves stands in. Raises InputError for a law
    that does not exist.
    """
    refuse_objective(table, objective)
    pieces = [("", table)] if share == "shape" else list(table.series())
    for key, _ in pieces:
        progress(key)
    if table.history is not None:
        history_series.refuse_laws(table, laws)
        series = [history_series.series_of(history_series.told(rows, seed), key) for key, rows in pieces]
    else:
        keys, prepared = [key for key, _ in pieces], [prepare(rows) for _, rows in pieces]
        series = fit_series(prepared, keys, laws, objective, draws, seed, progress, extent)
    if extent != "used" and table.history is None:
        series = [_with_winner(data, one, seed) for data, one in zip(prepared, series, strict=True)]
    return Fit(
        metric=table.metric,
        objective=objective,
        seed=seed,
        draws=draws,
        bootstrap=bootstrap.kind(objective) if table.history is None else "posterior",
        runs=table,
        runs_sha256=runs_sha256(table),
        series=tuple(series),
        warnings=table.notes,
    )


def _with_winner(data: Data, series: SeriesFit, seed: int) -> SeriesFit:
    """With the selection method to go on with, and what is said of it."""
    found = winner(data, seed) if len(data.refs.methods) > 1 else None
    return series if found is None else replace(series, winner=found, verdict=(*series.verdict, told_winner(found)))


def with_agreement(fit: Fit, others: Sequence[RunTable]) -> Fit:
    """A fit with what the other metrics of its runs say of the one it is judged by. others: the same runs, each with
    another metric.
    """
    if fit.runs is None:
        return fit
    found = [each for other in others if (each := agreement(fit.runs, other)) is not None]
    doubts = [text for each in found if (text := doubt(fit.runs, each)) is not None]
    return replace(fit, agreement=tuple(found), warnings=(*fit.warnings, *doubts))


def refuse_objective(table: RunTable, objective: Objective) -> None:
    """Raises InputError where a table's metric has no logarithm to compare, or none with a meaning."""
    if objective == "huber" and (table.metric.direction == "max" or not bool((table.value > 0.0).all())):
        raise InputError(
            f"{table.source}: --objective huber compares logarithms, so it needs a positive metric to be lowered, "
            f"and {table.metric.name} is not one"
        )


def runs_sha256(table: RunTable) -> str:
    """Of the canonical rows, so that a copy of a table in another format has the same one."""
    return sha256(dumps(table.rows(), sort_keys=True).encode()).hexdigest()


def predictor(fit: Fit, key: str) -> Predictor:
    """The predictor of one series of a fit, draws included; of a borrowed law, from its published intervals."""
    wanted = next(s for s in fit.series if s.key == key)
    if fit.runs is None:
        return borrowed_predictor(fit, wanted)
    rows = fit.runs if key == "" else dict(fit.runs.series())[key]
    if rows.history is not None:
        return history_series.predictor_of(history_series.told(rows, fit.seed), key, fit.seed)
    draws = fit.draws or DRAWS
    if any(member.law == standing.NAME and member.zone == "within" for member in wanted.selected):
        data = prepare(rows)
        return standing.predictor_of(data, standing.stand(data, draws, fit.seed), fit.seed, key)
    return from_series(rows, wanted, fit.objective, draws, fit.seed)


def predict_rows(fit: Fit, table: RunTable, *, level: float = 0.9) -> list[Predicted]:
    """A prediction for every row of `table`, in its order. InputError for rows of a series the fit does not have."""
    keys = {s.key for s in fit.series}
    out: list[Predicted | None] = [None] * len(table)
    groups = [next(iter(keys)) if len(keys) == 1 else g for g in table.group]
    for i, key in enumerate(groups):
        if key not in keys:
            known = ", ".join(repr(k) for k in sorted(keys))
            raise InputError(f"{table.source}: row {i + 1}: the fit has no series {key!r}", hint=f"it has {known}")
    for key in dict.fromkeys(groups):
        own = np.array([g == key for g in groups])
        part = table.subset(own)
        columns = zip(*_columns(fit, key, part, level), strict=True)
        for place, values in zip(np.flatnonzero(own), columns, strict=True):
            out[int(place)] = Predicted(*(float(v) for v in values))
    return [p for p in out if p is not None]


def _columns(fit: Fit, key: str, part: RunTable, level: float) -> Iterable[Floats]:
    """(n,) value, low, high and extrapolation of rows of one series."""
    if fit.runs is not None and fit.runs.history is not None:
        own = fit.runs if key == "" else dict(fit.runs.series())[key]
        trained = history_series.told(own, fit.seed)
        model = history_series.predictor_of(trained, key, fit.seed)
        rows = model.features(part)
        said = history_series.foretell(trained, evaluated.points(part, trained.made), level, fit.seed)
        found: Iterable[Floats] = (said.value, said.low, said.high)
    else:
        model = predictor(fit, key)
        rows = model.features(part)
        found = _by_method(fit, key, rows, level, (model.point(rows), *model.interval(rows, level)))
    return (*found, model.extrapolation(rows, model.volume(part), part.avg_tokens, part.model_params))


def _by_method(fit: Fit, key: str, rows: Rows, level: float, found: tuple[Floats, Floats, Floats]) -> Iterable[Floats]:
    """Prediction, low and high of rows; those beyond the sizes that several methods share are foretold together."""
    if fit.runs is None or len(set(fit.runs.method)) < LEAST_CURVES:
        return found
    data = prepare(fit.runs if key == "" else dict(fit.runs.series())[key])
    prior = shipped("score" if data.sign < 0.0 else "loss")
    panel = methods_of(data, prior)
    if panel is None:
        return found
    columns = np.array(found)
    for i, quantiles in panel.ahead(rows, (0.5, 0.5 - level / 2.0, 0.5 + level / 2.0), prior).items():
        columns[:, i] = quantiles
    return columns
