"""Laws over several series: how often each is in use, best or tied, and by how much it falls behind on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from ftplan.compare.laws import LawRow, SeriesLaws
from ftplan.formats.documents import Column, Grid, finite
from ftplan.formats.documents.fit import display_name
from ftplan.formats.documents.words import NONE, decimals, decimals_for

#: a law's name is broken only where it is longer than this
_LONG_NAME = 24
_Rows = dict[int, LawRow]


def overall(compared: Sequence[SeriesLaws]) -> Grid:
    """Laws of most series first, then by the mean error over these; where errors have different units, by how many
    times they are the best law's.
    """
    by_law: dict[str, _Rows] = {}
    for i, series in enumerate(compared):
        for row in series.laws:
            by_law.setdefault(row.fit.name, {})[i] = row
    comparable = len({(series.metric, series.judged_by) for series in compared}) == 1
    digits = decimals_for([x for rows in by_law.values() for r in rows.values() for x in _errors(r)])

    def key(name: str) -> tuple[int, bool, float]:
        rows = by_law[name]
        judged = [_judged(compared[i], row) for i, row in rows.items()]
        value = _mean(judged) if comparable else _ratio(rows, compared)
        return -len(rows), value is None, value or 0.0

    order = sorted(by_law, key=key)
    errors = ("RMSE", "CV RMSE", "error ahead", "worse by") if comparable else ("times the best",)
    columns = (
        Column("law", wraps=any("\n" in law_lines(name) for name in order)),
        Column("in use", right=True),
        Column("best or tied", right=True),
        *(Column(name, right=True) for name in errors),
    )
    rows = tuple(
        (
            *_counts(name, by_law[name], compared),
            *(
                _means(by_law[name], by_law[order[0]], compared, digits)
                if comparable
                else [decimals(_ratio(by_law[name], compared), 2)]
            ),
        )
        for name in order
    )
    return Grid(columns, rows)


def law_lines(name: str) -> str:
    """A law's name, a long one on several lines."""
    lines = [""]
    for part in display_name(name).replace("+", "\0+").split("\0"):
        if len(lines[-1] + part) > _LONG_NAME:
            lines.append("")
        lines[-1] += part
    return "\n".join(line for line in lines if line)


def _counts(name: str, rows: _Rows, compared: Sequence[SeriesLaws]) -> tuple[str, str, str]:
    best = sum(compared[i].tied(row) for i, row in rows.items())
    used = sum(row.in_use for row in rows.values())
    return law_lines(name), f"{used} of {len(rows)}", f"{best} of {len(rows)}"


def _means(rows: _Rows, best: _Rows, compared: Sequence[SeriesLaws], digits: int) -> list[str]:
    """Mean errors, and by how much they exceed those of the best law."""
    means = [_mean(values) for values in zip(*(_errors(row) for row in rows.values()), strict=True)]
    worse = NONE if rows is best else _worse(compared, rows, best, digits)
    return [*(decimals(mean, digits) for mean in means), worse]


def _ratio(rows: _Rows, compared: Sequence[SeriesLaws]) -> float | None:
    """The geometric mean of a law's error over that of the best law of each series; None where one has none."""
    pairs = [(_judged(compared[i], row), _judged(compared[i], compared[i].laws[0])) for i, row in rows.items()]
    ratios = [math.log(a / b) for a, b in pairs if a and b]
    return math.exp(fmean(ratios)) if len(ratios) == len(pairs) else None


def _worse(compared: Sequence[SeriesLaws], rows: _Rows, best: _Rows, digits: int) -> str:
    """The mean difference over the series that both laws were fitted to, and its standard error between series."""
    both = [(compared[i], row, best[i]) for i, row in rows.items() if i in best]
    values = [(_judged(s, row), _judged(s, other)) for s, row, other in both]
    gaps = [a - b for a, b in values if a is not None and b is not None]
    if not gaps:
        return NONE
    text = decimals(fmean(gaps), digits)
    return text if len(gaps) < 2 else f"{text} ± {decimals(stdev(gaps) / math.sqrt(len(gaps)), digits)}"


def _judged(series: SeriesLaws, row: LawRow) -> float | None:
    return row.fit.extrapolation_error if series.judged_by == "ahead" else row.fit.cv_rmse


def _errors(row: LawRow) -> tuple[float | None, ...]:
    return row.fit.rmse, row.fit.cv_rmse, row.fit.extrapolation_error


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean where every series has a value: a mean over the easy ones only would flatter."""
    known = [value for value in values if finite(value) is not None and value is not None]
    return fmean(known) if known and len(known) == len(values) else None
