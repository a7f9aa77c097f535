"""One series from end to end: candidates fitted and ranked, the choice, its parameters, and what it means in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ftplan.errors import InputError, NotIdentified
from ftplan.fit import ahead as forecast
from ftplan.fit import stack, standing
from ftplan.fit.candidates import candidates, compared, without_length
from ftplan.fit.choose import LengthTest, length_tests, rank
from ftplan.fit.features import REPLICATE_LN, Data, geometric_mean
from ftplan.fit.identify import identify, varies_length
from ftplan.fit.parameters import best_length, report, untold
from ftplan.fit.predictor import Drawn, Inside, ranges, resample
from ftplan.fit.problem import Solution
from ftplan.fit.result import Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.fit.score import Scored, aicc, enough, score
from ftplan.fit.solve import Objective, predict
from ftplan.fit.tables import Tables, designs
from ftplan.fit.verdict import verdict
from ftplan.laws.law import Law, parse

#: laws of a ranking whose parameters get bootstrap intervals in a full fit: what a reader compares
WITH_INTERVALS = 4
#: how much of a fit is worked out: the law in use alone, which is all that predictions need; the ranking of all laws
#: too; and the intervals of the first of them
Extent = Literal["used", "ranked", "full"]

#: metrics that differ by less than this share are the same
SAME = 1e-9

#: what a parameter must take off the cross-validated error to be worth its while
PARSIMONY = 0.02

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """Every law that one series can carry, best first, and the one to use inside the data.

    tests: whether length matters, None where no law was fitted with a length term and without; warnings: laws that
    were left out.
    """

    ranked: list[Scored]
    chosen: Scored
    tests: LengthTest | None
    warnings: tuple[str, ...]

    @property
    def length_supported(self) -> bool:
        return self.tests is not None and self.tests.supported


def judge(
    series: Sequence[Data],
    keys: Sequence[str],
    laws: Sequence[str],
    objective: Objective,
    progress: Progress = lambda _: None,
    *,
    errors: bool = True,
) -> list[Judged]:
    """Fit and rank every series, those of one design together. Raises NotIdentified when the rows of one are too few or
    too alike for any law. errors: of runs left out, whatever the choice needs; without, the ranking is by AICc.
    """
    asked = [parse(name) for name in laws if name != "auto"]
    lists = [_possible(d, key, asked, laws) for d, key in zip(series, keys, strict=True)]
    out: dict[int, Judged] = {}
    for places in designs(series):
        data, (tried, possible) = series[places[0]], lists[places[0]]
        tables = Tables.of([series[i] for i in places])
        scored = []
        for law in possible:
            progress(law.name)
            scored.append(score(tables, law, objective, errors or _by_error(data, possible, laws)))
        beside = [law for law in compared(data, possible) if law not in possible and enough(data, law)]
        others = [score(tables, law, objective, False) for law in beside]
        for k, i in enumerate(places):
            own = [s[k] for s in scored]
            tests = length_tests(data, [*own, *(s[k] for s in others)])
            supported = tests is not None and tests.supported
            ranked = rank(own, supported)
            chosen = best_inside(ranked, supported) if "auto" in laws else ranked[0]
            out[i] = Judged(ranked, chosen, tests, tuple(_too_few(data, tried, possible)))
    return [out[i] for i in range(len(series))]


def _by_error(data: Data, possible: Sequence[Law], laws: Sequence[str]) -> bool:
    """Whether the choice rests on errors of runs left out: laws were asked for, or rows are too few for AICc."""
    return "auto" not in laws or any(aicc(1.0, len(data), law.n_params(data.refs)) is None for law in possible)


def _possible(data: Data, key: str, asked: Sequence[Law], laws: Sequence[str]) -> tuple[list[Law], list[Law]]:
    """The laws to try on a series, and those that it can carry."""
    if why := lacking(data, key, laws):
        raise _not_identified(data, key, why)
    tried = _tried(data, asked, laws)
    return tried, [law for law in tried if enough(data, law)]


def _tried(data: Data, asked: Sequence[Law], laws: Sequence[str]) -> list[Law]:
    return _unique([*asked, *(candidates(data) if "auto" in laws else [])])


def lacking(data: Data, key: str, laws: Sequence[str]) -> str:
    """Why a series can carry no law, in words; '' where it can. Raises InputError for a law that it never could."""
    asked = [parse(name) for name in laws if name != "auto"]
    if len(data) > 1 and (why := sameness(data)):
        return why
    for law in asked:
        _refuse_impossible(law, data, key)
    tried = _tried(data, asked, laws)
    if any(enough(data, law) for law in tried):
        return ""
    need = min(law.n_params(data.refs) + 2 for law in tried)
    have = "one run" if len(data) == 1 else f"{data.n_cells} distinct run{'s' * (data.n_cells != 1)}"
    return f"{have}, and the smallest law needs {need} (parameters + 2)"


def fit_series(
    series: Sequence[Data],
    keys: Sequence[str],
    laws: Sequence[str],
    objective: Objective,
    draws: int,
    seed: int,
    progress: Progress = lambda _: None,
    extent: Extent = "full",
) -> list[SeriesFit]:
    """Fit, rank and select; where the rows of a series are too few or too alike for any law, the prior stands in."""
    asked = standing.NAME in laws
    lack = ["asked for" if asked else lacking(d, key, laws) for d, key in zip(series, keys, strict=True)]
    able = [i for i, why in enumerate(lack) if not why]
    some, names = [series[i] for i in able], [keys[i] for i in able]
    out: dict[int, SeriesFit] = {}
    if able:
        found = judge(some, names, laws, objective, progress, errors=extent != "used")
        refits = _refits(some, found, objective, draws, seed, WITH_INTERVALS if extent == "full" else 0)
        ahead = _ahead(some, found) if "auto" in laws else [[]] * len(some)
        for i, data, key, own, drawn, beyond in zip(able, some, names, found, refits, ahead, strict=True):
            out[i] = _told(data, key, own, drawn, beyond, extent, seed)
    for i, why in enumerate(lack):
        if why:
            out[i] = standing.series_of(series[i], keys[i], standing.stand(series[i], draws, seed), why)
    return [out[i] for i in range(len(series))]


def _told(
    data: Data,
    key: str,
    found: Judged,
    refits: Mapping[str, Solution],
    ahead: Sequence[tuple[Law, float, float]],
    extent: Extent,
    seed: int,
) -> SeriesFit:
    """The record of one series."""
    chosen, tests, alone = found.chosen, found.tests, extent == "used"
    ranked = [chosen] if alone else found.ranked
    identified = identify(data, found.length_supported, _length_why(tests))
    shown = with_parameters(data, ranked, identified, refits)
    params = next(law.params for law in shown if law.name == chosen.law.name)
    residual = data.y - predict(data, chosen.law, chosen.solution)[0]
    drawn = refits.get(chosen.law.name)
    length = _best_length(data, chosen, drawn)
    members = _members(data, chosen.law, ahead)
    return SeriesFit(
        key=key,
        selected=(Weighted(chosen.law.name, 1.0), *members),
        laws=tuple(shown),
        identified=identified,
        ranges=ranges(data),
        residual_sd=float(np.sqrt(residual @ residual / max(len(data) - chosen.n_params, 1))),
        n_runs=len(data),
        verdict=()
        if alone
        else verdict(data, chosen, ranked, tests, length, [(m.law, m.weight) for m in members], params),
        best_length=length,
        warnings=found.warnings,
        drawn=Drawn(Inside(chosen.law, chosen.solution, drawn), seed) if drawn is not None else None,
    )


def _members(data: Data, law: Law, ahead: Sequence[tuple[Law, float, float]]) -> list[Weighted]:
    """What predicts beyond the data: the mixture of laws, the prior over curves and a line through the last sizes."""
    if not ahead:
        return []
    sizes = int((np.diff(np.sort(data.rows.t)) > REPLICATE_LN).sum()) + 1
    if len(data.refs.methods) > 1:
        # what methods are worth is each law's own: on one law's axis they would be told apart by that law alone
        return [Weighted(member.name, w, "ahead", d) for member, w, d in ahead]
    prior, line = stack.shares(forecast.noise_of(ahead), sizes, straight=stack.is_one_row(law))
    laws = [Weighted(member.name, w * (1.0 - prior - line), "ahead", d) for member, w, d in ahead]
    return [*laws, Weighted(stack.PRIOR, prior, "ahead"), Weighted(stack.LINE, line, "ahead")]


def _ahead(series: Sequence[Data], found: Sequence[Judged]) -> list[list[tuple[Law, float, float]]]:
    """What each series is predicted with beyond its data: (law, weight, discount), nothing where that cannot be."""
    out: list[list[tuple[Law, float, float]]] = [[] for _ in series]
    for places in designs(series):
        by_law: dict[str, list[int]] = {}
        for i in places:
            if forecast.possible(series[i], found[i].chosen.law):
                by_law.setdefault(found[i].chosen.law.name, []).append(i)
        for own in by_law.values():
            tables = Tables.of([series[i] for i in own])
            for i, mix in zip(own, forecast.choose(tables, found[own[0]].chosen.law), strict=True):
                out[i] = mix
    return out


def sameness(data: Data) -> str:
    """Why runs that all had one result, or never varied the amount of data, cannot carry a law; '' where they can."""
    sizes = sorted(set(data.table.examples[np.isfinite(data.table.examples)].tolist()))
    volumes = set(np.round(np.log(data.table.volume), 6).tolist())
    if np.ptp(data.y) <= SAME * float(np.abs(data.y).max()):
        what = f"{data.table.metric.name} = {data.table.value[0]:g} in every run"
    elif len(sizes) == 1 or len(volumes) == 1:
        size = f"examples = {sizes[0]:,.0f}" if len(sizes) == 1 else f"tokens = {data.table.volume[0]:,.0f}"
        what = f"every run has {size}"
    else:
        return ""
    return f"{what}, so no law can tell what more data would bring"


def _refuse_impossible(law: Law, data: Data, key: str) -> None:
    """A law asked for by name that this table cannot carry at all."""
    where = data.table.source + (f", series {key!r}" if key else "")
    if law.curve.anchored and not data.has_base:
        raise InputError(
            f"{where}: law {law.name!r} starts at the score before tuning, and the table has no row with examples = 0",
            hint=f"add it, or use {law.name.replace('anchored', 'rectified')!r}",
        )
    if law.curve.floor_held and not np.isfinite(data.floor_low):
        raise InputError(
            f"{where}: law {law.name!r} needs the best value {data.table.metric.name} can take, which is not known",
            hint=f"use {law.name.replace(law.curve.name, law.curve.name.rstrip('0'))!r}",
        )


def _not_identified(data: Data, key: str, why: str) -> NotIdentified:
    """The refusal, with the middle of the runs there are."""
    where = data.table.source + (f", series {key!r}" if key else "")
    known = np.isfinite(data.table.avg_tokens).all()
    examples = data.table.examples if np.isfinite(data.table.examples).all() else data.table.volume
    return NotIdentified(
        f"{where}: {why}",
        examples=geometric_mean(examples),
        avg_tokens=geometric_mean(data.table.avg_tokens) if known else None,
    )


def _unique(laws: Sequence[Law]) -> list[Law]:
    return list({law.name: law for law in laws}.values())


def best_inside(ranked: list[Scored], supported: bool) -> Scored:
    """The law to use inside the data: least AICc, length only where the tests support it.

    Cross-validated errors agree with AICc on average (Stone 1977) but swing with the few cells at the corners of a
    design: by them another law won in four of sixty refits of the shipped runs without a cell, and missed it by far.
    Where runs are too few for AICc, the error decides, and each further parameter must bring it down by PARSIMONY.
    """
    allowed = [s for s in ranked if supported or without_length(s.law).name == s.law.name] or ranked
    known = [s for s in allowed if s.aicc is not None]
    if len(known) == len(allowed):
        return min(known, key=lambda s: s.aicc or 0.0)
    return min(allowed, key=lambda s: (s.cv_rmse or 0.0) * (1.0 + PARSIMONY) ** s.n_params)


def _length_why(tests: LengthTest | None) -> str:
    if tests is None:
        return "no law with a length term could be fitted"
    return f"F-tests on {tests.curve}: composition (lam < 1) p = {tests.composition:.2g}, length p = {tests.length:.2g}"


def _too_few(data: Data, tried: list[Law], possible: list[Law]) -> list[str]:
    left = [law.name for law in tried if law not in possible]
    if not left:
        return []
    return [
        f"not fitted, more parameters than {data.n_cells} distinct runs can tell (parameters + 2): {', '.join(left)}"
    ]


def _refits(
    series: Sequence[Data], found: Sequence[Judged], objective: Objective, draws: int, seed: int, most: int
) -> list[dict[str, Solution]]:
    """For every series, law name -> its refits to resampled tables, for the law in use and the first `most` of the
    ranking; empty without draws.
    """
    out: list[dict[str, Solution]] = [{} for _ in series]
    if not draws:
        return out
    for places in designs(series):
        wanted: dict[str, dict[int, Scored]] = {}
        for i in places:
            for place, s in enumerate(found[i].ranked):
                if place < most or s is found[i].chosen:
                    wanted.setdefault(s.law.name, {})[i] = s
        for name, own in wanted.items():
            tables, minima = Tables.of([series[i] for i in own]), [s.minima for s in own.values()]
            for i, drawn in zip(own, resample(tables, parse(name), minima, objective, draws, seed), strict=True):
                out[i][name] = drawn
    return out


def with_parameters(
    data: Data, ranked: list[Scored], identified: Identified, refits: Mapping[str, Solution]
) -> list[LawFit]:
    """The laws as they are reported, in the order given; intervals for those that have refits."""
    out = []
    for s in ranked:
        hidden = untold(s.law, data, identified)
        params, warnings = report(s.law, data, s.solution, refits.get(s.law.name), hidden)
        if not bool(s.solution.converged.all()):
            warnings.append("the optimum is flat: other parameters fit as well")
        out.append(
            LawFit(
                name=s.law.name,
                params=params,
                n_params=s.n_params,
                rmse=s.rmse,
                aicc=s.aicc,
                cv_rmse=s.cv_rmse,
                extrapolation_error=s.ahead_error,
                extrapolation_se=s.ahead_se,
                warnings=tuple(warnings),
            )
        )
    return out


def _best_length(data: Data, chosen: Scored, refits: Solution | None) -> Param | None:
    if not chosen.law.has("length") or not varies_length(data)[0]:
        return None
    return best_length(data, chosen.law, chosen.solution, refits, float(data.table.volume.max()))
