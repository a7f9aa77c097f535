"""Laws side by side: how often each is chosen over some run tables, then the ranking in each series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ftplan.fit.result import Fit, LawFit, SeriesFit
from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Heading, Prose, finite
from ftplan.formats.documents.fit import (
    LEGEND,
    VOLUME_IS_POWER,
    display_name,
    has_power,
    ranked,
    series_title,
    weight_of,
)
from ftplan.formats.documents.words import NONE, decimals, decimals_for

_HEADER = (
    "runs", "series", "metric", "law", "rank", "selected_weight", "n_params", "rmse", "aicc", "cv_rmse",
    "extrapolation_error", "extrapolation_se",
)  # fmt: skip


@dataclass(frozen=True)
class _Entry:
    """One law in one series of one table."""

    source: str
    fit: Fit
    series: SeriesFit
    law: LawFit
    rank: int
    weight: float


def document(fits: Sequence[tuple[str, Fit]]) -> Document:
    """(name of the run table, its fit) pairs for every format."""
    entries = [
        _Entry(source, fit, series, law, rank, weight_of(series, law))
        for source, fit in fits
        for series in fit.series
        for rank, law in enumerate(series.laws, start=1)
    ]
    records = tuple(_record(entry) for entry in entries)
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "comparison",
        "laws": [dict(zip(_HEADER, record, strict=True)) for record in records],
    }
    screen: list[Block] = []
    if sum(len(fit.series) for _, fit in fits) > 1:
        screen += [Heading("Over all series"), _overall(entries)]
    for source, fit in fits:
        for series in fit.series:
            screen += [Heading(f"{series_title(series)}, {source}, {fit.metric.name}"), ranked(fit, series)]
    screen.append(Prose(LEGEND, tone="quiet"))
    if any(has_power(fit) for _, fit in fits):
        screen.append(Prose(VOLUME_IS_POWER, tone="quiet"))
    return Document(data, _HEADER, records, tuple(screen))


def _record(entry: _Entry) -> tuple[Cell, ...]:
    law = entry.law
    return (
        entry.source, entry.series.key, entry.fit.metric.name, law.name, entry.rank, entry.weight, law.n_params,
        law.rmse, finite(law.aicc), finite(law.cv_rmse), finite(law.extrapolation_error), finite(law.extrapolation_se),
    )  # fmt: skip


def _overall(entries: Sequence[_Entry]) -> Grid:
    """Laws by mean rank. Errors are averaged only over series in the same metric and unit."""
    by_law: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_law.setdefault(entry.law.name, []).append(entry)
    comparable = len({entry.fit.metric for entry in entries}) == 1
    digits = decimals_for([x for entry in entries for x in (entry.law.cv_rmse, entry.law.extrapolation_error)])
    order = sorted(by_law, key=lambda name: (fmean(entry.rank for entry in by_law[name]), name))
    columns = (
        Column("law", wraps=True),
        Column("series", right=True),
        Column("chosen in", right=True),
        Column("mean rank", right=True),
        Column("CV RMSE", right=True),
        Column("error ahead", right=True),
    )
    rows = tuple(_overall_row(name, by_law[name], digits if comparable else None) for name in order)
    return Grid(columns, rows)


def _overall_row(name: str, entries: Sequence[_Entry], digits: int | None) -> tuple[str, ...]:
    return (
        display_name(name),
        str(len(entries)),
        str(sum(entry.weight > 0.0 for entry in entries)),
        f"{fmean(entry.rank for entry in entries):.1f}",
        *(
            NONE if digits is None else decimals(_mean(values), digits)
            for values in ([e.law.cv_rmse for e in entries], [e.law.extrapolation_error for e in entries])
        ),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean where every series has a value: a mean over the easy ones only would flatter."""
    known = [value for value in values if finite(value) is not None and value is not None]
    return fmean(known) if known and len(known) == len(values) else None
