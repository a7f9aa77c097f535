"""The interval of the difference between plans of one fit: every plan under each draw of that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from ftplan.compare.plans import Interval, Stated
from ftplan.errors import InputError
from ftplan.fit import predictor, runs_sha256
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, SeriesFit
from ftplan.laws.parts import Rows
from ftplan.plan.jobs import sizes_in_runs

#: a plan's own prediction, made again, may differ by this share: its file rounds nothing
SAME = 1e-6


def redraw(plans: Sequence[Stated], fit: Fit) -> list[Interval]:
    """One interval for each further plan, with the probability of the first plan's. InputError where this is not the
    fit that the plans were made from, or where they rest on more than it (an assumption).
    """
    first = plans[0]
    series = _series_of(plans, fit)
    model = predictor(fit, series.key)
    sizes = sizes_in_runs(tuple(plan.plan.job.model for plan in plans), fit)
    counts = fit.runs.data_unit if fit.runs is not None else "tokens"
    designs = [_row(model, plan, size, counts) for plan, size in zip(plans, sizes, strict=True)]
    # one call: plans compared within a draw share its luck
    rows = Rows(**{f.name: np.concatenate([getattr(d, f.name) for d in designs]) for f in fields(Rows)})
    for plan, value in zip(plans, model.point(rows), strict=True):
        if abs(value - plan.prediction.value) > SAME * abs(value):
            raise InputError(
                f"{plan.source} predicts {plan.prediction.value:.4g}, and this fit {value:.4g} for the same plan",
                hint="leave out --fit: the plan rests on an assumption or on another law than the fit's own",
            )
    draws = model.draws(rows)
    better = model.sign * (draws[:, :1] - draws[:, 1:])
    tail = (1.0 - first.prediction.level) / 2.0
    low, high = np.quantile(better, [tail, 1.0 - tail], axis=0)
    noise = float(np.sqrt(2.0 * np.mean(model.residuals**2)))
    wins = np.mean(better > 0.0, axis=0)
    return [Interval(float(a), float(b), float(p), noise) for a, b, p in zip(low, high, wins, strict=True)]


def _series_of(plans: Sequence[Stated], fit: Fit) -> SeriesFit:
    """The series of the fit that all plans were made from."""
    for plan in plans:
        if plan.fit_sha256 != fit.runs_sha256 and not _same_series(plan, fit):
            raise InputError(
                f"{plan.source} was not made from this fit: other runs (sha256 {plan.fit_sha256[:12] or 'none'})",
                hint="--fit takes the fit that the plans were made from",
            )
    found = [s for s in fit.series if s.key == plans[0].series] or list(fit.series)[:1]
    if any(plan.series != plans[0].series for plan in plans):
        raise InputError("the plans are of different series of the fit: their errors are not shared", hint="no --fit")
    return found[0]


def _same_series(plan: Stated, fit: Fit) -> bool:
    """A plan from runs fitted on the spot names the runs of its own series alone."""
    if fit.runs is None:
        return False
    return any(plan.series == key and plan.fit_sha256 == runs_sha256(rows) for key, rows in fit.runs.series())


def _row(model: Predictor, plan: Stated, size: float, counts: str) -> Rows:
    own = plan.plan
    return model.design(
        examples=np.array([float(own.examples)]),
        avg_tokens=np.array([own.avg_tokens]),
        epochs=own.epochs,
        method=own.method,
        selector_params=own.selector.params if own.selector else 0.0,
        eligible=np.array([float(plan.eligible)]),
        model_params=size,
        counts=counts,
    )
