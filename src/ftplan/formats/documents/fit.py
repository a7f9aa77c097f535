"""A fit: the verdicts in words, the ranked laws of each series, the parameters of the selected ones."""

from __future__ import annotations

from ftplan.fit.agreement import said
from ftplan.fit.result import Fit, LawFit, Param, SeriesFit
from ftplan.formats.documents import Block, Bullets, Cell, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.fit_file import fit_to_dict
from ftplan.formats.documents.words import NONE, decimals, decimals_for, interval, plural, significant, unit_of

LEGEND = (
    "* used inside the data. Sorted by error ahead: the mean error on the largest runs, predicted from the smaller "
    "ones; within one standard error of the best, fewer parameters come first. CV RMSE: design points left out in turn."
)
VOLUME_IS_POWER = (
    "volume is the same law as power and has no row of its own: its V = N*L is the token count T, so at one model "
    "size both predict the same. Only the length terms b1, b2 tell what a token is worth in a longer example."
)
_STATUS = {
    "ok": "",
    "at_bound": "at its bound: the runs do not hold it back",
    "not_identified": "not identified: these runs cannot tell",
    "fixed": "a constant of the formula",
    "borrowed": "borrowed",
}
#: laws of a ranking on the screen; files have all
SHOWN = 6
_HEADER = (
    "series", "law", "rank", "selected_weight", "n_params", "rmse", "aicc", "cv_rmse",
    "extrapolation_error", "extrapolation_se",
)  # fmt: skip


def document(fit: Fit) -> Document:
    """The fit for every format; its data is the fit file."""
    screen: list[Block] = []
    for series in fit.series:
        screen += [Heading(series_title(series)), Bullets(series.verdict), ranked(fit, series, SHOWN)]
        left = len(series.laws) - len(_shown(series, SHOWN))
        screen += [Prose(f"{plural(left, 'further law')}, worse ahead: --format csv has all.", tone="quiet")] * bool(
            left
        )
    if fit.agreement:
        screen.append(Bullets(tuple(said(fit.metric.name, each) for each in fit.agreement)))
    screen.append(Prose(LEGEND, tone="quiet"))
    if has_power(fit):
        screen.append(Prose(VOLUME_IS_POWER, tone="quiet"))
    for series in fit.series:
        screen += _parameters(fit, series)
    told = fit.runs.notes if fit.runs is not None else ()
    doubts = [text for series in fit.series for text in _warnings(fit, series)]
    warnings = (*(text for text in fit.warnings if text not in told), *doubts)
    screen += section("Notes", (*told, *_held(fit)))
    screen += section("Warnings", warnings)
    records = [record for series in fit.series for record in _records(series)]
    return Document(fit_to_dict(fit), _HEADER, tuple(records), tuple(screen), warnings, notes=fit.repairs)


def has_power(fit: Fit) -> bool:
    """Whether a row of the fit goes by two names and the screen has to say so."""
    return any(law.name.split("+")[0] == "power" for series in fit.series for law in series.laws)


def _shown(series: SeriesFit, most: int) -> list[LawFit]:
    """The first laws of the ranking, the one in use and the token-only power law."""
    return [
        law for place, law in enumerate(series.laws) if place < most or weight_of(series, law) or law.name == "power"
    ]


def ranked(fit: Fit, series: SeriesFit, most: int = 1000) -> Grid:
    """The best `most` laws of one series, best first; a star marks what predictions use."""
    unit = unit_of(fit.metric).strip()
    columns = (
        Column(""),
        Column("law", wraps=True),
        Column("params", right=True),
        Column("RMSE", right=True),
        Column("AICc", right=True),
        Column("CV RMSE", right=True),
        Column(f"error ahead, {unit}" if unit else "error ahead", right=True),
    )
    errors = [x for law in series.laws for x in (law.rmse, law.cv_rmse, law.extrapolation_error)]
    digits = decimals_for(errors)
    rows = tuple(
        (
            _used(weight_of(series, law)),
            display_name(law.name),
            str(law.n_params),
            decimals(law.rmse, digits),
            decimals(law.aicc, 1),
            decimals(law.cv_rmse, digits),
            _with_error(law.extrapolation_error, law.extrapolation_se, digits),
        )
        for law in _shown(series, most)
    )
    return Grid(columns, rows)


def display_name(law: str) -> str:
    """`power` carries its second name."""
    return "power (= volume)" if law == "power" else law


def series_title(series: SeriesFit) -> str:
    """'Series s, 40 runs'."""
    runs = plural(series.n_runs, "run")
    return f"Series {series.key}, {runs}" if series.key else f"All {runs}"


def weight_of(series: SeriesFit, law: LawFit) -> float:
    """How much of a prediction inside the data comes from a law, 0 to 1."""
    return sum(m.weight for m in series.selected if m.law == law.name and m.zone == "within")


def _with_error(value: float | None, error: float | None, digits: int) -> str:
    if value is None or error is None:
        return decimals(value, digits)
    return f"{decimals(value, digits)} ± {decimals(error, digits)}"


def _parameters(fit: Fit, series: SeriesFit) -> list[Block]:
    blocks: list[Block] = []
    for law in series.laws:
        if weight_of(series, law):
            where = f"Series {series.key}: " if len(fit.series) > 1 else ""
            blocks += [Heading(f"{where}{law.name}, parameters with 90 % intervals"), _params(law)]
    return blocks


def _params(law: LawFit) -> Grid:
    columns = (
        Column("parameter"),
        Column("estimate", right=True),
        Column("interval", right=True),
        Column("unit"),
        Column("status", wraps=True),
    )
    return Grid(columns, tuple(_param_row(name, param) for name, param in law.params.items()))


def _param_row(name: str, param: Param) -> tuple[str, ...]:
    unknown = param.estimate is None or param.status == "not_identified"
    return (
        name,
        NONE if unknown else significant(param.estimate),
        NONE if unknown else interval(param.low, param.high, 3),
        param.unit,
        _STATUS[param.status],
    )


def _held(fit: Fit) -> list[str]:
    """What the runs cannot tell and why, said once for all series that share the reason."""
    keys: dict[str, list[str]] = {}
    for series in fit.series:
        known = series.identified
        for name, yes in known.what.items():
            if not yes and known.why.get(name):
                keys.setdefault(f"{name}: {known.why[name]}", []).append(series.key)
    return [
        text if len(held) == len(fit.series) else f"{text} (series {', '.join(held)})" for text, held in keys.items()
    ]


def _warnings(fit: Fit, series: SeriesFit) -> list[str]:
    where = f"series {series.key}, " if len(fit.series) > 1 else ""
    of_laws = [f"{law.name}: {text}" for law in series.laws if weight_of(series, law) for text in law.warnings]
    return [f"{where}{text}" for text in (*series.warnings, *of_laws)]


def _used(weight: float) -> str:
    if not weight:
        return ""
    return "*" if weight > 0.995 else f"* {weight:.2f}"


def _records(series: SeriesFit) -> list[tuple[Cell, ...]]:
    return [
        (
            series.key, law.name, rank, weight_of(series, law), law.n_params, law.rmse, law.aicc,
            law.cv_rmse, law.extrapolation_error, law.extrapolation_se,
        )
        for rank, law in enumerate(series.laws, start=1)
    ]  # fmt: skip
