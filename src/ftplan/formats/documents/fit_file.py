"""The layout of a fit file, written once for both directions."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ftplan import schemas
from ftplan.errors import InputError
from ftplan.fit.result import Agreement, Fit, Identified, LawFit, Param, SeriesFit, Weighted, Winner
from ftplan.formats.documents import SCHEMA_VERSION, finite
from ftplan.runs import LARGEST_COUNT, LARGEST_METRIC, SMALLEST_METRIC, Metric, RunTable, from_rows

_AGAIN = "write it again with: ftplan fit RUNS -o FILE"


def fit_to_dict(fit: Fit) -> dict[str, Any]:
    """A fit as plain values; `fit_from_dict` is the inverse."""
    runs: dict[str, Any] = {"sha256": fit.runs_sha256}
    if fit.runs is not None:
        runs |= {"source": fit.runs.source, "notes": list(fit.runs.notes), "repairs": list(fit.runs.repairs)}
        runs["rows"] = fit.runs.rows()
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "fit",
        "metric": asdict(fit.metric),
        "objective": fit.objective,
        "seed": fit.seed,
        "bootstrap": {"kind": fit.bootstrap, "draws": fit.draws},
        "borrowed": fit.borrowed,
        "warnings": list(fit.warnings),
        # of a table with one series it stands where a script looks first, too
        "winner": _winner(fit.series[0]) if len(fit.series) == 1 else None,
        "series": [_series_to_dict(series) for series in fit.series],
        "agreement": [asdict(each) for each in fit.agreement],
        "runs": runs,
    }


def _winner(series: SeriesFit) -> dict[str, Any] | None:
    return None if series.winner is None else asdict(series.winner)


def _series_to_dict(series: SeriesFit) -> dict[str, Any]:
    known = series.identified
    best = series.best_length
    return {
        "key": series.key,
        "verdict": list(series.verdict),
        "selected": [asdict(member) for member in series.selected],
        "identified": {name: {"value": value, "why": known.why.get(name, "")} for name, value in known.what.items()},
        "best_length": None if best is None else _param_to_dict(best),
        "winner": _winner(series),
        "ranges": {name: list(ends) for name, ends in series.ranges.items() if None not in map(finite, ends)},
        "residual_sd": finite(series.residual_sd),
        "n_runs": series.n_runs,
        "warnings": list(series.warnings),
        "laws": [_law_to_dict(law) for law in series.laws],
    }


def _law_to_dict(law: LawFit) -> dict[str, Any]:
    return {
        "name": law.name,
        "params": {name: _param_to_dict(param) for name, param in law.params.items()},
        "n_params": law.n_params,
        "rmse": law.rmse,
        "aicc": finite(law.aicc),
        "cv_rmse": finite(law.cv_rmse),
        "extrapolation_error": finite(law.extrapolation_error),
        "extrapolation_se": finite(law.extrapolation_se),
        "warnings": list(law.warnings),
    }


def _param_to_dict(param: Param) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "estimate": finite(param.estimate),
        "low": finite(param.low),
        "high": finite(param.high),
        "status": param.status,
    }
    return plain | {"unit": param.unit} if param.unit else plain


def fit_from_dict(plain: Any, *, source: str = "-") -> Fit:
    """The fit in `plain`. Raises InputError where it is no fit of this schema version; `source` names the file."""
    if not isinstance(plain, dict) or plain.get("kind") != "fit":
        seen = plain.get("kind") if isinstance(plain, dict) else type(plain).__name__
        raise InputError(
            f"{source}: not a fit file (kind: {seen!r})", hint="write one with: ftplan fit RUNS -o fit.yaml"
        )
    if plain.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{source}: schema_version {plain.get('schema_version')!r}, this ftplan reads {SCHEMA_VERSION}",
            hint="fit the runs again with this version",
        )
    schemas.check("fit", plain, source, hint=_AGAIN)
    try:
        return _fit(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # what the schema cannot say: rows that make no run table
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{source}: damaged fit file: {what}", hint=_AGAIN) from error


def _fit(plain: dict[str, Any]) -> Fit:
    metric = Metric(**plain["metric"])
    runs = plain["runs"]
    table = None
    if "rows" in runs:
        table = from_rows(runs["rows"], metric, source=runs["source"], notes=tuple(runs["notes"]))
        table = replace(table, repairs=tuple(runs.get("repairs", ())))
        _refuse_rows(table)
    _refuse_series(plain["series"], table)
    return Fit(
        metric=metric,
        objective=plain["objective"],
        seed=int(plain["seed"]),
        draws=int(plain["bootstrap"]["draws"]),
        bootstrap=plain["bootstrap"]["kind"],
        runs=table,
        runs_sha256=runs["sha256"],
        series=tuple(_series(item) for item in plain["series"]),
        borrowed=plain["borrowed"],
        warnings=tuple(plain["warnings"]),
        agreement=tuple(Agreement(**each) for each in plain.get("agreement", ())),
    )


def _refuse_rows(table: RunTable) -> None:
    """Raises ValueError for rows that no run table has: they are read without the checks that a table's cells go
    through.
    """
    if not len(table):
        raise ValueError("it holds no runs")
    base, size = table.examples == 0.0, np.abs(table.value)
    positive = {name: getattr(table, name) for name in ("avg_tokens", "model_params", "epochs", "pool_examples")}
    faults = {
        f"no {table.metric.name} that was measured": ~np.isfinite(table.value)
        | (size > LARGEST_METRIC)
        | ((size > 0.0) & (size < SMALLEST_METRIC)),
        "neither examples nor tokens that a run can have": ~base
        & ~((table.volume > 0.0) & (table.volume <= LARGEST_COUNT**2)),
        "examples below 0": table.examples < 0.0,
        **{f"{name} that no run can have": (x <= 0.0) | (x > LARGEST_COUNT) for name, x in positive.items()},
    }
    for what, bad in faults.items():
        if bad.any():
            raise ValueError(f"row {int(np.argmax(bad)) + 1} of its runs has {what}")


def _refuse_series(series: list[dict[str, Any]], table: RunTable | None) -> None:
    """Raises ValueError for series that are there twice, or that none of the runs is of."""
    keys = [one["key"] for one in series]
    if len(set(keys)) < len(keys):
        raise ValueError("two of its series have one key")
    if table is None:
        return
    for one in series:
        if one["key"] and one["key"] not in table.group:
            raise ValueError(f"none of its runs is of the series {one['key']!r}")
        if "tokens" not in one["ranges"]:
            raise ValueError(f"the series {one['key']!r} does not say the range of its tokens")


def _series(plain: dict[str, Any]) -> SeriesFit:
    known: dict[str, dict[str, Any]] = plain["identified"]
    best = plain["best_length"]
    residual = plain["residual_sd"]
    return SeriesFit(
        key=plain["key"],
        selected=tuple(Weighted(**member) for member in plain["selected"]),
        laws=tuple(_law(law) for law in plain["laws"]),
        identified=Identified(
            what={name: item["value"] for name, item in known.items()},
            why={name: item["why"] for name, item in known.items() if item["why"]},
        ),
        ranges={name: (float(low), float(high)) for name, (low, high) in plain["ranges"].items()},
        residual_sd=float("nan") if residual is None else float(residual),
        n_runs=int(plain["n_runs"]),
        verdict=tuple(plain["verdict"]),
        best_length=None if best is None else Param(**best),
        winner=Winner(**plain["winner"]) if plain.get("winner") else None,
        warnings=tuple(plain["warnings"]),
    )


def _law(plain: dict[str, Any]) -> LawFit:
    fields = {**plain, "n_params": int(plain["n_params"])}  # a whole number may be written 3.0
    fields["params"] = {name: Param(**param) for name, param in plain["params"].items()}
    fields["warnings"] = tuple(plain["warnings"])
    return LawFit(**fields)
