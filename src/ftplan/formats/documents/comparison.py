"""Laws side by side: over all series where there are several, then the table and the picture of each series."""

from __future__ import annotations

from collections.abc import Sequence

from ftplan.compare.laws import LawRow, SeriesLaws
from ftplan.compare.paired import Difference
from ftplan.formats.documents import (
    SCHEMA_VERSION,
    Block,
    Cell,
    Column,
    Document,
    Grid,
    Heading,
    Prose,
    finite,
    section,
)
from ftplan.formats.documents.fit import SHOWN, VOLUME_IS_POWER
from ftplan.formats.documents.law_curves import curves, picture
from ftplan.formats.documents.law_ranks import law_lines, overall
from ftplan.formats.documents.words import NONE, decimals, decimals_for, plural, unit_of_errors
from ftplan.formats.plot import Plot

_HEADER = (
    "runs", "series", "metric", "law", "rank", "in_use", "tied_with_best", "n_params", "rmse", "aicc", "cv_rmse",
    "cv_difference", "cv_difference_se", "extrapolation_error", "extrapolation_se", "extrapolation_difference",
    "extrapolation_difference_se", "remarks",
)  # fmt: skip
_LEGEND = (
    "RMSE: error on the runs that a law was fitted to. CV RMSE: on design points left out in turn. Error ahead: mean "
    "error on the largest runs, predicted from the smaller ones. Worse by: than the first law, on the same runs; ± is "
    "one standard error over the design points left out, the luck of the fit itself is not in it. Tied: a t-test over "
    "these points does not tell them apart (5 %). In use: inside the runs. Inside: by CV RMSE."
)
#: remarks on a law that the screen shows; files have all
_REMARKS = 3
#: design points from which on not to be told apart is more than a lack of them
_ENOUGH = 4
#: series drawn on a terminal; more would be scrolled past
_DRAWN = 3


def document(compared: Sequence[SeriesLaws]) -> Document:
    """The laws of every series of every table, for every format."""
    records = tuple(_record(series, law, rank) for series in compared for rank, law in enumerate(series.laws, start=1))
    data = {
        "schema_version": SCHEMA_VERSION,
        "kind": "comparison",
        "laws": [dict(zip(_HEADER, record, strict=True)) for record in records],
        "curves": [curves(series) for series in compared],
    }
    screen: list[Block] = []
    if len(compared) > 1:
        screen += [Heading("Over all series"), overall(compared)]
    for i, series in enumerate(compared):
        screen += [Heading(title(series)), Prose(_answer(series)), _grid(series)]
        left = len(series.laws) - len(_shown(series))
        screen += [Prose(f"{plural(left, 'further law')}, worse: --format csv has all.", tone="quiet")] * bool(left)
        screen += [picture(series)] * (i < _DRAWN)
    if len(compared) > _DRAWN:
        screen.append(Prose(f"The first {_DRAWN} series are drawn; --plot laws.png draws all.", tone="quiet"))
    screen.append(Prose(_LEGEND, tone="quiet"))
    if any(law.fit.name.split("+")[0] == "power" for series in compared for law in series.laws):
        screen.append(Prose(VOLUME_IS_POWER, tone="quiet"))
    warnings = tuple(f"{title(series)}: {text}" for series in compared for text in series.warnings)
    return Document(data, _HEADER, records, (*screen, *section("Warnings", warnings)), warnings)


def panels(compared: Sequence[SeriesLaws]) -> list[tuple[str, Plot]]:
    """(title, picture) of every series."""
    return [(title(series), picture(series)) for series in compared]


def title(series: SeriesLaws) -> str:
    """'Series s of runs.csv, 40 runs: loss'."""
    name = f"Series {series.key} of {series.source}" if series.key else series.source
    return f"{name}, {plural(len(series.value), 'run')}: {series.metric.name}"


def _record(series: SeriesLaws, row: LawRow, rank: int) -> tuple[Cell, ...]:
    law = row.fit
    return (
        series.source, series.key, series.metric.name, law.name, rank, row.in_use, series.tied(row), law.n_params,
        law.rmse, finite(law.aicc), finite(law.cv_rmse), *_pair(row.crossed),
        finite(law.extrapolation_error), finite(law.extrapolation_se), *_pair(row.ahead), "; ".join(row.doubts),
    )  # fmt: skip


def _pair(found: Difference | None) -> tuple[float | None, float | None]:
    return (None, None) if found is None else (finite(found.value), finite(found.se))


def _answer(series: SeriesLaws) -> str:
    best, unit = series.laws[0], unit_of_errors(series.metric)
    if series.judged_by == "crossed":
        said = f"{best.fit.name} has the least cross-validated error; the runs are too few to hold the largest ones out"
    else:
        error, cells = best.fit.extrapolation_error, series.held_out_cells
        which = f"the {cells} largest design points" if cells > 1 else "the one largest design point"
        digits = decimals_for([error])
        give = "" if cells == 1 else f" ± {decimals(best.fit.extrapolation_se, digits)}"
        said = f"{best.fit.name} is best at {which}, predicted from the rest: it misses {'them' if cells > 1 else 'it'}"
        said += f" by {decimals(error, digits)}{give}{unit}"
    tied = [row.fit.name for row in series.laws[1:] if series.tied(row)]
    if len(tied) > SHOWN:
        return f"{said}. Tied with it, as far as these runs tell: {len(tied)} laws."
    return f"{said}." + (f" Tied with it, as far as these runs tell: {', '.join(tied)}." if tied else "")


def _shown(series: SeriesLaws) -> list[LawRow]:
    """The first laws, and those that are drawn."""
    return [row for place, row in enumerate(series.laws) if place < SHOWN or row in series.main()]


def _grid(series: SeriesLaws) -> Grid:
    unit = unit_of_errors(series.metric).strip()
    columns = (
        Column("law", wraps=any("\n" in law_lines(row.fit.name) for row in _shown(series))),
        Column("RMSE", right=True),
        Column("CV RMSE", right=True),
        Column(f"error ahead, {unit}" if unit else "error ahead", right=True),
        Column("worse by", right=True),
        Column("remarks", wraps=True),
    )
    every = [r.fit for r in series.laws]
    digits = decimals_for([x for f in every for x in (f.rmse, f.cv_rmse, f.extrapolation_error)])
    rows = tuple(
        (
            law_lines(row.fit.name),
            decimals(row.fit.rmse, digits),
            decimals(row.fit.cv_rmse, digits),
            decimals(row.fit.extrapolation_error, digits),
            _worse(series, row, digits),
            "; ".join((*_standing(series, row, digits), *row.doubts)[:_REMARKS]),
        )
        for row in _shown(series)
    )
    return Grid(columns, rows)


def _worse(series: SeriesLaws, row: LawRow, digits: int) -> str:
    found = series.difference(row)
    if found is None or row is series.laws[0]:
        return NONE
    return decimals(found.value, digits) + ("" if found.se is None else f" ± {decimals(found.se, digits)}")


def _standing(series: SeriesLaws, row: LawRow, digits: int) -> list[str]:
    """Where a law stands beside the best one, ahead and inside the runs."""
    found, inside = series.difference(row), decimals(abs(row.crossed.value), digits)
    said = ["in use"] * row.in_use
    if row is series.laws[0]:
        return ["best", *said]
    if series.tied(row):
        return ["tied with the best", *said]
    if series.judged_by == "ahead" and found is not None:
        if found.tied:
            ahead = "tied ahead" if found.cells >= _ENOUGH else f"{found.cells} points cannot tell ahead"
            said.append(f"{ahead}, {inside} {'worse' if row.crossed.value > 0.0 else 'better'} inside")
        elif row.crossed.tied:
            said.append("as good inside")
        elif row.crossed.value < 0.0:
            said.append(f"{inside} better inside")
    return said
