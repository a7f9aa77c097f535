"""Plans side by side: what differs in data, training, limits, cost and prediction, and whether it can be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeGuard

from ftplan.compare.plan_facts import FACTS, Fact, Value
from ftplan.plan.check import Committed
from ftplan.plan.result import Prediction

#: numbers this close are one number, counted in another order; nobody decides by a hundred-thousandth
SAME = 1e-5

Verdict: TypeAlias = Literal["larger", "within", "unknown"]


@dataclass(frozen=True)
class Stated:
    """A plan as its file states it. facts: by `Fact.key`, those that the file has; eligible: P_e.

    fit_sha256: of the fitted runs, '' for a borrowed law; series, laws: which of the fit's; law: where the prediction
    comes from, in words; size_told: whether its runs tell what the model's size does, None where the file is silent.
    """

    source: str
    plan: Committed
    facts: Mapping[str, Value]
    eligible: int
    fit_sha256: str
    series: str
    laws: tuple[str, ...]
    law: str
    size_told: bool | None = None

    @property
    def prediction(self) -> Prediction:
        return self.plan.prediction

    def same_fit(self, other: Stated) -> bool:
        """Whether two predictions share the error of one fit."""
        mine = (self.fit_sha256, self.series, self.laws)
        same = mine == (other.fit_sha256, other.series, other.laws)
        return same and (self.fit_sha256 != "" or self.law == other.law)


@dataclass(frozen=True)
class Apart:
    """One fact of every plan. difference, relative: of each plan less the first; None for words and for what is not
    known.
    """

    fact: Fact
    values: tuple[Value, ...]
    difference: tuple[float | None, ...]
    relative: tuple[float | None, ...]


@dataclass(frozen=True)
class Interval:
    """How much better (above 0) or worse a plan's expected metric is than the first plan's, over draws of one fit.

    better_probability: share of the draws in which it is the better one; run_noise: standard deviation of the
    difference between one run of each, by chance alone.
    """

    low: float
    high: float
    better_probability: float
    run_noise: float


@dataclass(frozen=True)
class PlanDifference:
    """A plan's prediction against the first plan's. better_by: above 0 where it is better, in the metric's unit.

    verdict: whether that is larger than its uncertainty, or the files do not say; how: on what grounds, in words.
    """

    better_by: float
    verdict: Verdict
    how: str
    interval: Interval | None = None


@dataclass(frozen=True)
class PlanComparison:
    """All plans against the first. gaps: one for each further plan, None where metrics differ."""

    plans: tuple[Stated, ...]
    differing: tuple[Apart, ...]
    same: tuple[Apart, ...]
    gaps: tuple[PlanDifference | None, ...]
    warnings: tuple[str, ...]


def compare_plans(plans: Sequence[Stated], intervals: Sequence[Interval] | None = None) -> PlanComparison:
    """Two or more plans. intervals: of each further plan against the first, where the fit is at hand."""
    first, *others = plans
    one_metric = len({plan.prediction.metric for plan in plans}) == 1
    rows = [_apart(f, [plan.facts.get(f.key) for plan in plans], one_metric or not f.in_metric) for f in FACTS]
    known = [row for row in rows if any(value is not None for value in row.values)]
    paired: Sequence[Interval | None] = intervals or [None] * len(others)
    return PlanComparison(
        plans=tuple(plans),
        differing=tuple(row for row in known if not _alike(row.values)),
        same=tuple(row for row in known if _alike(row.values)),
        gaps=tuple(_gap(first, other, interval) for other, interval in zip(others, paired, strict=True)),
        warnings=tuple(_doubts(plans, one_fit=intervals is not None)),
    )


def _apart(fact: Fact, values: list[Value], comparable: bool) -> Apart:
    base = values[0] if comparable else None
    gaps = [float(v) - float(base) if _number(v) and _number(base) else None for v in values]
    shares = [None if gap is None or not base else gap / abs(float(base)) for gap in gaps]
    return Apart(fact, tuple(values), tuple(gaps), tuple(shares))


def _number(value: Value) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(values: Sequence[Value]) -> TypeGuard[Sequence[float]]:
    return all(_number(v) for v in values)


def _alike(values: Sequence[Value]) -> bool:
    first = values[0]
    if _number(first) and _numbers(values):
        return all(math.isclose(v, first, rel_tol=SAME) for v in values)
    return all(v == first and type(v) is type(first) for v in values)


def _gap(first: Stated, other: Stated, interval: Interval | None) -> PlanDifference | None:
    a, b = first.prediction, other.prediction
    if a.metric != b.metric:
        return None
    sign = 1.0 if a.metric.direction == "max" else -1.0
    better = sign * (b.value - a.value)
    if first.same_fit(other) and math.isclose(a.value, b.value, rel_tol=SAME):
        return PlanDifference(better, "within", "both predict the same", interval)
    if interval is not None:
        outside = interval.low > 0.0 or interval.high < 0.0
        how = "the interval of the difference, both plans under each draw of their fit"
        return PlanDifference(better, "larger" if outside else "within", how, interval)
    upper, lower = (b, a) if b.value > a.value else (a, b)
    facing = (upper.value - upper.low, lower.high - lower.value)
    if abs(better) > sum(facing):
        # the standard deviation of a difference is at most the sum of both, whatever they share
        return PlanDifference(better, "larger", "their intervals do not even meet")
    if first.same_fit(other):
        how = "their intervals overlap, but each is of one run, not of the difference: they share one fit's error"
        return PlanDifference(better, "unknown", how)
    verdict: Verdict = "larger" if abs(better) > math.hypot(*facing) else "within"
    return PlanDifference(better, verdict, "taking the two fits' errors to be independent")


def _doubts(plans: Sequence[Stated], one_fit: bool) -> list[str]:
    """Why the plans may not be comparable. one_fit: they were found to be of one fit, whatever the files say."""
    first, *others = plans
    out = []
    for what, values in (
        ("metric", [f"{p.prediction.metric.name} ({p.prediction.metric.unit or 'no unit'})" for p in plans]),
        ("probability of the intervals", [f"{p.prediction.level:g}" for p in plans]),
    ):
        if len(set(values)) > 1:
            out.append(f"not the same {what}: {_listed(values)}")
    if not one_fit and not all(first.same_fit(p) for p in others):
        out.append(f"not the same fit, so a difference may be the fits' and not the plans': {_listed(_laws(plans))}")
    models = [str(p.facts.get("training.model")) for p in plans]
    if any(p.size_told is False and first.same_fit(p) and m != models[0] for p, m in zip(plans, models, strict=True)):
        out.append(f"the runs do not tell models apart, so the difference is not that of the models: {_listed(models)}")
    if len({p.plan.pool_sha256 for p in plans}) > 1:
        names = [f"{p.facts.get('inputs.pool.name') or 'a pool'} ({p.plan.pool_sha256[:8]})" for p in plans]
        out.append(f"not the same pool: {_listed(names)}")
    if any(p.plan.job.usd_per_gpu_hour != first.plan.job.usd_per_gpu_hour for p in others):
        out.append("not the same price of a GPU-hour, so money does not compare alone")
    return out


def _laws(plans: Sequence[Stated]) -> list[str]:
    return [
        f"{p.laws[0] if p.laws else 'a law'} of "
        + (f"runs {p.fit_sha256[:8]}" if p.fit_sha256 else "a publication")
        + (f", series {p.series}" if p.series else "")
        for p in plans
    ]


def _listed(values: Sequence[str]) -> str:
    return "; ".join(f"{letter(i)} {value}" for i, value in enumerate(values))


def letter(place: int) -> str:
    """How a plan is called in a comparison: A, B, ... Z, then P27 and so on."""
    return chr(ord("A") + place) if place < 26 else f"P{place + 1}"
