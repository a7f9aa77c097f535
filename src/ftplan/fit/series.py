"""One series from end to end: candidates fitted and ranked, the choice, its parameters, and what it means in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.errors import InputError, NotIdentified
from ftplan.fit import ahead as forecast
from ftplan.fit.candidates import candidates, compared, without_length
from ftplan.fit.choose import LengthTest, length_tests, rank
from ftplan.fit.features import Data, geometric_mean
from ftplan.fit.identify import identify, varies_length
from ftplan.fit.parameters import best_length, report, untold
from ftplan.fit.predictor import ranges, resample
from ftplan.fit.problem import Solution
from ftplan.fit.result import Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.fit.score import Scored, enough, score
from ftplan.fit.solve import Objective, predict
from ftplan.fit.verdict import verdict
from ftplan.laws.law import Law, parse

#: laws of a ranking whose parameters get bootstrap intervals: what a reader compares
WITH_INTERVALS = 4

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
    data: Data, key: str, laws: Sequence[str], objective: Objective, progress: Progress = lambda _: None
) -> Judged:
    """Fit and rank. Raises NotIdentified when the rows are too few or too alike for any law."""
    if len(data) > 1:
        refuse_sameness(data, key)
    asked = [parse(name) for name in laws if name != "auto"]
    for law in asked:
        _refuse_impossible(law, data, key)
    tried = _unique([*asked, *(candidates(data) if "auto" in laws else [])])
    possible = [law for law in tried if enough(data, law)]
    if not possible:
        need = min(law.n_params(data.refs) + 2 for law in tried)
        have = "one run" if len(data) == 1 else f"{data.n_cells} distinct run{'s' * (data.n_cells != 1)}"
        raise _not_identified(data, key, f"{have}, and the smallest law needs {need} (parameters + 2)")
    scored = []
    for law in possible:
        progress(law.name)
        scored.append(score(data, law, objective))
    beside = [law for law in compared(data, possible) if law not in possible and enough(data, law)]
    tests = length_tests(data, [*scored, *(score(data, law, objective) for law in beside)])
    supported = tests is not None and tests.supported
    ranked = rank(scored, supported)
    chosen = best_inside(ranked, supported) if "auto" in laws else ranked[0]
    return Judged(ranked, chosen, tests, tuple(_too_few(data, tried, possible)))


def fit_series(
    data: Data,
    key: str,
    laws: Sequence[str],
    objective: Objective,
    draws: int,
    seed: int,
    progress: Progress = lambda _: None,
) -> SeriesFit:
    """Fit, rank and select. Raises NotIdentified when the rows are too few or too alike for any law."""
    found = judge(data, key, laws, objective, progress)
    ranked, chosen, tests = found.ranked, found.chosen, found.tests
    ahead = forecast.choose(data, chosen.law) if "auto" in laws and forecast.possible(data, chosen.law) else []
    identified = identify(data, found.length_supported, _length_why(tests))
    refits = _refits(data, ranked, chosen, objective, draws, seed)
    shown = with_parameters(data, ranked, identified, refits)
    params = next(law.params for law in shown if law.name == chosen.law.name)
    residual = data.y - predict(data, chosen.law, chosen.solution)[0]
    length = _best_length(data, chosen, refits.get(chosen.law.name))
    return SeriesFit(
        key=key,
        selected=(Weighted(chosen.law.name, 1.0), *(Weighted(law.name, w, "ahead", d) for law, w, d in ahead)),
        laws=tuple(shown),
        identified=identified,
        ranges=ranges(data),
        residual_sd=float(np.sqrt(residual @ residual / max(len(data) - chosen.n_params, 1))),
        n_runs=len(data),
        verdict=verdict(data, chosen, ranked, tests, length, [(law.name, w) for law, w, _ in ahead], params),
        best_length=length,
        warnings=found.warnings,
    )


def refuse_sameness(data: Data, key: str) -> None:
    """Runs that all had one result, or never varied the amount of data, cannot say what more of it would bring."""
    sizes = sorted(set(data.table.examples[np.isfinite(data.table.examples)].tolist()))
    volumes = set(np.round(np.log(data.table.volume), 6).tolist())
    if np.ptp(data.y) <= SAME * float(np.abs(data.y).max()):
        what = f"{data.table.metric.name} = {data.table.value[0]:g} in every run"
        raise _not_identified(data, key, f"{what}, so no law can tell what more data would bring")
    if len(sizes) == 1 or len(volumes) == 1:
        what = f"examples = {sizes[0]:,.0f}" if len(sizes) == 1 else f"tokens = {data.table.volume[0]:,.0f}"
        raise _not_identified(data, key, f"every run has {what}, so no law can tell what more data would bring")


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
    return min(allowed, key=lambda s: s.cv_rmse * (1.0 + PARSIMONY) ** s.n_params)


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
    data: Data, ranked: list[Scored], chosen: Scored, objective: Objective, draws: int, seed: int
) -> dict[str, Solution]:
    """Law name -> its refits to resampled tables, for the laws that get intervals; empty without draws."""
    wanted = [s for place, s in enumerate(ranked) if draws and (place < WITH_INTERVALS or s is chosen)]
    return {
        s.law.name: resample(data, s.law, s.minima, predict(data, s.law, s.solution)[0], objective, draws, seed)
        for s in wanted
    }


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
