"""Plans side by side: the answer in words, what differs, what does not."""

from __future__ import annotations

from typing import Any

from ftplan.compare.plan_facts import Fact, Value
from ftplan.compare.plans import Apart, PlanComparison, PlanDifference, Stated, letter
from ftplan.formats.documents import (
    SCHEMA_VERSION,
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Grid,
    Heading,
    Prose,
    section,
)
from ftplan.formats.documents.words import NONE, amount, budget_amount, percent, significant, unit_of, unit_of_errors
from ftplan.units import format_count

_HEADER = (
    "fact", "unit", "differs", "plan", "file", "value", "difference", "relative_difference",
)  # fmt: skip
_VERDICT = {
    "larger": "That is more than its uncertainty",
    "within": "That is within its uncertainty",
    "unknown": "Whether that is more than its uncertainty, the files do not say",
}
#: units that a row's name carries
_IN_LABEL = ("FLOPs", "GPU-h", "h", "USD")
#: what money and compute are compared by in the answer: the first that all plans state
_COSTS = ("usd", "gpu_hours", "total_flops")
#: costs closer than this are the same to a person; from this factor on, a per cent is no help
_SAME_COST, _FACTOR = 0.0005, 10.0


def document(found: PlanComparison) -> Document:
    """The comparison for every format."""
    records = tuple(_records(found, found.differing, True)) + tuple(_records(found, found.same, False))
    return Document(_data(found), _HEADER, records, _screen(found), found.warnings)


def _records(found: PlanComparison, rows: tuple[Apart, ...], differs: bool) -> list[tuple[Cell, ...]]:
    return [
        (row.fact.key, unit_of_fact(found, row.fact), differs, letter(i), plan.source, row.values[i],
         row.difference[i], row.relative[i])
        for row in rows
        for i, plan in enumerate(found.plans)
    ]  # fmt: skip


def _data(found: PlanComparison) -> dict[str, Any]:
    names = [letter(i) for i in range(len(found.plans))]
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "plan_comparison",
        "plans": [
            {"plan": name, "file": plan.source, "fit_sha256": plan.fit_sha256, "law": plan.law}
            for name, plan in zip(names, found.plans, strict=True)
        ],
        "predictions": [_gap(found, i) for i in range(1, len(found.plans))],
        "differences": [
            {
                "fact": row.fact.key,
                "unit": unit_of_fact(found, row.fact),
                "values": dict(zip(names, row.values, strict=True)),
                "difference": dict(zip(names[1:], row.difference[1:], strict=True)),
                "relative_difference": dict(zip(names[1:], row.relative[1:], strict=True)),
            }
            for row in found.differing
        ],
        "same": {row.fact.key: row.values[0] for row in found.same},
        "warnings": list(found.warnings),
    }


def _gap(found: PlanComparison, place: int) -> dict[str, Any]:
    gap = found.gaps[place - 1]
    told = {"plan": letter(place), "against": letter(0), "comparable": gap is not None}
    if gap is None:
        return told
    told |= {"better_by": gap.better_by, "verdict": gap.verdict, "grounds": gap.how}
    if gap.interval is None:
        return told
    inside = {"better_by_low": gap.interval.low, "better_by_high": gap.interval.high}
    return told | inside | {
        "level": found.plans[0].prediction.level,
        "better_probability": gap.interval.better_probability,
        "run_noise": gap.interval.run_noise,
    }  # fmt: skip


def unit_of_fact(found: PlanComparison, fact: Fact) -> str:
    """A fact's unit; the metric's for what is predicted."""
    if fact.in_metric:
        return found.plans[0].prediction.metric.unit
    return fact.unit


def _screen(found: PlanComparison) -> tuple[Block, ...]:
    answers = [Prose(_answer(found, place), tone="strong") for place in range(1, len(found.plans))]
    names = tuple(f"{letter(i)}: {_name(plan)}" for i, plan in enumerate(found.plans))
    same = "; ".join(f"{_words(found, row.fact)}: {_shown(row.fact, row.values[0])}" for row in found.same)
    differing = (Heading("What differs"), _grid(found)) if found.differing else (Prose("The plans state the same."),)
    return (
        *answers,
        Bullets(names),
        *section("Warnings", found.warnings),
        *differing,
        *((Heading("The same in all"), Prose(f"{same}.", tone="quiet")) if same else ()),
    )


def _name(plan: Stated) -> str:
    metric = plan.prediction.metric
    problem = plan.facts.get("inputs.problem")
    of = f", problem {problem}" if problem else ""
    return f"{plan.source}{of}, predicts {metric.name} {significant(plan.prediction.value)}{unit_of(metric)}"


def _answer(found: PlanComparison, place: int) -> str:
    """'B is predicted 0.155 nats worse than A and costs 50 % less.' and whether to believe it."""
    gap, name = found.gaps[place - 1], letter(place)
    cost = _cost(found, place)
    if gap is None:
        return f"{name} predicts another metric than A, which says nothing of A{f'; it {cost}' if cost else ''}."
    metric = found.plans[0].prediction.metric
    way = "better" if gap.better_by > 0.0 else "worse"
    by = (
        f"{significant(abs(gap.better_by), 2)}{unit_of_errors(metric)} {way} than A"
        if gap.better_by
        else "as good as A"
    )
    return f"{name} is predicted {by}{f' and {cost}' if cost else ''}. {_believe(found, gap)}"


def _believe(found: PlanComparison, gap: PlanDifference) -> str:
    said = _VERDICT[gap.verdict]
    if gap.interval is not None:
        low, high = gap.interval.low, gap.interval.high
        level = found.plans[0].prediction.level
        better = percent(gap.interval.better_probability)
        return (
            f"{said}: {100.0 * level:g} % interval {_signed(low)} to {_signed(high)}, above 0 is better; better in "
            f"{better} of the draws of their fit. One run of each differs by chance by about "
            f"{significant(gap.interval.run_noise, 2)}."
        )
    hint = ". --fit FILE, the fit they were made from, gives the interval" if gap.verdict == "unknown" else ""
    return f"{said}: {gap.how}{hint}."


def _signed(value: float) -> str:
    return f"{value:+.2g}"


def _cost(found: PlanComparison, place: int) -> str:
    """'costs 50 % less (2.00e11 FLOPs, not 4.00e11 FLOPs)'; '' where the plans do not state the same kind of cost."""
    for kind in _COSTS:
        mine, base = (found.plans[i].facts.get(f"cost.{kind}") for i in (place, 0))
        if isinstance(mine, int | float) and isinstance(base, int | float) and base > 0.0:
            share = mine / base - 1.0
            if abs(share) < _SAME_COST:
                return "costs the same"
            change = f"{_share(share)} as much" if share > _FACTOR - 1.0 else f"{percent(abs(share))} less"
            change = change.replace("less", "more") if share > 0.0 else change
            return f"costs {change} ({budget_amount(kind, mine)}, not {budget_amount(kind, base)})"
    return ""


def _grid(found: PlanComparison) -> Grid:
    """Two plans: both values, then the difference; more: each with its relative difference to the first."""
    names = [letter(i) for i in range(len(found.plans))]
    plans = [Column(name, right=True, wraps=True) for name in names]
    if len(found.plans) == 2:
        ends = [Column("B less A", right=True), Column("", right=True)]
        rows = tuple(
            (_words(found, row.fact), *(_shown(row.fact, v) for v in row.values), *_change(row, 1))
            for row in found.differing
        )
        return Grid((Column(""), *plans, *ends), rows)
    rows = tuple(
        (_words(found, row.fact), *(_beside(row, i) for i in range(len(found.plans)))) for row in found.differing
    )
    return Grid((Column(""), *plans), rows)


def _words(found: PlanComparison, fact: Fact) -> str:
    """What a row is called, with the unit that its cells leave out."""
    metrics = {plan.prediction.metric for plan in found.plans}
    if fact.in_metric and len(metrics) == 1:
        metric = metrics.pop()
        words = f"predicted {metric.name}" if fact.key == "prediction.value" else fact.words
        return f"{words},{unit_of(metric)}" if unit_of(metric) else words
    return f"{fact.words}, {fact.unit}" if fact.unit in _IN_LABEL else fact.words


def _shown(fact: Fact, value: Value) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if fact.unit:
        return amount(value, fact.unit)
    return f"{value:,.0f}" if float(value).is_integer() and not fact.in_metric else significant(value)


def _change(row: Apart, place: int) -> tuple[str, str]:
    gap, share = row.difference[place], row.relative[place]
    if gap is None:
        return "", ""
    size = _shown(row.fact, abs(gap)) if row.fact.unit else significant(abs(gap), 3)
    return f"{'+' if gap > 0.0 else '-'}{size}", _share(share)


def _beside(row: Apart, place: int) -> str:
    text = _shown(row.fact, row.values[place])
    share = _share(row.relative[place]) if place and row.difference[place] else ""
    return f"{text} ({share})" if share else text


def _share(share: float | None) -> str:
    if share is None:
        return ""
    return f"{format_count(share + 1.0)} times" if share > _FACTOR - 1.0 else f"{100.0 * share:+.3g} %"
